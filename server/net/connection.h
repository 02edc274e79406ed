/*
 * connection.h: one peer (PROTOCOL, sections 2 to 5).
 *
 *   HANDSHAKE --msg3--> LOGIN --AUTH_OK--> OPEN
 *       |                 |                  |
 *       +---- error ------+------ BYE -------+--> CLOSING --> closed
 *
 * A connection belongs to one loop and is touched on that loop's thread only.
 * What it may hold is bounded: 2 KiB before login, the rest of one record and
 * TX_SIZE_MAX of answers after it.
 */
#ifndef DEFTER_SERVER_NET_CONNECTION_H
#define DEFTER_SERVER_NET_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/channel.h"
#include "protocol/frame.h"
#include "server/net/listener.h"
#include "server/net/loop.h"
#include "server/net/memory.h"
#include "server/net/net.h"
#include "server/net/usage.h"

struct event;

enum connection_phase {
    PHASE_HANDSHAKE,
    PHASE_LOGIN,
    PHASE_OPEN,
    PHASE_CLOSING, /* Writes what is left, then reads off and closes. */
    PHASE_DEAD     /* Closed; freed at the end of the pass. */
};

enum { WATCHES_PER_CONNECTION_MAX = 4 };

/* A granted journal.watch that is being streamed. */
struct connection_watch {
    bool live;
    uint64_t request_id; /* Of the WATCH; EVENTs echo it. */
    struct watch watch;
    uint32_t credit_frames;
    uint32_t credit_bytes;
};

/* A request whose answer has not come yet. */
struct connection_request {
    uint64_t request_id; /* 0: free. */
    struct bytes16 signer;
};

/*
 * Invariants: fd >= 0; rx_size > 0 only while a partial record waits or a pass
 * was cut short, and at most RX_SIZE_MAX; tx_from <= tx_to <= tx_capacity;
 * requests_count counts the requests that are not free.
 */
struct connection {
    uint64_t id; /* Generation << 32 | slot; never used again. */
    struct net_loop *home;
    int fd;
    enum connection_phase phase;
    bool reading; /* The read event is added. */
    bool dirty;   /* In the loop's list of those to flush. */
    bool draining;
    bool leaving;   /* What is owed goes out, then it ends. */
    bool shut;      /* Our writing side is shut down. */
    bool cut_short; /* Whole records may wait in rx. */
    bool pump_more; /* Entries that a watch may see may wait in the log. */
    enum status leave_status; /* The last word then; ST_OK: none. */
    struct connection *dirty_next;
    struct connection *dead_next;
    struct event *read_event;
    struct event *write_event;
    struct source source;

    struct channel channel;
    struct frame_gate gate;

    uint8_t *rx;
    size_t rx_size;
    uint8_t *tx;
    size_t tx_from, tx_to, tx_capacity;
    size_t held_size;    /* Taken of the memory of its class. */
    size_t stalled_size; /* Read since the stall deadline was set. */
    size_t linger_size;

    /* Absolute deadlines on the monotonic clock; 0: none. */
    int64_t phase_deadline_us;
    int64_t record_deadline_us;
    int64_t stall_deadline_us;
    int64_t idle_deadline_us;
    int64_t lifetime_deadline_us;
    int64_t ping_due_us;

    /* Login. */
    uint32_t login_failures;
    uint32_t pw_starts;
    uint16_t pw_role;
    bool pw_known; /* The account exists. */
    struct directory_account pw_account;
    uint8_t pw_name_hash[16]; /* H(T("DFT1/pwname") || name), cut. */

    /* Session, once open. */
    struct directory_key session;
    uint64_t login_number; /* Logins of this node, in their order. */
    bool is_machine;
    bool key_counted;
    uint16_t inflight_max;
    uint16_t items_max;
    uint16_t requests_count;
    struct connection_request *requests; /* inflight_max of them. */
    /* Replies that wait until the peer has read earlier ones; still in flight.
     */
    struct reply *owed;
    struct reply **owed_last;
    size_t owed_size; /* Of the memory of answers. */
    struct connection_watch watches[WATCHES_PER_CONNECTION_MAX];
    struct bucket pings;
    struct bucket pads;
};

/* Take ${fd}; false if memory or the loop's table is short (fd is closed). */
bool connection_open(struct net_loop *home, int fd,
                     const struct source *source);

/* Close at once, without a word; its memory goes with connection_end_pass(). */
void connection_kill(struct connection *connection);

/* Where to write one whole frame of at most ${size} bytes, header included; it
 * leaves at the end of the pass. */
struct writer *connection_frame(struct connection *connection, size_t size);

/* The end of this pass looks at it again. */
void connection_wake(struct connection *connection);

/* Memory of its class, before it is allocated; false at the cap. */
bool connection_hold(struct connection *connection, size_t size);
void connection_let_go(struct connection *connection, size_t size);
/* What it holds becomes a session's, with ${size} bytes more; false at the cap.
 */
bool connection_promote(struct connection *connection, size_t size);

/* The same of the answers that wait; beside it, both count in the share of the
 * session's key, or of its carrier. */
bool connection_owe(struct connection *connection, size_t size);
void connection_owe_less(struct connection *connection, size_t size);
/* What the key, or the carrier, holds of the class. */
size_t connection_share_held(const struct connection *connection,
                             enum memory_class class);
/* While memory is tight: of the loop's connections whose peers do not read, the
 * one whose key holds most ends. */
void connection_close_heaviest(struct net_loop *home);

/* Bytes that the peer has not taken yet, gathered ones included. */
size_t connection_waiting(const struct connection *connection);

/* Of those, how many stop the reading. */
size_t connection_high(const struct connection *connection);

/* Handshake bytes, which stand in no record; false if there is no room. */
bool connection_write(struct connection *connection, struct slice bytes);

/* connection_read.c: the read event's callback. */
void connection_readable(int fd, short what, void *argument);

/* One frame of a catalogue body. */
void connection_send(struct connection *connection, uint8_t type,
                     uint64_t request_id, const void *body);

/*
 * An ERROR; ${fault} may be NULL.  Scope CONNECTION begins to close.
 */
struct connection_fault {
    uint16_t tag;
    uint16_t item;
    uint32_t retry_after_ms;
};
void connection_error(struct connection *connection, enum status status,
                      enum status_scope scope, uint64_t request_id,
                      const struct connection_fault *fault);

/* What came of a record that is not whole goes, with its memory. */
void connection_drop_input(struct connection *connection);
/* Write what is there, then read off and close. */
void connection_finish(struct connection *connection);
/* ERROR ${status} about the connection, BYE, then connection_finish(). */
void connection_part(struct connection *connection, enum status status,
                     enum bye_code code);
/* Hear no more, give what is owed within a second, then say ${status}, if it is
 * not ST_OK, and finish. */
void connection_leave(struct connection *connection, enum status status);
/* An answer went out: those who leave may go. */
void connection_answered(struct connection *connection);

/* End of a pass: seal what is gathered, write, free what died. */
void connection_end_pass(struct net_loop *home);

/* connection_time.c: deadlines, pings; may kill the connection. */
void connection_tick(struct connection *connection, int64_t now_us);
/* A record has begun to come, unless it is of a handshake. */
void connection_expect_record(struct connection *connection);
/* Reading stops: nothing of the peer can be late until it goes on. */
void connection_deafen(struct connection *connection);
void connection_listen(struct connection *connection);

/* login.c: frames before login. */
bool login_is_machine(uint16_t role);
void login_frame(struct connection *connection, const struct frame *frame,
                 const union frame_body *body);

/* request.c: frames after login, replies, journal events. */
/* PING, PONG, BYE and PAD, in any phase; false for other frames. */
bool request_plain(struct connection *connection, const struct frame *frame,
                   const union frame_body *body);
/* A frame came: the idle deadline begins anew. */
void request_heard(struct connection *connection);
void request_frame(struct connection *connection, const struct frame *frame,
                   const union frame_body *body);
void request_reply(struct connection *connection, struct reply *reply);
/* Send owed replies as far as the peer reads; true if any went. */
bool request_pump(struct connection *connection);
/* Wipes and frees the replies that will not be sent. */
void request_forget(struct connection *connection);
/* Count ${status}, if it is a strike, for the signer (NULL: the session) or the
 * source.  True if that was one too many: ST_LIMIT is answered in its place. */
bool request_strike(struct connection *connection, enum status status,
                    const uint8_t *signer, uint64_t request_id);

/* Whether the session's own rate allows one more. */
bool request_rate_free(struct connection *connection);
/* A request that is answered later; false if there are too many. */
bool request_take(struct connection *connection, uint64_t request_id);
void request_drop(struct connection *connection, uint64_t request_id);

/* proof.c: PROOF_GET, and what the apply thread found for one. */
void proof_get(struct connection *connection, const struct frame *frame,
               const struct message_proof_get *ask);
void proof_place(struct connection *connection, const struct reply *reply);

/* advice.c: what clients hear of a node that does not lead. */
/* ERROR 600 to the request, and ADVICE; false if this node leads. */
bool advice_refuse(struct connection *connection, uint64_t request_id);
/* Before the end: the primary, where that is another node. */
void advice_draining(struct connection *connection);
/* For pipeline_set_moved(); ${context} is the net.  Any thread. */
void advice_moved(void *context);

/* watching.c: WATCH, CREDIT and the EVENTs that they allow. */
void watching_open(struct connection *connection, const struct frame *frame,
                   const struct message_watch *body);
void watching_credit(struct connection *connection,
                     const struct message_credit *body);
void watching_pump(struct connection *connection);

#endif
