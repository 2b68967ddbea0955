/* fault: points where a test may kill the process. Compiled in by -DKLATCH_FAULTS only. With
 * KLATCH_FAULT=`name:file` in the environment, the process that reaches the point `name` while
 * `file` exists removes the file and gets SIGKILL. */
#ifndef KLATCH_FAULT_H
#define KLATCH_FAULT_H

#ifdef KLATCH_FAULTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
