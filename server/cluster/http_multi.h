/*
 * http_multi.h: HTTP requests driven by a libevent base: libcurl's multi
 * interface does the HTTP and the TLS; libevent tells it of sockets and time.
 *
 * ${deliver} is called from the loop after anything has happened, and never
 * from within a call to a function of this file: there requests that ended are
 * taken (http_multi_finished()), and others may be begun and ended.
 */
#ifndef DEFTER_SERVER_CLUSTER_HTTP_MULTI_H
#define DEFTER_SERVER_CLUSTER_HTTP_MULTI_H

#include <curl/curl.h>

#include "protocol/bytes.h"

struct event;
struct event_base;

struct http_multi {
    struct event_base *base;
    struct event *timer;
    CURLM *multi;
    void *context;
    void (*deliver)(void *context);
};

/*
 * http_multi_open(multi, base, context, deliver):
 * Requires: base is used by this thread alone; SIGPIPE is ignored.
 * Returns:  ST_OK; ST_EXHAUSTED if memory or a library is refused.
 * Owns:     keeps ${base}.
 */
NODISCARD enum status http_multi_open(struct http_multi *multi,
                                      struct event_base *base, void *context,
                                      void (*deliver)(void *context));

/* Order: after all requests were taken out.  One that was never opened, and is
 * zeros, is left alone. */
void http_multi_close(struct http_multi *multi);

/*
 * http_multi_finished(multi, finished):
 * Take out every request that ended and tell of it: ${own} is what the request
 * was given as CURLOPT_PRIVATE.
 */
void http_multi_finished(struct http_multi *multi,
                         void (*finished)(void *own, CURLcode code));

/* ---- Options of a request; each is false if libcurl refuses. ------------ */

bool http_multi_set_text(CURL *easy, CURLoption option, const char *text);
bool http_multi_set_number(CURL *easy, CURLoption option, long number);
bool http_multi_set_pointer(CURL *easy, CURLoption option, void *pointer);

/* What every request does: http and https alone, no redirection, no proxy,
 * HTTP/1.1.  ${*head_size}, which is 0 at first, counts what comes that is no
 * body: libcurl holds all of it, and a request with more than may be ends with
 * an error.  A timeout_ms of 0 is none. */
enum { HTTP_MULTI_HEAD_SIZE_MAX = 64 * 1024 };
bool http_multi_set_manners(CURL *easy, size_t *head_size, uint32_t connect_ms,
                            uint32_t timeout_ms);

#endif
