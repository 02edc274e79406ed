#include "server/cluster/register_etcd_parts.h"

/*
 * The watch says that something changed, and never what: the reading that
 * follows says it, so that there is one way of reading only.  A watch may hang
 * without a word, and therefore never takes the poll's place.
 */

static void on_line(void *context, struct slice line)
{
    struct register_etcd *etcd = context;
    struct etcd_watch watch;

    /* Compacted, or no line of a watch: the next reading begins a new one. */
    if (etcd_reply_watch(&watch, line, etcd->options.cluster_id) != ST_OK ||
        watch.canceled) {
        register_watch_end(etcd);
        register_look_soon(etcd);
        return;
    }
    if (!watch.config_changed && !watch.alive_changed)
        return;
    etcd->watch_told = true;
    register_look(etcd);
}

static void on_end(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;

    (void)result;
    etcd->watch = NULL;
    register_look_soon(etcd);
}

void register_watch(struct register_etcd *etcd, uint64_t revision)
{
    struct etcd_key all = etcd_key_all(etcd->options.cluster_id);
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    if (etcd->watch != NULL || etcd->phase != REGISTER_READY)
        return;
    writer_init(&writer, body, sizeof body);
    etcd_text_watch(&writer, &all, revision);
    if (etcd_http_stream(etcd->http, &etcd->watch, ETCD_PATH_WATCH,
                         writer_slice(&writer), etcd, on_line, on_end) != ST_OK)
        etcd->watch = NULL;
}

void register_watch_end(struct register_etcd *etcd)
{
    if (etcd->watch == NULL)
        return;
    etcd_http_cancel(etcd->watch);
    etcd->watch = NULL;
}
