#include "subnet.h"

#include <arpa/inet.h>
#include <string.h>

enum { PREFIX_BYTES = 8 }; /* of an IPv6 address: one customer has a /64 at least */

void subnet_of(const char *address, char out[SUBNET_BYTES])
{
    struct in6_addr six;
    memset(out, 0, SUBNET_BYTES);
    if (inet_pton(AF_INET6, address, &six) != 1)
        strncpy(out, address, SUBNET_BYTES - 1);
    else if (IN6_IS_ADDR_V4MAPPED(&six))
        inet_ntop(AF_INET, six.s6_addr + 12, out, SUBNET_BYTES);
    else
        memcpy(out, six.s6_addr, PREFIX_BYTES);
}
