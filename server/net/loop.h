/*
 * loop.h: one I/O thread: an event base, the connections it owns, a mailbox.
 *
 * Nothing of libevent is touched by two threads: whoever has something for a
 * loop (an accepted socket, a reply) posts it in the loop's mailbox, and an
 * eventfd wakes the loop.  The loop delivers mail in the order of posting.
 */
#ifndef DEFTER_SERVER_NET_LOOP_H
#define DEFTER_SERVER_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/status.h"

struct event_base;
struct loop; /* Opaque. */

/* A piece of mail: the first member of whatever is posted. */
struct mail {
    struct mail *next;
    /* Runs on the loop's thread and takes the mail. */
    void (*deliver)(struct loop *loop, void *context, struct mail *mail);
};

/*
 * loop_open(loop_out, number, context, tick):
 * Make a loop; ${tick} runs on its thread every LOOP_TICK_MS.  ${context} is
 * given to every delivery and tick.
 *
 * Returns: ST_OK; ST_EXHAUSTED if libevent, memory or a descriptor is refused.
 * Order:   loop_start, any posts, loop_stop (joins), loop_close.
 */
enum { LOOP_TICK_MS = 100 };
NODISCARD enum status loop_open(struct loop **loop_out, uint32_t number,
                                void *context,
                                void (*tick)(struct loop *loop, void *context));
NODISCARD enum status loop_start(struct loop *loop);
/* Ends the loop's thread; mail not delivered yet is delivered before. */
void loop_stop(struct loop *loop);
void loop_close(struct loop *loop);

/* From any thread. */
void loop_post(struct loop *loop, struct mail *mail);

/* On the loop's thread only. */
struct event_base *loop_base(struct loop *loop);
uint32_t loop_number(const struct loop *loop);

/* Microseconds of CLOCK_MONOTONIC (deadlines) and of the wall clock. */
int64_t loop_now_us(void);
int64_t loop_wall_us(void);

#endif
