#include "server/cluster/register_by_etcd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept {
    const struct register_by_etcd *options;
    struct cluster_register_events events;
    struct register_etcd *etcd;
    uint64_t wanted; /* Incarnation that is not registered yet; 0: none. */
    bool looking;    /* What is registered is wanted. */
};

/* Before etcd is ready nothing can be registered: then as soon as it is. */
static void kept_claim(struct kept *kept)
{
    if (kept->looking)
        MAYBE(register_etcd_look(kept->etcd) == ST_OK);
    else if (kept->wanted != 0)
        MAYBE(register_etcd_incarnation(kept->etcd, kept->wanted) == ST_OK);
}

static void kept_say(struct kept *kept, enum cluster_level level,
                     const char *what, const char *why)
{
    char line[CLUSTER_LINE_SIZE_MAX];

    (void)snprintf(line, sizeof line, "%s%s", what, why);
    kept->events.say(kept->events.context, level, line);
}

/* ---- What etcd tells ---------------------------------------------------- */

static void on_ready(void *context)
{
    kept_say(context, CLUSTER_NOTE, "etcd keeps the register", "");
    kept_claim(context);
}

static void on_barred(void *context, const char *why)
{
    kept_say(
        context, CLUSTER_FAILURE,
        "etcd must not be used, who is primary is not changed any more: ", why);
}

static void on_answered(void *context, const struct register_answer *answer)
{
    struct kept *kept = context;

    kept->events.answered(kept->events.context, answer->token, answer->outcome,
                          &answer->view);
}

static void on_registered(void *context,
                          const struct register_incarnation *incarnation)
{
    struct kept *kept = context;

    if (incarnation->outcome == REGISTER_INCARNATION_UNKNOWN) {
        kept_claim(kept);
        return;
    }
    if (incarnation->outcome == REGISTER_INCARNATION_LOOKED) {
        kept->looking = false;
        kept->events.looked(kept->events.context, incarnation->registered);
        return;
    }
    kept->wanted = 0;
    kept->events.registered(kept->events.context,
                            incarnation->outcome == REGISTER_INCARNATION_HIGHER,
                            incarnation->registered);
}

static bool is_alive(const struct register_alive *alive, const uint8_t *node_id)
{
    for (size_t i = 0; i < alive->count; i++) {
        if (memcmp(alive->nodes[i], node_id, NODE_ID_SIZE) == 0)
            return true;
    }
    return false;
}

static void on_seen(void *context, const struct register_view *view,
                    const struct register_alive *alive)
{
    struct kept *kept = context;

    /* Who lives first: the view may be what somebody waits for. */
    for (size_t i = 0; i < kept->options->nodes_count; i++)
        kept->events.alive(kept->events.context, kept->options->nodes[i],
                           is_alive(alive, kept->options->nodes[i]));
    kept->events.view(kept->events.context, view);
}

static void on_went_back(void *context, uint64_t revision,
                         const struct register_view *view)
{
    char numbers[64];

    (void)snprintf(numbers, sizeof numbers, "%" PRIu64 " instead of %" PRIu64,
                   view->revision, revision);
    kept_say(context, CLUSTER_FAILURE,
             "etcd was put back, who is primary is not changed until an "
             "operator sets it up anew: revision ",
             numbers);
}

static void on_reached(void *context, bool answers, const char *why)
{
    if (answers)
        kept_say(context, CLUSTER_NOTE, "etcd answers", "");
    else
        kept_say(context, CLUSTER_WARNING, "etcd does not answer: ", why);
}

/* ---- What the host asks ------------------------------------------------- */

static enum status kept_open(void *context, void **self_out,
                             struct event_base *base,
                             const struct cluster_register_events *events)
{
    struct kept *kept = calloc(1, sizeof *kept);
    struct register_etcd_events told = {
        .context = kept,
        .ready = on_ready,
        .barred = on_barred,
        .answered = on_answered,
        .registered = on_registered,
        .seen = on_seen,
        .went_back = on_went_back,
        .reached = on_reached,
    };
    enum status status;

    if (kept == NULL)
        return ST_EXHAUSTED;
    kept->options = context;
    kept->events = *events;
    status = register_etcd_open(&kept->etcd, base, &kept->options->etcd, &told);
    if (status != ST_OK) {
        free(kept);
        return status;
    }
    *self_out = kept;
    return ST_OK;
}

static void kept_close(void *self)
{
    struct kept *kept = self;

    register_etcd_close(kept->etcd);
    free(kept);
}

static void kept_read(void *self)
{
    struct kept *kept = self;

    register_etcd_read(kept->etcd);
}

static void kept_cas(void *self, const struct register_proposal *proposal)
{
    const struct register_view nothing = {.revision = 0};
    struct kept *kept = self;

    /* Not sent, and never will be; the replica gives it again. */
    if (register_etcd_cas(kept->etcd, proposal) != ST_OK)
        kept->events.answered(kept->events.context, proposal->token,
                              REGISTER_UNKNOWN, &nothing);
}

static void kept_look(void *self)
{
    struct kept *kept = self;

    kept->looking = true;
    kept_claim(kept);
}

static void kept_incarnation(void *self, uint64_t incarnation)
{
    struct kept *kept = self;

    kept->looking = false;
    kept->wanted = incarnation;
    kept_claim(kept);
}

static void kept_healthy(void *self, bool healthy)
{
    struct kept *kept = self;

    register_etcd_healthy(kept->etcd, healthy);
}

static void kept_leave(void *self)
{
    struct kept *kept = self;

    register_etcd_leave(kept->etcd);
}

static bool kept_left(void *self)
{
    struct kept *kept = self;

    return register_etcd_left(kept->etcd);
}

struct cluster_register register_by_etcd(struct register_by_etcd *options)
{
    return (struct cluster_register){
        .context = options,
        .open = kept_open,
        .close = kept_close,
        .read = kept_read,
        .cas = kept_cas,
        .look = kept_look,
        .incarnation = kept_incarnation,
        .healthy = kept_healthy,
        .leave = kept_leave,
        .left = kept_left,
    };
}
