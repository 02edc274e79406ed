#include "server/cluster/etcd_http.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "server/cluster/etcd_http_parts.h"

enum { PORT_MAX = 65535 };

/* ---- Endpoints ---------------------------------------------------------- */

static bool is_port(const char *text)
{
    unsigned port = 0;

    if (*text == '\0' || *text == '0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (unsigned)(*text - '0');
        if (port > PORT_MAX)
            return false;
    }
    return true;
}

static bool is_address(const char *from, size_t size)
{
    char text[ETCD_ENDPOINT_SIZE_MAX + 1];
    struct in6_addr address;
    int family = AF_INET;

    if (size > 2 && from[0] == '[' && from[size - 1] == ']') {
        family = AF_INET6;
        from++;
        size -= 2;
    }
    memcpy(text, from, size);
    text[size] = '\0';
    return inet_pton(family, text, &address) == 1;
}

static bool is_tls(const char *endpoint)
{
    return strncmp(endpoint, "https://", 8) == 0;
}

enum status etcd_http_endpoint(const char *text)
{
    const char *address, *colon;

    if (strnlen(text, ETCD_ENDPOINT_SIZE_MAX + 1) > ETCD_ENDPOINT_SIZE_MAX)
        return ST_USAGE;
    if (!is_tls(text) && strncmp(text, "http://", 7) != 0)
        return ST_USAGE;
    address = strstr(text, "://") + 3;
    colon = strrchr(address, ':');
    if (colon == NULL || !is_port(colon + 1) ||
        !is_address(address, (size_t)(colon - address)))
        return ST_USAGE;
    return ST_OK;
}

void etcd_http_next(struct etcd_http *http)
{
    http->endpoint = (http->endpoint + 1) % http->endpoints_count;
}

/* ---- Opening ------------------------------------------------------------ */

static enum status copy_file(char to[ETCD_FILE_NAME_SIZE_MAX + 1],
                             const char *from, bool needed)
{
    size_t size = from == NULL ? 0 : strlen(from);

    if ((needed && size == 0) || size > ETCD_FILE_NAME_SIZE_MAX)
        return ST_USAGE;
    if (size > 0)
        memcpy(to, from, size + 1);
    return ST_OK;
}

static enum status take_options(struct etcd_http *http,
                                const struct etcd_http_options *options)
{
    if (options->endpoints_count == 0 ||
        options->endpoints_count > ETCD_ENDPOINTS_MAX ||
        options->connect_ms == 0)
        return ST_USAGE;
    for (size_t i = 0; i < options->endpoints_count; i++) {
        const char *endpoint = options->endpoints[i];
        if (etcd_http_endpoint(endpoint) != ST_OK)
            return ST_USAGE;
        memcpy(http->endpoints[i], endpoint, strlen(endpoint) + 1);
        http->tls = http->tls || is_tls(endpoint);
    }
    http->endpoints_count = options->endpoints_count;
    http->connect_ms = options->connect_ms;
    if (copy_file(http->authority_file, options->authority_file, http->tls) !=
            ST_OK ||
        copy_file(http->certificate_file, options->certificate_file,
                  http->tls) != ST_OK ||
        copy_file(http->key_file, options->key_file, http->tls) != ST_OK)
        return ST_USAGE;
    return ST_OK;
}

static void deliver(void *context)
{
    etcd_http_deliver(context);
}

static enum status open_multi(struct etcd_http *http, struct event_base *base)
{
    struct curl_slist *more;
    enum status status = http_multi_open(&http->multi, base, http, deliver);

    if (status != ST_OK)
        return status;
    http->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (http->headers == NULL)
        return ST_EXHAUSTED;
    /* A body is sent at once, without asking first. */
    more = curl_slist_append(http->headers, "Expect:");
    if (more == NULL)
        return ST_EXHAUSTED;
    http->headers = more;
    return ST_OK;
}

enum status etcd_http_open(struct etcd_http **http_out, struct event_base *base,
                           const struct etcd_http_options *options)
{
    struct etcd_http *http;
    enum status status;

    REQUIRE(http_out != NULL && base != NULL && options != NULL);
    http = calloc(1, sizeof *http);
    if (http == NULL)
        return ST_EXHAUSTED;
    status = take_options(http, options);
    if (status != ST_OK)
        goto fail;
    status = open_multi(http, base);
    if (status != ST_OK)
        goto fail;
    *http_out = http;
    return ST_OK;
fail:
    etcd_http_close(http);
    ENSURE(status != ST_OK);
    return status;
}

void etcd_http_close(struct etcd_http *http)
{
    if (http == NULL)
        return;
    while (http->first != NULL)
        etcd_request_free(http->first);
    curl_slist_free_all(http->headers);
    http_multi_close(&http->multi);
    free(http);
}
