/*
 * reply.h: answers made of outcomes and refusals.
 */
#ifndef DEFTER_SERVER_PIPELINE_REPLY_H
#define DEFTER_SERVER_PIPELINE_REPLY_H

#include "server/pipeline/apply.h"
#include "server/pipeline/node_command.h"

/* Loops that replies are sorted by. */
enum { REPLY_LOOPS_MAX = 64 };

/* Replies waiting to be given out, a list for each loop. */
struct reply_lists {
    struct reply *first[REPLY_LOOPS_MAX];
    struct reply *last[REPLY_LOOPS_MAX];
};

/*
 * reply_answer(lists, work, outcome, signer):
 * The ANSWER to ${work}, with a receipt signed by the node where one is wanted
 * or the work was refused.  Nothing for the node's own.
 */
void reply_answer(struct reply_lists *lists, const struct work *work,
                  const struct apply_outcome *outcome,
                  const struct node_signer *signer);

/* The ERROR of work->fault. */
void reply_error(struct reply_lists *lists, const struct work *work);

/* Where a command stands; what shows its outcome; or an ERROR instead. */
void reply_place(struct reply_lists *lists, const struct pipeline_place *place,
                 uint64_t index);
void reply_outcome(struct reply_lists *lists,
                   const struct pipeline_place *place,
                   const struct apply_shown *shown);
void reply_no_place(struct reply_lists *lists,
                    const struct pipeline_place *place, enum status status);

/* Give all out through events->answer. */
void reply_deliver(struct reply_lists *lists,
                   const struct pipeline_events *events);

#endif
