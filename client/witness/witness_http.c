#include "client/witness/witness_http.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "client/witness/witness_guests.h"
#include "protocol/lines.h"

enum { HTTP_BACKLOG = 64, HTTP_LINE_SIZE_MAX = 160, HTTP_SIZE_DIGITS = 24 };

struct witness_http {
    struct witness *witness;
    struct evhttp *server;
    struct witness_guests *guests;
    struct evconnlistener *listener; /* The server's. */
    struct event *resume;
    uint16_t port;
    void *context;
    witness_http_say *say;
    struct witness_reply reply;
};

/* ---- Requests ----------------------------------------------------------- */

/* Whatever the client says: time is counted by connection. */
static void http_say_end(struct evhttp_request *asked)
{
    (void)evhttp_add_header(evhttp_request_get_output_headers(asked),
                            "Connection", "close");
}

static void http_refuse(struct evhttp_request *asked, int code)
{
    http_say_end(asked);
    if (evhttp_request_get_command(asked) == EVHTTP_REQ_HEAD)
        evhttp_send_reply(asked, code, NULL, NULL);
    else
        evhttp_send_error(asked, code, NULL);
}

/* The head says how long the body of a GET would be. */
static void http_send(struct evhttp_request *asked, unsigned http_status,
                      struct evbuffer *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(asked);
    char size[HTTP_SIZE_DIGITS];

    if (evhttp_request_get_command(asked) == EVHTTP_REQ_HEAD) {
        (void)snprintf(size, sizeof size, "%zu", evbuffer_get_length(body));
        (void)evhttp_add_header(headers, "Content-Length", size);
        body = NULL;
    }
    http_say_end(asked);
    evhttp_send_reply(asked, (int)http_status, NULL, body);
}

static void http_answer(struct witness_http *http, struct evhttp_request *asked,
                        const char *what)
{
    const struct witness_reply *reply = &http->reply;
    struct evbuffer *out = evbuffer_new();
    char line[HTTP_LINE_SIZE_MAX];

    if (reply->why != NULL) {
        (void)snprintf(line, sizeof line, "%s answered %u: %s", what,
                       reply->http_status, reply->why);
        http->say(http->context, line);
    }
    if (out == NULL || evbuffer_add(out, reply->body, reply->size) != 0) {
        http_refuse(asked, WITNESS_FAILED);
    } else {
        (void)evhttp_add_header(evhttp_request_get_output_headers(asked),
                                "Content-Type", reply->content_type);
        http_send(asked, reply->http_status, out);
    }
    if (out != NULL)
        evbuffer_free(out);
}

static void on_add_checkpoint(struct evhttp_request *asked, void *argument)
{
    struct witness_http *http = argument;
    struct evbuffer *body = evhttp_request_get_input_buffer(asked);
    size_t size = evbuffer_get_length(body);
    time_t now_s = time(NULL);

    if (evhttp_request_get_command(asked) != EVHTTP_REQ_POST) {
        http_refuse(asked, HTTP_BADMETHOD);
        return;
    }
    if (size == 0 || size > WITNESS_REQUEST_SIZE_MAX || now_s < 0) {
        http_refuse(asked, HTTP_BADREQUEST);
        return;
    }
    const uint8_t *bytes = evbuffer_pullup(body, -1);
    if (bytes == NULL) {
        http_refuse(asked, HTTP_INTERNAL);
        return;
    }
    witness_add_checkpoint(http->witness, &http->reply, slice_of(bytes, size),
                           (uint64_t)now_s);
    http_answer(http, asked, "add-checkpoint");
}

/* The HASH of "/HASH/checkpoint". */
static bool http_name(struct slice *name_out, const char *path)
{
    struct slice text = slice_of(path, strlen(path));

    return lines_take(&text, "/") && lines_split(name_out, &text, '/') &&
           lines_equal(text, "checkpoint");
}

static void on_other(struct evhttp_request *asked, void *argument)
{
    struct witness_http *http = argument;
    const char *path = evhttp_request_get_uri(asked);
    enum evhttp_cmd_type command = evhttp_request_get_command(asked);
    struct slice name;

    if (path == NULL || !http_name(&name, path)) {
        http_refuse(asked, HTTP_NOTFOUND);
        return;
    }
    if (command != EVHTTP_REQ_GET && command != EVHTTP_REQ_HEAD) {
        http_refuse(asked, HTTP_BADMETHOD);
        return;
    }
    witness_checkpoint(http->witness, &http->reply, name);
    http_answer(http, asked, "checkpoint");
}

/* ---- Listening ---------------------------------------------------------- */

/* Descriptors are short: a listener that goes on would take all of the time.
 * What evhttp bound has evhttp's own argument, and nothing of this file's. */
static void on_listen_error(struct evconnlistener *listener, void *argument)
{
    (void)argument;
    (void)evconnlistener_disable(listener);
}

/* At every pause, whether or not it was disabled. */
static void on_resume(evutil_socket_t fd, short what, void *argument)
{
    struct witness_http *http = argument;

    (void)fd;
    (void)what;
    (void)evconnlistener_enable(http->listener);
}

/* libevent reads a host alone as one whose port is any, and no port 0. */
static bool http_address(struct sockaddr_storage *out, int *size_out,
                         const char *address)
{
    char text[ADDRESS_SIZE_MAX + 1];
    size_t size = strlen(address);
    const char *colon = strrchr(address, ':');

    if (size > ADDRESS_SIZE_MAX || colon == NULL || strchr(colon, ']') != NULL)
        return false;
    if (strcmp(colon, ":0") == 0)
        size = (size_t)(colon - address);
    memcpy(text, address, size);
    text[size] = '\0';
    *size_out = sizeof *out;
    return evutil_parse_sockaddr_port(text, (struct sockaddr *)out, size_out) ==
           0;
}

static enum status http_listen(struct witness_http *http,
                               struct event_base *base, const char *address)
{
    const unsigned flags =
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    const struct timeval pause = {0, WITNESS_HTTP_PAUSE_MS * 1000};
    struct sockaddr_storage name;
    int size;

    if (!http_address(&name, &size, address))
        return ST_USAGE;
    http->listener =
        evconnlistener_new_bind(base, NULL, NULL, flags, HTTP_BACKLOG,
                                (const struct sockaddr *)&name, size);
    if (http->listener == NULL)
        return ST_CONNECT;
    if (evhttp_bind_listener(http->server, http->listener) == NULL) {
        evconnlistener_free(http->listener);
        return ST_INTERNAL;
    }
    evconnlistener_set_error_cb(http->listener, on_listen_error);
    return event_add(http->resume, &pause) == 0 ? ST_OK : ST_INTERNAL;
}

static enum status http_port(struct witness_http *http)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;

    if (getsockname(evconnlistener_get_fd(http->listener),
                    (struct sockaddr *)&name, &size) != 0)
        return ST_CONNECT;
    http->port = ntohs(name.ss_family == AF_INET6
                           ? ((const struct sockaddr_in6 *)&name)->sin6_port
                           : ((const struct sockaddr_in *)&name)->sin_port);
    return ST_OK;
}

static enum status http_serve(struct witness_http *http)
{
    const ev_uint16_t methods =
        EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST;

    evhttp_set_allowed_methods(http->server, methods);
    evhttp_set_max_headers_size(http->server, WITNESS_HTTP_HEAD_SIZE_MAX);
    evhttp_set_max_body_size(http->server, WITNESS_REQUEST_SIZE_MAX);
    evhttp_set_timeout(http->server, WITNESS_GUESTS_S);
    evhttp_set_gencb(http->server, on_other, http);
    return evhttp_set_cb(http->server, "/add-checkpoint", on_add_checkpoint,
                         http) == 0
               ? ST_OK
               : ST_INTERNAL;
}

enum status witness_http_open(struct witness_http **http_out,
                              struct event_base *base, struct witness *witness,
                              const char *address, void *context,
                              witness_http_say *say)
{
    struct witness_http *http = calloc(1, sizeof *http);
    enum status status = ST_INTERNAL;

    if (http == NULL)
        return ST_INTERNAL;
    http->witness = witness;
    http->context = context;
    http->say = say;
    http->resume = event_new(base, -1, EV_PERSIST, on_resume, http);
    http->server = evhttp_new(base);
    if (http->resume != NULL && http->server != NULL)
        status = http_serve(http);
    if (status == ST_OK)
        status = witness_guests_open(&http->guests, base, http->server);
    if (status == ST_OK)
        status = http_listen(http, base, address);
    if (status == ST_OK)
        status = http_port(http);
    if (status != ST_OK) {
        witness_http_close(http);
        return status;
    }
    *http_out = http;
    return ST_OK;
}

void witness_http_close(struct witness_http *http)
{
    if (http == NULL)
        return;
    if (http->server != NULL)
        evhttp_free(http->server); /* The listener as well. */
    witness_guests_close(http->guests);
    if (http->resume != NULL)
        event_free(http->resume);
    free(http);
}

uint16_t witness_http_port(const struct witness_http *http)
{
    return http->port;
}
