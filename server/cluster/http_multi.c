#include "server/cluster/http_multi.h"

#include <string.h>

#include <event2/event.h>

enum { KEPT_CONNECTIONS_MAX = 8 };

/* ---- libcurl on libevent ------------------------------------------------ */

static void on_socket(evutil_socket_t fd, short what, void *argument)
{
    struct http_multi *multi = argument;
    int flags = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    int running;

    (void)curl_multi_socket_action(multi->multi, fd, flags, &running);
    multi->deliver(multi->context);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct http_multi *multi = argument;
    int running;

    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(multi->multi, CURL_SOCKET_TIMEOUT, 0,
                                   &running);
    multi->deliver(multi->context);
}

/* libcurl says for what it waits on a socket. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context,
                        void *known)
{
    struct http_multi *multi = context;
    struct event *event = known;
    short flags = EV_PERSIST;

    (void)easy;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        if ((what & CURL_POLL_IN) != 0)
            flags = (short)(flags | EV_READ);
        if ((what & CURL_POLL_OUT) != 0)
            flags = (short)(flags | EV_WRITE);
        event = event_new(multi->base, fd, flags, on_socket, multi);
        /* Refused for want of memory: the request will time out. */
        if (event != NULL)
            (void)event_add(event, NULL);
    }
    (void)curl_multi_assign(multi->multi, fd, event);
    return 0;
}

/* libcurl says when it wants to be called. */
static int watch_time(CURLM *handle, long timeout_ms, void *context)
{
    struct http_multi *multi = context;
    struct timeval delay = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

    (void)handle;
    if (timeout_ms < 0)
        (void)evtimer_del(multi->timer);
    else
        (void)evtimer_add(multi->timer, &delay);
    return 0;
}

/* ---- Opening ------------------------------------------------------------ */

static bool http_multi_set_up(struct http_multi *multi)
{
    CURLM *handle = multi->multi;

    return curl_multi_setopt(handle, CURLMOPT_SOCKETFUNCTION, watch_socket) ==
               CURLM_OK &&
           curl_multi_setopt(handle, CURLMOPT_SOCKETDATA, multi) == CURLM_OK &&
           curl_multi_setopt(handle, CURLMOPT_TIMERFUNCTION, watch_time) ==
               CURLM_OK &&
           curl_multi_setopt(handle, CURLMOPT_TIMERDATA, multi) == CURLM_OK &&
           curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS,
                             (long)KEPT_CONNECTIONS_MAX) == CURLM_OK;
}

enum status http_multi_open(struct http_multi *multi, struct event_base *base,
                            void *context, void (*deliver)(void *context))
{
    REQUIRE(base != NULL && deliver != NULL);
    memset(multi, 0, sizeof *multi);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return ST_EXHAUSTED;
    multi->base = base;
    multi->context = context;
    multi->deliver = deliver;
    multi->timer = evtimer_new(base, on_timer, multi);
    multi->multi = curl_multi_init();
    if (multi->timer != NULL && multi->multi != NULL &&
        http_multi_set_up(multi))
        return ST_OK;
    http_multi_close(multi);
    return ST_EXHAUSTED;
}

void http_multi_close(struct http_multi *multi)
{
    if (multi->base == NULL)
        return;
    if (multi->multi != NULL)
        (void)curl_multi_cleanup(multi->multi);
    if (multi->timer != NULL)
        event_free(multi->timer);
    memset(multi, 0, sizeof *multi);
    curl_global_cleanup();
}

void http_multi_finished(struct http_multi *multi,
                         void (*finished)(void *own, CURLcode code))
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi->multi, &left)) != NULL) {
        void *own = NULL;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &own);
        /* From here on ${message} is no more. */
        (void)curl_multi_remove_handle(multi->multi, easy);
        INVARIANT(own != NULL);
        finished(own, code);
    }
}

/* ---- Options ------------------------------------------------------------ */

bool http_multi_set_text(CURL *easy, CURLoption option, const char *text)
{
    return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

bool http_multi_set_number(CURL *easy, CURLoption option, long number)
{
    return curl_easy_setopt(easy, option, number) == CURLE_OK;
}

bool http_multi_set_pointer(CURL *easy, CURLoption option, void *pointer)
{
    return curl_easy_setopt(easy, option, pointer) == CURLE_OK;
}

/* Heads, those before the answer too, and trailers, for which libcurl has no
 * bound. */
static size_t count_head(char *data, size_t one, size_t size, void *context)
{
    size_t *head_size = context;

    MAYBE(data == NULL);
    INVARIANT(one == 1);
    if (size > HTTP_MULTI_HEAD_SIZE_MAX - *head_size)
        return 0; /* Ends the request with an error. */
    *head_size += size;
    return size;
}

bool http_multi_set_manners(CURL *easy, size_t *head_size, uint32_t connect_ms,
                            uint32_t timeout_ms)
{
    curl_write_callback counted = count_head;

    return curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, counted) ==
               CURLE_OK &&
           http_multi_set_pointer(easy, CURLOPT_HEADERDATA, head_size) &&
           http_multi_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
           http_multi_set_number(easy, CURLOPT_FOLLOWLOCATION, 0) &&
           /* Whatever environment says. */
           http_multi_set_text(easy, CURLOPT_PROXY, "") &&
           http_multi_set_number(easy, CURLOPT_NOSIGNAL, 1) &&
           http_multi_set_number(easy, CURLOPT_HTTP_VERSION,
                                 CURL_HTTP_VERSION_1_1) &&
           http_multi_set_number(easy, CURLOPT_TCP_KEEPALIVE, 1) &&
           http_multi_set_number(easy, CURLOPT_CONNECTTIMEOUT_MS,
                                 (long)connect_ms) &&
           http_multi_set_number(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
}
