#include <string.h>

#include <event2/event.h>

#include "server/cluster/register_etcd_parts.h"

/*
 * The alive key and its lease: granted, bound, renewed, and granted anew where
 * etcd forgot it.  One request at a time.  Nothing but the detection of dead
 * nodes rests on it.
 */

enum { RENEWALS_PER_TTL = 3, DECIMAL_SIZE = 20 };

static uint32_t step_ms(const struct register_etcd *etcd)
{
    return etcd->options.ttl_s * 1000 / RENEWALS_PER_TTL;
}

static void step_again(struct register_etcd *etcd)
{
    uint32_t delay_ms = step_ms(etcd);
    struct timeval delay = {(time_t)(delay_ms / 1000),
                            (suseconds_t)(delay_ms % 1000 * 1000)};

    (void)evtimer_add(etcd->lease.timer, &delay);
}

static bool is_answer(const struct etcd_result *result)
{
    return result->end == ETCD_ANSWERED;
}

static void forget(struct register_lease *lease)
{
    lease->id = 0;
    lease->put = false;
}

static void granted(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;
    struct etcd_lease lease;

    etcd->lease.busy = false;
    if (!is_answer(result) || etcd_reply_grant(&lease, result->body) != ST_OK)
        return;
    etcd->lease.id = lease.id;
    etcd->lease.put = false;
    register_lease_step(etcd);
}

static void was_put(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;
    enum status status;

    etcd->lease.busy = false;
    if (!is_answer(result))
        return;
    status = etcd_reply_put(result->body);
    if (status == ST_OK)
        etcd->lease.put = etcd->lease.id != 0;
    if (status != ST_NO_SUCH)
        return;
    forget(&etcd->lease);
    register_lease_step(etcd);
}

static void renewed(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;
    struct etcd_lease lease;

    etcd->lease.busy = false;
    if (!is_answer(result) ||
        etcd_reply_keepalive(&lease, result->body) != ST_NO_SUCH)
        return;
    forget(&etcd->lease);
    register_lease_step(etcd);
}

static void revoked(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;

    (void)result; /* If it is lost, the lease runs out by itself. */
    etcd->lease.given_up = false;
}

static void post(struct register_etcd *etcd, const char *path,
                 const struct writer *writer, etcd_done *done)
{
    /* One that hangs leaves time for another endpoint before the lease ends. */
    uint32_t timeout_ms = step_ms(etcd) < etcd->options.request_ms
                              ? step_ms(etcd)
                              : etcd->options.request_ms;

    etcd->lease.busy = etcd_http_post(etcd->http, path, writer_slice(writer),
                                      timeout_ms, etcd, done) == ST_OK;
}

static struct slice decimal(char text[DECIMAL_SIZE], uint64_t number)
{
    size_t at = DECIMAL_SIZE;

    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return slice_of(text + at, DECIMAL_SIZE - at);
}

static void put_key(struct register_etcd *etcd, struct writer *writer)
{
    struct etcd_key key =
        etcd_key_alive(etcd->options.cluster_id, etcd->options.node_id);
    char text[DECIMAL_SIZE];

    etcd_text_put(writer, &key, decimal(text, etcd->claim.wanted),
                  etcd->lease.id);
    post(etcd, ETCD_PATH_PUT, writer, was_put);
}

void register_lease_step(struct register_etcd *etcd)
{
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    if (etcd->phase != REGISTER_READY || !etcd->claim.done ||
        !etcd->lease.healthy)
        return;
    step_again(etcd);
    if (etcd->lease.busy)
        return;
    writer_init(&writer, body, sizeof body);
    if (etcd->lease.id == 0) {
        etcd_text_grant(&writer, etcd->options.ttl_s);
        post(etcd, ETCD_PATH_GRANT, &writer, granted);
    } else if (!etcd->lease.put) {
        put_key(etcd, &writer);
    } else {
        etcd_text_keepalive(&writer, etcd->lease.id);
        post(etcd, ETCD_PATH_KEEPALIVE, &writer, renewed);
    }
}

/* Somebody removed the key and left the lease: bind it again next time. */
void register_lease_seen(struct register_etcd *etcd)
{
    bool found = false;

    for (size_t i = 0; i < etcd->alive.count; i++)
        found = found || memcmp(etcd->alive.nodes[i], etcd->options.node_id,
                                NODE_ID_SIZE) == 0;
    if (!found)
        etcd->lease.put = false;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    register_lease_step(argument);
}

enum status register_lease_open(struct register_etcd *etcd,
                                struct event_base *base)
{
    etcd->lease.timer = evtimer_new(base, on_timer, etcd);
    return etcd->lease.timer == NULL ? ST_EXHAUSTED : ST_OK;
}

void register_lease_close(struct register_etcd *etcd)
{
    if (etcd->lease.timer != NULL)
        event_free(etcd->lease.timer);
}

void register_etcd_healthy(struct register_etcd *etcd, bool healthy)
{
    bool before = etcd->lease.healthy;

    etcd->lease.healthy = healthy;
    if (healthy && !before)
        register_lease_step(etcd);
}

void register_etcd_leave(struct register_etcd *etcd)
{
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    etcd->lease.healthy = false;
    if (etcd->lease.id == 0)
        return;
    writer_init(&writer, body, sizeof body);
    etcd_text_revoke(&writer, etcd->lease.id);
    etcd->lease.given_up =
        etcd_http_post(etcd->http, ETCD_PATH_REVOKE, writer_slice(&writer),
                       etcd->options.request_ms, etcd, revoked) == ST_OK;
    forget(&etcd->lease);
}

bool register_etcd_left(const struct register_etcd *etcd)
{
    return !etcd->lease.given_up;
}
