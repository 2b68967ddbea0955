#ifndef KLATCH_VERSION_H
#define KLATCH_VERSION_H

#define KLATCH_VERSION "0.1.0"

#endif
