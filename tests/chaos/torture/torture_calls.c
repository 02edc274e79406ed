/*
 * Calls of the kernel that give neither memory nor files, and of libraries:
 * what each gives when it cannot do its work.  SQLite is not among them: it
 * fails by its own words when its memory and its files do.
 */
#undef _FORTIFY_SOURCE
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "tests/chaos/torture/aim.h"

#define EXPORTED __attribute__((visibility("default")))

/* FAILS(type, failed, name, parameters, arguments) */
#define FAILS(type, failed, name, parameters, arguments)               \
    EXPORTED type name parameters;                                     \
    EXPORTED type name parameters                                      \
    {                                                                  \
        static type(*next) parameters;                                 \
                                                                       \
        if (next == NULL)                                              \
            next = (type(*) parameters)aim_next(#name);                \
        return aim_hits(AIM_CALLS, #name) ? (failed) : next arguments; \
    }

/* ---- The kernel ---------------------------------------------------------- */

FAILS(int, EAGAIN, pthread_create,
      (pthread_t * out, const pthread_attr_t *attributes,
       void *(*routine)(void *), void *context),
      (out, attributes, routine, context))
FAILS(int, -1, socket, (int domain, int type, int protocol),
      (domain, type, protocol))
FAILS(int, -1, socketpair, (int domain, int type, int protocol, int out[2]),
      (domain, type, protocol, out))
FAILS(int, -1, bind, (int fd, const struct sockaddr *address, socklen_t size),
      (fd, address, size))
FAILS(int, -1, listen, (int fd, int backlog), (fd, backlog))
FAILS(int, -1, accept4,
      (int fd, struct sockaddr *address, socklen_t *size, int flags),
      (fd, address, size, flags))
FAILS(int, -1, connect,
      (int fd, const struct sockaddr *address, socklen_t size),
      (fd, address, size))
FAILS(ssize_t, -1, send, (int fd, const void *bytes, size_t size, int flags),
      (fd, bytes, size, flags))
FAILS(ssize_t, -1, recv, (int fd, void *out, size_t size, int flags),
      (fd, out, size, flags))
FAILS(int, -1, getsockopt,
      (int fd, int level, int name, void *value, socklen_t *size),
      (fd, level, name, value, size))
FAILS(int, -1, setsockopt,
      (int fd, int level, int name, const void *value, socklen_t size),
      (fd, level, name, value, size))
FAILS(int, -1, epoll_create1, (int flags), (flags))
FAILS(int, -1, epoll_ctl,
      (int epoll, int operation, int fd, struct epoll_event *event),
      (epoll, operation, fd, event))
FAILS(int, -1, eventfd, (unsigned value, int flags), (value, flags))
FAILS(int, -1, timerfd_create, (int clock, int flags), (clock, flags))
FAILS(int, -1, pipe2, (int out[2], int flags), (out, flags))

/* ---- libsodium, libevent, libcurl, cJSON, zstd --------------------------- */

FAILS(void *, NULL, sodium_malloc, (size_t size), (size))
FAILS(int, -1, sodium_mlock, (void *at, size_t size), (at, size))
FAILS(int, -1, crypto_pwhash_argon2id,
      (unsigned char *out, unsigned long long size, const char *text,
       unsigned long long text_size, const unsigned char *salt,
       unsigned long long operations, size_t memory, int algorithm),
      (out, size, text, text_size, salt, operations, memory, algorithm))
FAILS(struct event_base *, NULL, event_base_new, (void), ())
FAILS(struct event_base *, NULL, event_base_new_with_config,
      (const struct event_config *config), (config))
FAILS(struct event *, NULL, event_new,
      (struct event_base * base, evutil_socket_t fd, short what,
       event_callback_fn call, void *context),
      (base, fd, what, call, context))
FAILS(int, -1, event_add, (struct event * event, const struct timeval *after),
      (event, after))
FAILS(CURLcode, CURLE_FAILED_INIT, curl_global_init, (long flags), (flags))
FAILS(CURL *, NULL, curl_easy_init, (void), ())
FAILS(CURLM *, NULL, curl_multi_init, (void), ())
FAILS(CURLMcode, CURLM_OUT_OF_MEMORY, curl_multi_add_handle,
      (CURLM * multi, CURL *easy), (multi, easy))
FAILS(cJSON *, NULL, cJSON_CreateObject, (void), ())
FAILS(char *, NULL, cJSON_PrintUnformatted, (const cJSON *item), (item))
FAILS(ZSTD_CCtx *, NULL, ZSTD_createCCtx, (void), ())

/* ---- The clock ----------------------------------------------------------- */

EXPORTED int clock_gettime(clockid_t clock, struct timespec *out);
EXPORTED int clock_gettime(clockid_t clock, struct timespec *out)
{
    static int (*next)(clockid_t, struct timespec *);
    int outcome;

    if (next == NULL)
        next = (int (*)(clockid_t, struct timespec *))aim_next("clock_gettime");
    outcome = next(clock, out);
    if (outcome == 0 && clock == CLOCK_REALTIME)
        out->tv_sec += aim_clock();
    return outcome;
}
