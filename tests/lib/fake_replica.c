#include "tests/lib/fake_replica.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "protocol/config_cert.h"
#include "protocol/statement.h"

#define WEAK __attribute__((weak))

enum { FAKE_TICK_MS = 5 };

struct replica {
    uint8_t number;
    int64_t now_ms;
};

fake_script *fake_replica_script;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static struct fake_event events[FAKE_EVENTS_MAX];
static uint8_t numbers[FAKE_EVENTS_MAX];
static size_t events_count;
static bool healthy = true;
static uint8_t minimum;
static struct replica_member_status node_list[CONFIG_NODES_MAX];
static size_t nodes_count;
static const char *config_bytes = "";

/* ---- What the test does ------------------------------------------------- */

struct replica_action *fake_act(struct replica_actions *actions,
                                enum replica_action_type type)
{
    struct replica_action *action;

    if (actions->count == actions->capacity) {
        actions->capacity = actions->capacity * 2 + 8;
        actions->list =
            realloc(actions->list, actions->capacity * sizeof *actions->list);
        ck_assert_ptr_nonnull(actions->list);
    }
    action = &actions->list[actions->count++];
    memset(action, 0, sizeof *action);
    action->type = type;
    return action;
}

size_t fake_replica_count(uint8_t number, enum replica_event_type type)
{
    size_t count = 0;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < events_count; i++)
        count += numbers[i] == number && events[i].event.type == type ? 1 : 0;
    pthread_mutex_unlock(&lock);
    return count;
}

struct fake_event fake_replica_newest(uint8_t number,
                                      enum replica_event_type type)
{
    struct fake_event newest = {.body_size = SIZE_MAX};

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < events_count; i++) {
        if (numbers[i] == number && events[i].event.type == type)
            newest = events[i];
    }
    pthread_mutex_unlock(&lock);
    return newest;
}

void fake_replica_await(uint8_t number, enum replica_event_type type,
                        size_t least)
{
    /* A test that waits in vain is ended by its suite. */
    while (fake_replica_count(number, type) < least)
        (void)usleep(500);
}

void fake_replica_set_minimum(uint8_t least)
{
    pthread_mutex_lock(&lock);
    minimum = least;
    pthread_mutex_unlock(&lock);
}

void fake_replica_set_healthy(bool is_healthy)
{
    pthread_mutex_lock(&lock);
    healthy = is_healthy;
    pthread_mutex_unlock(&lock);
}

void fake_replica_set_nodes(const struct replica_member_status *nodes,
                            size_t count)
{
    pthread_mutex_lock(&lock);
    memcpy(node_list, nodes, count * sizeof *nodes);
    nodes_count = count;
    pthread_mutex_unlock(&lock);
}

void fake_replica_set_config(const char *config)
{
    config_bytes = config;
}

void fake_disk_stop(void)
{
    pthread_mutex_lock(&disk);
}

void fake_disk_go(void)
{
    pthread_mutex_unlock(&disk);
}

/* ---- What stands for the replica ---------------------------------------- */

static void keep_body(struct fake_event *kept, struct slice body)
{
    kept->body_size = body.size;
    if (body.size > 0)
        memcpy(kept->body, body.data,
               body.size < sizeof kept->body ? body.size : sizeof kept->body);
}

static void keep(const struct replica *replica,
                 const struct replica_event *event)
{
    struct fake_event *kept = &events[events_count];

    if (event->type == REPLICA_TICK || events_count == FAKE_EVENTS_MAX)
        return;
    numbers[events_count++] = replica->number;
    kept->event = *event;
    if (event->type == REPLICA_RECEIVED)
        keep_body(kept, event->received.body);
    else if (event->type == REPLICA_CERTIFIED)
        keep_body(kept, event->certificate);
    else if (event->type == REPLICA_VIEW)
        kept->view_revision = event->view->revision;
}

WEAK void replica_actions_init(struct replica_actions *actions)
{
    memset(actions, 0, sizeof *actions);
}

WEAK void replica_actions_reset(struct replica_actions *actions)
{
    actions->count = 0;
}

WEAK void replica_actions_wipe(struct replica_actions *actions)
{
    free(actions->list);
    memset(actions, 0, sizeof *actions);
}

uint32_t fake_replica_halted;

WEAK enum status replica_open(struct replica **replica_out,
                              const struct replica_options *options,
                              const struct replica_parts *parts)
{
    struct replica *replica = calloc(1, sizeof *replica);

    ck_assert_ptr_nonnull(replica);
    ck_assert_ptr_nonnull(parts->meta);
    replica->number = options->node_id[0];
    fake_replica_halted = parts->halted;
    *replica_out = replica;
    return ST_OK;
}

WEAK void replica_close(struct replica *replica)
{
    free(replica);
}

WEAK void replica_step(struct replica *replica, struct replica_actions *actions,
                       const struct replica_event *event)
{
    ck_assert_int_ge(event->now_ms, replica->now_ms);
    replica->now_ms = event->now_ms;
    if (fake_replica_script != NULL)
        fake_replica_script(replica->number, actions, event);
    pthread_mutex_lock(&lock);
    keep(replica, event);
    pthread_mutex_unlock(&lock);
}

WEAK int64_t replica_deadline(const struct replica *replica)
{
    return replica->now_ms + FAKE_TICK_MS;
}

WEAK void replica_status(const struct replica *replica,
                         struct replica_status *out, int64_t now_ms)
{
    memset(out, 0, sizeof *out);
    ck_assert_int_ge(now_ms, replica->now_ms);
    pthread_mutex_lock(&lock);
    out->healthy = healthy;
    out->minimum = minimum;
    out->size = events_count;
    out->nodes_count = nodes_count;
    memcpy(out->nodes, node_list, sizeof node_list);
    pthread_mutex_unlock(&lock);
}

WEAK bool replica_config(const struct replica *replica, struct config *out,
                         struct slice *bytes_out)
{
    MAYBE(replica == NULL);
    memset(out, 0, sizeof *out);
    *bytes_out = slice_of(config_bytes, strlen(config_bytes));
    return bytes_out->size > 0;
}

WEAK struct slice replica_certificate(const struct replica *replica)
{
    MAYBE(replica == NULL);
    return slice_of(NULL, 0);
}

WEAK enum status replica_state(struct replica *replica, struct statement *out,
                               enum config_why why, const uint8_t *node_id,
                               int64_t now_ms)
{
    MAYBE(replica == NULL);
    memset(out, 0, sizeof *out);
    out->why = why;
    out->time_us = now_ms;
    memcpy(out->other, node_id, NODE_ID_SIZE);
    return why == CONFIG_ADD ? ST_OK : ST_WRONG_STATE;
}

WEAK const char *replica_forced_text(enum replica_forced forced)
{
    return forced == FORCED_GOOD ? "taken" : "no forced certificate";
}

WEAK const char *replica_role_name(enum replica_role role)
{
    return role == REPLICA_PRIMARY ? "primary" : "another";
}

WEAK void storage_run(struct storage *storage, struct storage_job **jobs,
                      size_t count)
{
    MAYBE(storage->journal == NULL);
    pthread_mutex_lock(&disk);
    for (size_t i = 0; i < count; i++)
        jobs[i]->status = ST_OK;
    pthread_mutex_unlock(&disk);
}

/* ---- What stands for certificates: "C", and then the verdict's digit ---- */

WEAK enum status config_cert_decode(struct config_cert *out, struct slice bytes)
{
    memset(out, 0, sizeof *out);
    out->config = bytes;
    return bytes.size >= 2 && bytes.data[0] == 'C' ? ST_OK : ST_FILE_FORMAT;
}

WEAK enum config_cert_fault config_cert_verify(
    const struct config_cert *cert, const struct config_cert_keys *keys,
    int64_t now_s)
{
    enum config_cert_fault fault =
        (enum config_cert_fault)(cert->config.data[1] - '0');

    MAYBE(keys->witness_needed);
    if (fault == CONFIG_CERT_EXPIRED && now_s == CONFIG_CERT_ANY_TIME)
        return CONFIG_CERT_GOOD;
    return fault;
}

WEAK bool config_has_archive(const struct config *config)
{
    return config->learners_count > 0;
}

WEAK const char *config_cert_fault_text(enum config_cert_fault fault)
{
    return fault == CONFIG_CERT_EXPIRED ? "too late" : "a fault";
}

WEAK const char *config_fault_text(enum config_fault fault)
{
    return fault == CONFIG_V1_NUMBER ? "not the next" : "a rule";
}
