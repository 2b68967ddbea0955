/* slots: the budget of held polls across processes, where each costs a process of the web server.
 * A slot is an OFD lock (fcntl F_OFD_SETLK) on one byte of a file; the kernel gives it back when
 * its holder dies, however it dies. */
#ifndef KLATCH_SLOTS_H
#define KLATCH_SLOTS_H

struct slots;

struct slots *slots_open(const char *path); /* NULL after a log line */
void slots_close(struct slots *s);
/* A free slot below `budget`, or -1: all are taken. One process may hold several. */
int slots_take(struct slots *s, int budget);
void slots_give(struct slots *s, int slot);

#endif
