#include "server/cluster/register.h"

#include <stdlib.h>

struct none {
    struct cluster_register_events events;
};

static enum status none_open(void *context, void **self_out,
                             struct event_base *base,
                             const struct cluster_register_events *events)
{
    struct none *none = calloc(1, sizeof *none);

    MAYBE(context == NULL);
    REQUIRE(base != NULL);
    if (none == NULL)
        return ST_EXHAUSTED;
    none->events = *events;
    *self_out = none;
    return ST_OK;
}

static void none_close(void *self)
{
    free(self);
}

static void none_read(void *self)
{
    const struct register_view nothing = {.revision = 0};
    struct none *none = self;

    none->events.view(none->events.context, &nothing);
}

static void none_cas(void *self, const struct register_proposal *proposal)
{
    const struct register_view nothing = {.revision = 0};
    struct none *none = self;

    none->events.answered(none->events.context, proposal->token,
                          REGISTER_REJECTED, &nothing);
}

static void none_look(void *self)
{
    struct none *none = self;

    none->events.looked(none->events.context, 0);
}

static void none_incarnation(void *self, uint64_t incarnation)
{
    struct none *none = self;

    REQUIRE(incarnation > 0);
    none->events.registered(none->events.context, false, incarnation);
}

static void none_healthy(void *self, bool healthy)
{
    REQUIRE(self != NULL);
    MAYBE(healthy);
}

static void none_leave(void *self)
{
    REQUIRE(self != NULL);
}

static bool none_left(void *self)
{
    REQUIRE(self != NULL);
    return true;
}

struct cluster_register register_none(void)
{
    return (struct cluster_register){
        .open = none_open,
        .close = none_close,
        .read = none_read,
        .cas = none_cas,
        .look = none_look,
        .incarnation = none_incarnation,
        .healthy = none_healthy,
        .leave = none_leave,
        .left = none_left,
    };
}
