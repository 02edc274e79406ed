/*
 * pipeline_role.c: what the host tells, kept for the threads that act on it.
 *
 * The host is never blocked: it leaves its word here and wakes the threads.
 */
#include <string.h>

#include "replication/need.h"
#include "server/pipeline/pipeline_private.h"

void pipeline_role_init(struct pipeline *pipeline)
{
    struct pipeline_role *role = &pipeline->role;

    NEED(pthread_mutex_init(&role->lock, NULL) == 0);
    role->offset_us_min = INT64_MIN;
    role->offset_us_max = INT64_MAX;
    role->view.term = 1;
    role->view.leads = pipeline->parts.log == NULL;
    role->view.lead_size = pipeline->parts.end.size + 1;
    role->view.committed =
        role->view.leads ? UINT64_MAX : apply_size(pipeline->parts.apply);
    atomic_store(&pipeline->term, role->view.term);
    atomic_store(&pipeline->begun, role->view.leads ? role->view.term : 0);
    pipeline_tell_role(pipeline, &role->view);
}

void pipeline_role_wipe(struct pipeline *pipeline)
{
    struct pipeline_role *role = &pipeline->role;

    while (role->given_up != NULL) {
        struct group *group = role->given_up;

        role->given_up = group->next;
        group_close(group);
    }
    (void)pthread_mutex_destroy(&role->lock);
}

struct pipeline_view pipeline_look(struct pipeline *pipeline)
{
    struct pipeline_view view;

    (void)pthread_mutex_lock(&pipeline->role.lock);
    view = pipeline->role.view;
    (void)pthread_mutex_unlock(&pipeline->role.lock);
    return view;
}

bool pipeline_role_leads(struct pipeline *pipeline)
{
    return atomic_load(&pipeline->begun) == atomic_load(&pipeline->term);
}

/* ---- Groups that are lent ----------------------------------------------- */

struct group *pipeline_replace(struct pipeline *pipeline, struct group *group)
{
    struct pipeline_role *role = &pipeline->role;
    bool taken;

    (void)pthread_mutex_lock(&role->lock);
    taken = group->taken;
    if (!taken) {
        group->given_up = true;
        group->next = role->given_up;
        role->given_up = group;
    }
    (void)pthread_mutex_unlock(&role->lock);
    return taken ? group : group_open();
}

void pipeline_taken(struct pipeline *pipeline, struct group *group)
{
    struct pipeline_role *role = &pipeline->role;
    struct group **at = &role->given_up;
    bool gone;

    (void)pthread_mutex_lock(&role->lock);
    REQUIRE(!group->taken);
    group->taken = true;
    gone = group->given_up;
    if (gone) {
        while (*at != group)
            at = &(*at)->next;
        *at = group->next;
    }
    (void)pthread_mutex_unlock(&role->lock);
    if (gone)
        group_close(group);
}

/* ---- What the host tells ------------------------------------------------ */

void pipeline_committed(struct pipeline *pipeline, uint64_t size)
{
    struct pipeline_role *role = &pipeline->role;

    (void)pthread_mutex_lock(&role->lock);
    REQUIRE(pipeline->parts.log != NULL);
    /* A state may be ahead of what the mark says is committed. */
    if (size > role->view.committed)
        role->view.committed = size;
    (void)pthread_mutex_unlock(&role->lock);
    queue_wake(&pipeline->to_apply);
}

/* With the lock held: the next term. */
static void role_next(struct pipeline *pipeline, bool leads)
{
    struct pipeline_view *view = &pipeline->role.view;

    if (view->leads) {
        view->ended_term = view->term;
        view->ended_size = view->committed;
    }
    view->term++;
    view->leads = leads;
    pipeline_forget_configs(&pipeline->role);
    atomic_store(&pipeline->held, false);
    atomic_store(&pipeline->cut_off, false);
    atomic_store(&pipeline->term, view->term);
    pipeline_tell_role(pipeline, view);
}

void pipeline_lead(struct pipeline *pipeline, const struct pipeline_lead *lead)
{
    struct pipeline_role *role = &pipeline->role;
    struct pipeline_term *term = &role->lead;

    REQUIRE(pipeline->parts.log != NULL && lead->epoch > lead->end.epoch);
    REQUIRE(lead->configuration.size <= sizeof term->configuration &&
            lead->certificate.size <= sizeof term->certificate);
    (void)pthread_mutex_lock(&role->lock);
    term->start = (struct sequencer_start){lead->end, lead->epoch};
    term->configuration_size = lead->configuration.size;
    if (lead->configuration.size > 0)
        memcpy(term->configuration, lead->configuration.data,
               lead->configuration.size);
    term->certificate_size = lead->certificate.size;
    if (lead->certificate.size > 0)
        memcpy(term->certificate, lead->certificate.data,
               lead->certificate.size);
    role->view.lead_size = lead->end.size + 1;
    role_next(pipeline, true);
    (void)pthread_mutex_unlock(&role->lock);
    queue_wake(&pipeline->commands);
    queue_wake(&pipeline->to_apply);
}

void pipeline_follow(struct pipeline *pipeline)
{
    struct pipeline_role *role = &pipeline->role;

    REQUIRE(pipeline->parts.log != NULL);
    (void)pthread_mutex_lock(&role->lock);
    role_next(pipeline, false);
    (void)pthread_mutex_unlock(&role->lock);
    queue_wake(&pipeline->commands);
    queue_wake(&pipeline->to_apply);
}

void pipeline_peer_clock(struct pipeline *pipeline, int64_t offset_us_min,
                         int64_t offset_us_max)
{
    struct pipeline_role *role = &pipeline->role;

    (void)pthread_mutex_lock(&role->lock);
    role->offset_us_min = offset_us_min;
    role->offset_us_max = offset_us_max;
    (void)pthread_mutex_unlock(&role->lock);
}

void pipeline_drain_commands(struct pipeline *pipeline, bool on)
{
    atomic_store(&pipeline->held, on);
    queue_wake(&pipeline->to_apply);
}

void pipeline_cut_off(struct pipeline *pipeline, bool on)
{
    REQUIRE(pipeline->parts.log != NULL);
    atomic_store(&pipeline->cut_off, on);
    queue_wake(&pipeline->commands);
    queue_wake(&pipeline->to_apply);
}

bool pipeline_idle(struct pipeline *pipeline)
{
    /* In this order: what is applied is counted before its work ends. */
    if (atomic_load(&pipeline->in_flight) > 0)
        return false;
    return !pipeline_role_leads(pipeline) || atomic_load(&pipeline->stalled) ||
           atomic_load(&pipeline->unattested) == 0;
}
