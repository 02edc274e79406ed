/*
 * etcd_http_parts.h: what the files of etcd_http share.
 */
#ifndef DEFTER_SERVER_CLUSTER_ETCD_HTTP_PARTS_H
#define DEFTER_SERVER_CLUSTER_ETCD_HTTP_PARTS_H

#include "server/cluster/etcd_http.h"
#include "server/cluster/http_multi.h"

enum { ETCD_FILE_NAME_SIZE_MAX = 255 };

struct etcd_http {
    struct http_multi multi;
    struct curl_slist *headers;
    struct etcd_request *first;
    char endpoints[ETCD_ENDPOINTS_MAX][ETCD_ENDPOINT_SIZE_MAX + 1];
    size_t endpoints_count;
    size_t endpoint; /* The one in use. */
    bool tls;
    char authority_file[ETCD_FILE_NAME_SIZE_MAX + 1];
    char certificate_file[ETCD_FILE_NAME_SIZE_MAX + 1];
    char key_file[ETCD_FILE_NAME_SIZE_MAX + 1];
    uint32_t connect_ms;
};

/*
 * Invariants: taken <= used <= ETCD_REPLY_SIZE_MAX;
 *             easy is in multi until finished.
 */
struct etcd_request {
    struct etcd_http *http;
    struct etcd_request *next;
    CURL *easy;
    const char *path;
    uint32_t timeout_ms; /* 0: a stream. */
    size_t endpoint;     /* Where it was sent. */
    size_t tries;
    bool finished;
    CURLcode code; /* Once finished. */
    char error[CURL_ERROR_SIZE];
    void *context;
    etcd_line *line; /* NULL unless a stream. */
    etcd_done *done;
    uint8_t body[ETCD_BODY_SIZE_MAX];
    size_t body_size;
    uint8_t reply[ETCD_REPLY_SIZE_MAX];
    size_t used;
    size_t taken; /* Lines that were delivered. */
    size_t head_size;
};

/* Sends ${request} to the endpoint in use. */
NODISCARD enum status etcd_request_send(struct etcd_request *request);

/* Takes it out of libcurl and of the list, and frees it. */
void etcd_request_free(struct etcd_request *request);

/* Calls back for whatever has come or ended. */
void etcd_http_deliver(struct etcd_http *http);

#endif
