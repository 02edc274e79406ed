#include <stdlib.h>
#include <string.h>

#include "server/cluster/etcd_http_parts.h"

enum { URL_SIZE = ETCD_ENDPOINT_SIZE_MAX + 64, HTTP_BROKEN = 500 };

/* ---- What comes --------------------------------------------------------- */

/* Makes room by moving what was not taken to the front. */
static void compact(struct etcd_request *request)
{
    request->used -= request->taken;
    memmove(request->reply, request->reply + request->taken, request->used);
    request->taken = 0;
}

/* From within libcurl: only keeps the bytes. */
static size_t receive(char *data, size_t one, size_t size, void *context)
{
    struct etcd_request *request = context;

    INVARIANT(one == 1);
    if (request->taken > 0)
        compact(request);
    if (size > ETCD_REPLY_SIZE_MAX - request->used)
        return 0; /* Ends the request with an error. */
    memcpy(request->reply + request->used, data, size);
    request->used += size;
    return size;
}

/* ---- Sending ------------------------------------------------------------ */

static bool set_tls(CURL *easy, const struct etcd_http *http)
{
    return !http->tls ||
           (http_multi_set_text(easy, CURLOPT_CAINFO, http->authority_file) &&
            /* Nobody else's signature, though the system may trust it. */
            http_multi_set_text(easy, CURLOPT_CAPATH, NULL) &&
            http_multi_set_text(easy, CURLOPT_SSLCERT,
                                http->certificate_file) &&
            http_multi_set_text(easy, CURLOPT_SSLKEY, http->key_file) &&
            http_multi_set_number(easy, CURLOPT_SSL_VERIFYPEER, 1) &&
            http_multi_set_number(easy, CURLOPT_SSL_VERIFYHOST, 2) &&
            http_multi_set_number(easy, CURLOPT_SSLVERSION,
                                  CURL_SSLVERSION_TLSv1_2));
}

static bool set_up(CURL *easy, struct etcd_request *request)
{
    curl_write_callback received = receive;

    return http_multi_set_pointer(easy, CURLOPT_PRIVATE, request) &&
           http_multi_set_pointer(easy, CURLOPT_ERRORBUFFER, request->error) &&
           http_multi_set_pointer(easy, CURLOPT_HTTPHEADER,
                                  request->http->headers) &&
           http_multi_set_number(easy, CURLOPT_POSTFIELDSIZE,
                                 (long)request->body_size) &&
           http_multi_set_pointer(easy, CURLOPT_POSTFIELDS, request->body) &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, received) ==
               CURLE_OK &&
           http_multi_set_pointer(easy, CURLOPT_WRITEDATA, request) &&
           http_multi_set_manners(easy, &request->head_size,
                                  request->http->connect_ms,
                                  request->timeout_ms) &&
           set_tls(easy, request->http);
}

enum status etcd_request_send(struct etcd_request *request)
{
    struct etcd_http *http = request->http;
    char url[URL_SIZE];
    struct writer writer;

    request->endpoint = http->endpoint;
    request->tries++;
    request->finished = false;
    request->used = 0;
    request->taken = 0;
    request->head_size = 0;
    writer_init(&writer, url, sizeof url);
    writer_bytes(&writer, http->endpoints[http->endpoint],
                 strlen(http->endpoints[http->endpoint]));
    writer_bytes(&writer, request->path, strlen(request->path) + 1);
    INVARIANT(writer.status == ST_OK);
    if (!http_multi_set_text(request->easy, CURLOPT_URL, url) ||
        curl_multi_add_handle(http->multi.multi, request->easy) != CURLM_OK)
        return ST_EXHAUSTED;
    return ST_OK;
}

static enum status begin(struct etcd_request **request_out,
                         struct etcd_http *http, const char *path,
                         struct slice body, uint32_t timeout_ms, void *context,
                         etcd_line *line, etcd_done *done)
{
    struct etcd_request *request = calloc(1, sizeof *request);
    enum status status = ST_EXHAUSTED;

    REQUIRE(http != NULL && done != NULL);
    REQUIRE(body.size <= ETCD_BODY_SIZE_MAX);
    if (request == NULL)
        return ST_EXHAUSTED;
    request->http = http;
    request->next = http->first;
    http->first = request;
    request->path = path;
    request->timeout_ms = timeout_ms;
    request->context = context;
    request->line = line;
    request->done = done;
    memcpy(request->body, body.data, body.size);
    request->body_size = body.size;
    request->easy = curl_easy_init();
    if (request->easy != NULL && set_up(request->easy, request))
        status = etcd_request_send(request);
    if (status != ST_OK) {
        etcd_request_free(request);
        return status;
    }
    *request_out = request;
    return ST_OK;
}

enum status etcd_http_post(struct etcd_http *http, const char *path,
                           struct slice body, uint32_t timeout_ms,
                           void *context, etcd_done *done)
{
    struct etcd_request *request;

    REQUIRE(timeout_ms > 0);
    return begin(&request, http, path, body, timeout_ms, context, NULL, done);
}

enum status etcd_http_stream(struct etcd_http *http,
                             struct etcd_request **request_out,
                             const char *path, struct slice body, void *context,
                             etcd_line *line, etcd_done *done)
{
    REQUIRE(line != NULL);
    return begin(request_out, http, path, body, 0, context, line, done);
}

void etcd_request_free(struct etcd_request *request)
{
    struct etcd_request **link = &request->http->first;

    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
    if (request->easy != NULL) {
        /* Refused if it is not in there any more. */
        (void)curl_multi_remove_handle(request->http->multi.multi,
                                       request->easy);
        curl_easy_cleanup(request->easy);
    }
    free(request);
}

void etcd_http_cancel(struct etcd_request *request)
{
    REQUIRE(request != NULL && request->line != NULL);
    etcd_request_free(request);
}

/* ---- Calling back ------------------------------------------------------- */

static void mark_finished(void *own, CURLcode code)
{
    struct etcd_request *request = own;

    request->code = code;
    request->finished = true;
}

static struct etcd_result result_of(const struct etcd_request *request)
{
    struct etcd_result result = {.end = ETCD_SILENT};
    long sent = 0, http_status = 0;

    (void)curl_easy_getinfo(request->easy, CURLINFO_REQUEST_SIZE, &sent);
    (void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE,
                            &http_status);
    result.why = request->error[0] != '\0' ? request->error
                                           : curl_easy_strerror(request->code);
    if (request->code == CURLE_OK) {
        result.end = ETCD_ANSWERED;
        result.http_status = (uint32_t)http_status;
        result.body = slice_of(request->reply, request->used);
    } else if (sent == 0) {
        result.end = ETCD_NOT_SENT;
    }
    return result;
}

static bool is_bad(const struct etcd_result *result)
{
    return result->end != ETCD_ANSWERED || result->http_status >= HTTP_BROKEN;
}

static void finish(struct etcd_request *request)
{
    struct etcd_http *http = request->http;
    struct etcd_result result = result_of(request);

    if (is_bad(&result) && request->endpoint == http->endpoint)
        etcd_http_next(http);
    if (result.end == ETCD_NOT_SENT && request->tries < http->endpoints_count &&
        etcd_request_send(request) == ST_OK)
        return;
    request->done(request->context, &result);
    etcd_request_free(request);
}

/* Whether a line was there; the request may be gone afterwards. */
static bool deliver_line(struct etcd_request *request)
{
    const uint8_t *from = request->reply + request->taken;
    const uint8_t *end;

    if (request->line == NULL || request->used == request->taken)
        return false;
    end = memchr(from, '\n', request->used - request->taken);
    if (end == NULL)
        return false;
    request->taken = (size_t)(end - request->reply) + 1;
    if (end > from)
        request->line(request->context, slice_of(from, (size_t)(end - from)));
    return true;
}

/* One call back; false if there was none to make. */
static bool deliver_one(struct etcd_http *http)
{
    for (struct etcd_request *request = http->first; request != NULL;
         request = request->next) {
        if (deliver_line(request))
            return true;
        if (request->finished) {
            finish(request);
            return true;
        }
    }
    return false;
}

void etcd_http_deliver(struct etcd_http *http)
{
    http_multi_finished(&http->multi, mark_finished);
    /* Whoever is called may begin and cancel requests: start over each time. */
    while (deliver_one(http))
        continue;
}
