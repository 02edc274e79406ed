#include <errno.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client_state.h"

/* A socket that is connected or on its way to be. */
int client_dial(const char *address)
{
    struct sockaddr_storage name;
    int size = sizeof name;
    const int on = 1;
    int fd;

    if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&name, &size) !=
        0) {
        errno = EINVAL;
        return -1;
    }
    fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&name, (socklen_t)size) != 0 &&
        errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}
