/* subnet: what of an address stands for whom it was given to: an IPv4 address, an IPv6 /64. */
#ifndef KLATCH_SUBNET_H
#define KLATCH_SUBNET_H

enum { SUBNET_BYTES = 64 };

/* Fill `out` from REMOTE_ADDR's text; an IPv4 address counts the same in an IPv6 one. */
void subnet_of(const char *address, char out[SUBNET_BYTES]);

#endif
