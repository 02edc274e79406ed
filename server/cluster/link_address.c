#include "server/cluster/link_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { PORT_DIGITS_MAX = 5, HOST_SIZE = 16 };

static bool read_port(in_port_t *port_out, const char *text)
{
    uint32_t port = 0;
    size_t digits = strlen(text);

    if (digits == 0 || digits > PORT_DIGITS_MAX)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (uint32_t)(*text - '0');
    }
    *port_out = htons((uint16_t)port);
    return port <= UINT16_MAX;
}

bool link_address_read(struct link_address *out, const char *text)
{
    struct sockaddr_in *four = (void *)&out->name;
    struct sockaddr_in6 *six = (void *)&out->name;
    const char *colon = strrchr(text, ':');
    char host[ADDRESS_SIZE_MAX + 1];
    size_t size;

    memset(out, 0, sizeof *out);
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return false;
    size = (size_t)(colon - text);
    memcpy(host, text, size);
    host[size] = '\0';
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        six->sin6_family = AF_INET6;
        out->size = sizeof *six;
        return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1 &&
               read_port(&six->sin6_port, colon + 1);
    }
    four->sin_family = AF_INET;
    out->size = sizeof *four;
    return inet_pton(AF_INET, host, &four->sin_addr) == 1 &&
           read_port(&four->sin_port, colon + 1);
}

uint16_t link_address_port(const struct link_address *address)
{
    const struct sockaddr_in *four = (const void *)&address->name;
    const struct sockaddr_in6 *six = (const void *)&address->name;

    return ntohs(address->name.ss_family == AF_INET6 ? six->sin6_port
                                                     : four->sin_port);
}

/* The host as IPv6 knows it; zeros for another family. */
static void host_of(uint8_t out[HOST_SIZE], const struct link_address *address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
    const struct sockaddr_in *four = (const void *)&address->name;
    const struct sockaddr_in6 *six = (const void *)&address->name;

    memset(out, 0, HOST_SIZE);
    if (address->name.ss_family == AF_INET) {
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + sizeof mapped, &four->sin_addr, 4);
    } else if (address->name.ss_family == AF_INET6) {
        memcpy(out, &six->sin6_addr, HOST_SIZE);
    }
}

bool link_address_same_host(const struct link_address *a,
                            const struct link_address *b)
{
    uint8_t host_a[HOST_SIZE], host_b[HOST_SIZE];

    host_of(host_a, a);
    host_of(host_b, b);
    return memcmp(host_a, host_b, HOST_SIZE) == 0;
}

void link_address_write(char out[LINK_ADDRESS_TEXT_SIZE],
                        const struct link_address *address)
{
    const struct sockaddr_in *four = (const void *)&address->name;
    const struct sockaddr_in6 *six = (const void *)&address->name;
    const void *host = address->name.ss_family == AF_INET6
                           ? (const void *)&six->sin6_addr
                           : (const void *)&four->sin_addr;
    char text[INET6_ADDRSTRLEN];

    if (inet_ntop(address->name.ss_family, host, text, sizeof text) == NULL)
        (void)snprintf(text, sizeof text, "?");
    (void)snprintf(out, LINK_ADDRESS_TEXT_SIZE, "%s:%u", text,
                   link_address_port(address));
}
