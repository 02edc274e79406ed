#include "server/cluster/register_etcd.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "server/cluster/register_etcd_parts.h"

/* ---- Sending and understanding ------------------------------------------ */

enum status register_send(struct register_etcd *etcd,
                          const struct etcd_txn *txn, void *context,
                          etcd_done *done)
{
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, body, sizeof body);
    etcd_text_txn(&writer, txn);
    return etcd_http_post(etcd->http, ETCD_PATH_TXN, writer_slice(&writer),
                          etcd->options.request_ms, context, done);
}

bool register_understood(struct register_etcd *etcd,
                         const struct etcd_result *result,
                         const struct etcd_txn *txn)
{
    if (result->end != ETCD_ANSWERED || result->http_status != 200 ||
        etcd_reply_txn(&etcd->reply, result->body, txn) != ST_OK)
        return false;
    if (etcd->store == 0)
        etcd->store = etcd->reply.store;
    if (etcd->store != etcd->reply.store) {
        register_bar(etcd, "the endpoints lead to different etcds");
        return false;
    }
    if (etcd->store_revision < etcd->reply.revision)
        etcd->store_revision = etcd->reply.revision;
    return true;
}

void register_explain(char out[ERROR_TEXT_SIZE_MAX + 1],
                      const struct etcd_result *result)
{
    size_t used = 0;

    if (result->end == ETCD_ANSWERED) {
        etcd_reply_error(out, result->body);
        return;
    }
    for (; result->why[used] != '\0' && used < ERROR_TEXT_SIZE_MAX; used++)
        out[used] = result->why[used] >= ' ' && result->why[used] <= '~'
                        ? result->why[used]
                        : '?';
    out[used] = '\0';
}

static void poll_in(struct register_etcd *etcd, uint32_t delay_ms)
{
    struct timeval delay = {(time_t)(delay_ms / 1000),
                            (suseconds_t)(delay_ms % 1000 * 1000)};

    (void)evtimer_add(etcd->poll, &delay);
}

static uint32_t retry_ms(const struct register_etcd *etcd)
{
    return etcd->options.poll_ms < REGISTER_RETRY_MS
               ? etcd->options.poll_ms
               : (uint32_t)REGISTER_RETRY_MS;
}

/* Tells when it changes; the first time in any case. */
static void tell_reached(struct register_etcd *etcd, bool answers,
                         const char *why)
{
    if (etcd->reached_told && etcd->reached == answers)
        return;
    etcd->reached_told = true;
    etcd->reached = answers;
    etcd->events.reached(etcd->events.context, answers, why);
}

static void tell_silent(struct register_etcd *etcd,
                        const struct etcd_result *result)
{
    char why[ERROR_TEXT_SIZE_MAX + 1];

    /* What answers there is no etcd, or one that refuses: ask another.  Of the
     * other failures etcd_http has turned away by itself. */
    if (result->end == ETCD_ANSWERED && result->http_status < 500)
        etcd_http_next(etcd->http);
    register_explain(why, result);
    tell_reached(etcd, false, why);
}

void register_look_soon(struct register_etcd *etcd)
{
    poll_in(etcd, retry_ms(etcd));
}

/* ---- The self-test ------------------------------------------------------ */

void register_bar(struct register_etcd *etcd, const char *why)
{
    if (etcd->phase == REGISTER_BARRED)
        return;
    etcd->phase = REGISTER_BARRED;
    register_watch_end(etcd);
    (void)evtimer_del(etcd->poll);
    etcd->events.barred(etcd->events.context, why);
}

void register_bar_untested(struct register_etcd *etcd)
{
    register_bar(etcd, "a compare that cannot hold succeeded");
}

static void probed(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;
    struct etcd_txn txn;

    etcd_txn_probe(&txn, etcd->options.cluster_id, NULL);
    if (!register_understood(etcd, result, &txn)) {
        if (etcd->phase == REGISTER_BARRED)
            return;
        tell_silent(etcd, result);
        poll_in(etcd, retry_ms(etcd));
        return;
    }
    if (etcd->reply.succeeded) {
        register_bar_untested(etcd);
        return;
    }
    etcd->phase = REGISTER_READY;
    tell_reached(etcd, true, "");
    etcd->events.ready(etcd->events.context);
    register_look(etcd);
    register_lease_step(etcd);
}

static void probe(struct register_etcd *etcd)
{
    struct etcd_txn txn;

    etcd_txn_probe(&txn, etcd->options.cluster_id, NULL);
    if (register_send(etcd, &txn, etcd, probed) != ST_OK)
        poll_in(etcd, retry_ms(etcd));
}

/* ---- Readings ----------------------------------------------------------- */

static bool is_same_view(const struct register_view *a,
                         const struct register_view *b)
{
    return a->revision == b->revision &&
           slice_equal(slice_of(a->value, a->value_size),
                       slice_of(b->value, b->value_size));
}

static bool is_same_alive(const struct register_alive *a,
                          const struct register_alive *b)
{
    return a->count == b->count &&
           memcmp(a->nodes, b->nodes, a->count * NODE_ID_SIZE) == 0;
}

void register_newer(struct register_etcd *etcd,
                    const struct register_view *view)
{
    if (view->revision <= etcd->revision)
        return;
    etcd->revision = view->revision;
    etcd->view = *view;
}

void register_gone_back(struct register_etcd *etcd,
                        const struct register_view *view)
{
    if (etcd->back_told)
        return;
    etcd->back_told = true;
    etcd->events.went_back(etcd->events.context, etcd->revision, view);
}

/*
 * A view that is older than one seen before is not told as a view.  Perhaps an
 * answer to a proposal overtook it, or this member alone is behind, as one that
 * was paused is for a moment: so another one is asked, a moment later.
 */
static void take_older(struct register_etcd *etcd,
                       const struct register_view *view)
{
    etcd->backs++;
    if (etcd->backs >= REGISTER_BACK_READINGS) {
        register_gone_back(etcd, view);
        return;
    }
    etcd_http_next(etcd->http);
    register_look_soon(etcd);
}

static void take_view(struct register_etcd *etcd,
                      const struct register_view *view,
                      const struct register_alive *alive)
{
    bool changed = !etcd->seen_any || !is_same_view(view, &etcd->view) ||
                   !is_same_alive(alive, &etcd->alive);

    etcd->backs = 0;
    etcd->back_told = false;
    if (changed && etcd->watch != NULL && !etcd->watch_told)
        register_watch_end(etcd); /* It should have told: it hangs. */
    etcd->watch_told = false;
    etcd->seen_any = true;
    etcd->revision = view->revision;
    etcd->view = *view;
    etcd->alive = *alive;
    register_lease_seen(etcd);
    if (!changed && !etcd->read_asked)
        return;
    etcd->read_asked = false;
    etcd->events.seen(etcd->events.context, view, alive);
}

static void have_read(void *context, const struct etcd_result *result)
{
    struct register_etcd *etcd = context;
    struct register_view view;
    struct register_alive alive;
    struct etcd_txn txn;
    uint64_t revision;

    etcd->reading = false;
    if (etcd->phase == REGISTER_BARRED)
        return;
    etcd_txn_read(&txn, etcd->options.cluster_id);
    if (!register_understood(etcd, result, &txn)) {
        if (etcd->phase == REGISTER_BARRED)
            return;
        register_watch_end(etcd); /* It may hang at the same member. */
        poll_in(etcd, retry_ms(etcd));
        tell_silent(etcd, result);
        return;
    }
    revision = etcd->reply.revision;
    etcd_reply_view(&view, &etcd->reply, etcd->options.cluster_id);
    etcd_reply_alive(&alive, &etcd->reply, etcd->options.cluster_id);
    poll_in(etcd, etcd->options.poll_ms);
    tell_reached(etcd, true, "");
    if (revision < etcd->read_sent || view.revision < etcd->revision)
        take_older(etcd, &view);
    else
        take_view(etcd, &view, &alive);
    register_watch(etcd, revision + 1);
    if (etcd->read_again)
        register_look(etcd);
}

void register_look(struct register_etcd *etcd)
{
    struct etcd_txn txn;

    if (etcd->phase != REGISTER_READY)
        return;
    etcd->read_again = etcd->reading;
    if (etcd->reading)
        return;
    etcd->read_sent = etcd->store_revision;
    etcd_txn_read(&txn, etcd->options.cluster_id);
    if (register_send(etcd, &txn, etcd, have_read) == ST_OK)
        etcd->reading = true;
    else
        poll_in(etcd, retry_ms(etcd));
}

void register_etcd_read(struct register_etcd *etcd)
{
    etcd->read_asked = true;
    register_look(etcd);
}

static void on_poll(evutil_socket_t fd, short what, void *argument)
{
    struct register_etcd *etcd = argument;

    (void)fd;
    (void)what;
    if (etcd->phase == REGISTER_PROBING)
        probe(etcd);
    else
        register_look(etcd);
}

/* ---- Opening ------------------------------------------------------------ */

static enum status open_http(struct register_etcd *etcd,
                             struct event_base *base)
{
    const struct register_etcd_options *from = &etcd->options;
    struct etcd_http_options options = {
        .endpoints_count = from->endpoints_count,
        .authority_file = from->authority_file,
        .certificate_file = from->certificate_file,
        .key_file = from->key_file,
        .connect_ms = from->connect_ms};

    if (from->endpoints_count > ETCD_ENDPOINTS_MAX)
        return ST_USAGE;
    for (size_t i = 0; i < from->endpoints_count; i++)
        options.endpoints[i] = from->endpoints[i];
    return etcd_http_open(&etcd->http, base, &options);
}

enum status register_etcd_open(struct register_etcd **etcd_out,
                               struct event_base *base,
                               const struct register_etcd_options *options,
                               const struct register_etcd_events *events)
{
    struct register_etcd *etcd;
    enum status status = ST_USAGE;

    REQUIRE(etcd_out != NULL && base != NULL);
    REQUIRE(events->ready != NULL && events->barred != NULL);
    REQUIRE(events->answered != NULL && events->registered != NULL);
    REQUIRE(events->seen != NULL && events->went_back != NULL);
    REQUIRE(events->reached != NULL);
    if (options->poll_ms == 0 || options->request_ms == 0 ||
        options->ttl_s < ETCD_TTL_S_MIN || options->ttl_s > ETCD_TTL_S_MAX)
        return ST_USAGE;
    etcd = calloc(1, sizeof *etcd);
    if (etcd == NULL)
        return ST_EXHAUSTED;
    etcd->options = *options;
    etcd->events = *events;
    etcd->revision = options->revision;
    etcd->store_revision = options->revision;
    status = open_http(etcd, base);
    if (status != ST_OK)
        goto fail;
    status = ST_EXHAUSTED;
    etcd->poll = evtimer_new(base, on_poll, etcd);
    if (etcd->poll == NULL || register_lease_open(etcd, base) != ST_OK)
        goto fail;
    poll_in(etcd, 0);
    *etcd_out = etcd;
    return ST_OK;
fail:
    register_etcd_close(etcd);
    ENSURE(status != ST_OK);
    return status;
}

void register_etcd_close(struct register_etcd *etcd)
{
    if (etcd == NULL)
        return;
    register_lease_close(etcd);
    if (etcd->poll != NULL)
        event_free(etcd->poll);
    etcd_http_close(etcd->http);
    free(etcd);
}
