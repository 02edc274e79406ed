/*
 * register.h: the register as the host sees it, whatever stands behind it.
 *
 * With etcd there is one that nodes write.  In manual mode there is none, and
 * certificates decide: register_none() answers what must be answered.
 */
#ifndef DEFTER_SERVER_CLUSTER_REGISTER_H
#define DEFTER_SERVER_CLUSTER_REGISTER_H

#include "protocol/bytes.h"
#include "replication/register.h"
#include "server/cluster/cluster_say.h"

struct event_base;

/* What the register tells, on the base's thread; what it gives is lent.  May
 * come from within a call. */
struct cluster_register_events {
    void *context;
    void (*view)(void *context, const struct register_view *view);
    void (*answered)(void *context, uint64_t token,
                     enum register_outcome outcome,
                     const struct register_view *view);
    /* ${higher}: the register knows a later start, ${number}. */
    void (*registered)(void *context, bool higher, uint64_t number);
    /* Incarnation ${number} of this node is registered; 0: none. */
    void (*looked)(void *context, uint64_t number);
    void (*alive)(void *context, const uint8_t *node_id, bool alive);
    cluster_say *say;
};

/*
 * Calls on the base's thread.  ${open} comes before the base runs and gives
 * back what the others get as ${self}; all others but ${close} only while it
 * runs.  Each ${cas}, ${look} and ${incarnation} is answered once, in bounded
 * time, and what a ${cas} proposes is copied.
 */
struct cluster_register {
    void *context;
    enum status (*open)(void *context, void **self_out, struct event_base *base,
                        const struct cluster_register_events *events);
    void (*close)(void *self); /* Ends without calling back. */
    void (*read)(void *self);
    void (*cas)(void *self, const struct register_proposal *proposal);
    void (*look)(void *self);
    void (*incarnation)(void *self, uint64_t incarnation);
    /* Whether this node deserves to be thought alive; false at first. */
    void (*healthy)(void *self, bool healthy);
    /* This node ends: its sign of life goes at once.  After it only ${left} and
     * ${close} are called; the base runs on until ${left} is true, or the
     * caller has waited long enough. */
    void (*leave)(void *self);
    bool (*left)(void *self);
};

/* No register: an incarnation counts as registered, and a proposal is refused
 * without anything being settled. */
struct cluster_register register_none(void);

#endif
