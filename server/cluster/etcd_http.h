/*
 * etcd_http.h: requests to etcd's endpoints, driven by a libevent base.
 *
 * libcurl's multi interface does the HTTP and the TLS; libevent tells it of
 * sockets and time.  One endpoint is used at a time, and the next one, in turn,
 * after one that does not serve.  A request of which nobody has had one byte
 * goes to the next endpoint by itself; one that was sent never does, because it
 * may have been heard.  (libcurl may send a request again, to the same
 * endpoint, when a connection that was kept turns out to be dead: all requests
 * may be heard twice.)
 *
 * Callbacks run on the loop's thread, from the loop, and never from within a
 * call to a function of this file.
 */
#ifndef DEFTER_SERVER_CLUSTER_ETCD_HTTP_H
#define DEFTER_SERVER_CLUSTER_ETCD_HTTP_H

#include "protocol/bytes.h"
#include "protocol/limits.h"

struct event_base;
struct etcd_http;    /* Opaque. */
struct etcd_request; /* Opaque. */

/* Endpoints are "http://" or "https://", a numeric address (IPv6 in brackets)
 * and a port.  The files are NULL, or PEM; with https all three are needed. */
struct etcd_http_options {
    const char *endpoints[ETCD_ENDPOINTS_MAX];
    size_t endpoints_count;
    const char *authority_file;   /* Who signs etcd's certificates. */
    const char *certificate_file; /* This node's. */
    const char *key_file;
    uint32_t connect_ms;
};

/*
 * How a request ended.
 *
 *   ANSWERED   with an HTTP status and a whole body
 *   NOT_SENT   no endpoint could be reached: nobody has heard it
 *   SILENT     it was sent, and no whole answer came in time
 */
enum etcd_end { ETCD_ANSWERED, ETCD_NOT_SENT, ETCD_SILENT };

struct etcd_result {
    enum etcd_end end;
    uint32_t http_status; /* ANSWERED. */
    struct slice body;    /* ANSWERED; borrowed for the callback. */
    const char *why;      /* The others; for people. */
};

typedef void etcd_done(void *context, const struct etcd_result *result);

/* A line, without its end; borrowed for the callback. */
typedef void etcd_line(void *context, struct slice line);

/*
 * etcd_http_open(http_out, base, options):
 * Take up the endpoints; nothing is sent yet.
 *
 * Requires: base is used by this thread alone; SIGPIPE is ignored.
 * Returns:  ST_OK; ST_USAGE if an endpoint is of another form, or TLS lacks a
 *           file; ST_EXHAUSTED if memory or a library is refused.
 * Owns:     copies ${options}; keeps ${base}; gives ${*http_out}.
 */
NODISCARD enum status etcd_http_open(struct etcd_http **http_out,
                                     struct event_base *base,
                                     const struct etcd_http_options *options);

/* Ends all requests without calling back; accepts NULL.  Not from a callback.
 */
void etcd_http_close(struct etcd_http *http);

/* ST_OK if ${text} is an endpoint; ST_USAGE. */
NODISCARD enum status etcd_http_endpoint(const char *text);

/*
 * etcd_http_post(http, path, body, timeout_ms, context, done):
 * Send ${body} to ${path}; ${done} is called once, and within
 * endpoints_count * connect_ms + timeout_ms.
 *
 * Requires: timeout_ms > 0.
 * Returns: ST_OK; ST_EXHAUSTED, nothing was sent and ${done} is not called.
 * Owns:    copies ${body}.
 */
NODISCARD enum status etcd_http_post(struct etcd_http *http, const char *path,
                                     struct slice body, uint32_t timeout_ms,
                                     void *context, etcd_done *done);

/*
 * etcd_http_stream(http, request_out, path, body, context, line, done):
 * The same for an answer without end: ${line} is called for each line that is
 * not empty, ${done} once if the answer ends after all, or if a line is longer
 * than ETCD_REPLY_SIZE_MAX.
 *
 * Owns: lends ${*request_out}, for etcd_http_cancel(), until ${done}.
 */
NODISCARD enum status etcd_http_stream(struct etcd_http *http,
                                       struct etcd_request **request_out,
                                       const char *path, struct slice body,
                                       void *context, etcd_line *line,
                                       etcd_done *done);

/* Ends the request; it calls back no more.  Also from its own ${line}. */
void etcd_http_cancel(struct etcd_request *request);

/* Turn to the next endpoint for what is sent from now on. */
void etcd_http_next(struct etcd_http *http);

#endif
