/*
 * link_address.h: "host:port" with a numeric host, as a socket's name.
 */
#ifndef DEFTER_SERVER_CLUSTER_LINK_ADDRESS_H
#define DEFTER_SERVER_CLUSTER_LINK_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "protocol/limits.h"

struct link_address {
    struct sockaddr_storage name;
    socklen_t size;
};

/* Reads "127.0.0.1:7841" or "[::1]:7841"; false if it is no such thing. */
bool link_address_read(struct link_address *out, const char *text);

uint16_t link_address_port(const struct link_address *address);

/* Whether both are of the same host; an IPv4 address in the clothes of IPv6 is
 * what it is. */
bool link_address_same_host(const struct link_address *a,
                            const struct link_address *b);

/* The address for people, without brackets: "127.0.0.1:7841". */
enum { LINK_ADDRESS_TEXT_SIZE = 64 };
void link_address_write(char out[LINK_ADDRESS_TEXT_SIZE],
                        const struct link_address *address);

#endif
