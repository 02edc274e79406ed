#include <event2/event.h>

#include "server/net/home.h"

/* What came of a look into the log for a watch. */
enum pumped { PUMPED_NOTHING, PUMPED_EVENT, PUMPED_SKIPPED };

void watching_open(struct connection *connection, const struct frame *frame,
                   const struct message_watch *body)
{
    struct connection_watch *free_one = NULL;
    enum status status = ST_QUOTA;

    if (advice_refuse(connection, frame->request_id))
        return; /* What allows it is an entry, which is the primary's. */
    for (int i = 0; i < WATCHES_PER_CONNECTION_MAX; i++) {
        if (!connection->watches[i].live)
            free_one = &connection->watches[i];
    }
    if (!request_rate_free(connection)) {
        status = ST_LIMIT;
    } else if (free_one != NULL) {
        *free_one = (struct connection_watch){.request_id = frame->request_id};
        status = pipeline_watch_open(connection->home->net->pipeline,
                                     &free_one->watch, body->index,
                                     connection->session.key_id.b);
        free_one->live = status == ST_OK;
        if (free_one->live)
            atomic_fetch_add(&connection->home->net->watching, 1);
    }
    if (status != ST_OK)
        connection_error(connection, status, SCOPE_REQUEST, frame->request_id,
                         NULL);
}

static uint32_t add_credit(uint32_t have, uint32_t more, uint32_t limit)
{
    return more > limit - have ? limit : have + more;
}

void watching_credit(struct connection *connection,
                     const struct message_credit *body)
{
    for (int i = 0; i < WATCHES_PER_CONNECTION_MAX; i++) {
        struct connection_watch *watch = &connection->watches[i];
        if (!watch->live || watch->request_id != body->watch)
            continue;
        watch->credit_frames = add_credit(watch->credit_frames, body->frames,
                                          EVENT_CREDIT_FRAMES_MAX);
        watch->credit_bytes = add_credit(watch->credit_bytes, body->bytes,
                                         EVENT_CREDIT_BYTES_MAX);
    }
    watching_pump(connection);
}

/* One event, if there is one and the credit covers it; or entries that are not
 * for this watch, of which there may be any number. */
static enum pumped pump_one(struct connection *connection,
                            struct connection_watch *watch)
{
    struct net_loop *home = connection->home;
    struct slice entry;
    struct writer *writer;
    size_t begin;
    enum status status;

    if (watch->credit_frames == 0 ||
        connection->tx_to - connection->tx_from > TX_SIZE_LOW)
        return PUMPED_NOTHING;
    status = pipeline_watch_next(home->net->pipeline, &watch->watch, &entry,
                                 home->watch_buffer);
    if (status == ST_AGAIN)
        return PUMPED_SKIPPED;
    if (status == ST_OK && entry.size > watch->credit_bytes) {
        watch->watch.next--; /* Not covered yet: look at it again later. */
        return PUMPED_NOTHING;
    }
    if (status == ST_END)
        return PUMPED_NOTHING;
    if (status != ST_OK) {
        watch->live = false;
        atomic_fetch_sub(&home->net->watching, 1);
        connection_error(connection, status, SCOPE_REQUEST, watch->request_id,
                         NULL);
        return PUMPED_NOTHING;
    }
    watch->credit_frames--;
    watch->credit_bytes -= (uint32_t)entry.size;
    writer = connection_frame(connection, entry.size + FRAME_HEADER_SIZE);
    begin = frame_begin(writer, MESSAGE_EVENT, 0, watch->request_id);
    writer_bytes(writer, entry.data, entry.size);
    frame_end(writer, begin);
    return PUMPED_EVENT;
}

/* The others of the loop first: reading on begins with this. */
static void pump_later(struct connection *connection)
{
    if (connection->phase != PHASE_OPEN)
        return; /* It may have died of what was sent. */
    connection->pump_more = true;
    if (connection->reading)
        event_active(connection->read_event, EV_READ, 0);
}

static void pump_watch(struct connection *connection,
                       struct connection_watch *watch)
{
    for (int i = 0; i < EVENT_CREDIT_FRAMES_MAX; i++) {
        enum pumped pumped = PUMPED_NOTHING;

        if (connection->phase == PHASE_OPEN && !connection->leaving &&
            watch->live)
            pumped = pump_one(connection, watch);
        if (pumped == PUMPED_NOTHING)
            return;
        if (pumped == PUMPED_SKIPPED)
            break;
    }
    pump_later(connection);
}

void watching_pump(struct connection *connection)
{
    connection->pump_more = false;
    for (int i = 0; i < WATCHES_PER_CONNECTION_MAX; i++)
        pump_watch(connection, &connection->watches[i]);
}
