/*
 * pipeline_config.c: configurations that were won without a new epoch, from
 * the host's word to their entry.
 *
 * The host tells what it has, again and again; what the log holds already, or
 * brings under way, is passed over.
 */
#include <string.h>

#include "server/pipeline/pipeline_private.h"
#include "server/registry/epoch.h"

void pipeline_forget_configs(struct pipeline_role *role)
{
    role->configs_count = 0;
    role->configs_done = 0;
}

static void config_copy(struct pipeline_config *out, uint64_t number,
                        struct slice config, struct slice certificate)
{
    out->number = number;
    out->size = config.size;
    memcpy(out->bytes, config.data, config.size);
    out->certificate_size = certificate.size;
    if (certificate.size > 0)
        memcpy(out->certificate, certificate.data, certificate.size);
}

/* The oldest goes where there is no room: a later one tells more. */
static void config_add(struct pipeline_role *role, uint64_t number,
                       struct slice config, struct slice certificate)
{
    uint32_t count = role->configs_count;

    if (number <= role->configs_done ||
        (count > 0 && number <= role->configs[count - 1].number))
        return;
    if (count == PIPELINE_CONFIGS_MAX) {
        count--;
        memmove(role->configs, role->configs + 1,
                count * sizeof role->configs[0]);
    }
    config_copy(&role->configs[count], number, config, certificate);
    role->configs_count = count + 1;
}

void pipeline_note_config(struct pipeline *pipeline, struct slice config,
                          struct slice certificate)
{
    struct pipeline_role *role = &pipeline->role;
    struct config decoded;
    enum status status = config_decode(&decoded, config);

    REQUIRE(pipeline->parts.log != NULL && status == ST_OK);
    REQUIRE(certificate.size <= CONFIG_CERT_ENCODED_SIZE_MAX);
    (void)pthread_mutex_lock(&role->lock);
    if (role->view.leads)
        config_add(role, decoded.number, config, certificate);
    (void)pthread_mutex_unlock(&role->lock);
    queue_wake(&pipeline->to_apply);
}

/* ---- The apply thread --------------------------------------------------- */

/* Configurations up to ${number} need no entry any more. */
static void config_drop(struct pipeline_role *role, uint64_t number)
{
    uint32_t old = 0;

    while (old < role->configs_count && role->configs[old].number <= number)
        old++;
    role->configs_count -= old;
    memmove(role->configs, role->configs + old,
            role->configs_count * sizeof role->configs[0]);
    if (number > role->configs_done)
        role->configs_done = number;
}

static bool config_waits(struct pipeline *pipeline)
{
    struct pipeline_role *role = &pipeline->role;
    bool waits;

    (void)pthread_mutex_lock(&role->lock);
    waits = role->configs_count > 0;
    (void)pthread_mutex_unlock(&role->lock);
    return waits;
}

/* The next to be entered above ${held}, and the epoch of its term. */
static bool config_next(struct applier *applier, struct pipeline_config *out,
                        uint32_t *epoch_out, uint64_t held)
{
    struct pipeline_role *role = &applier->pipeline->role;
    bool found;

    (void)pthread_mutex_lock(&role->lock);
    found = role->view.term == applier->view.term;
    if (found) {
        config_drop(role, held);
        found = role->configs_count > 0;
    }
    if (found)
        *out = role->configs[0];
    *epoch_out = role->lead.start.epoch;
    (void)pthread_mutex_unlock(&role->lock);
    return found;
}

void applier_enter_config(struct applier *applier)
{
    struct pipeline *pipeline = applier->pipeline;
    struct row_configuration row = {.number = 0};
    struct op_system_config fields;
    struct pipeline_config config;
    uint32_t epoch;

    if (applier->config_made != 0 || !config_waits(pipeline))
        return;
    (void)epoch_configuration(pipeline->parts.state, &row);
    if (!config_next(applier, &config, &epoch, row.number))
        return;
    fields = (struct op_system_config){
        .number = config.number,
        .epoch = epoch,
        .configuration = slice_of(config.bytes, config.size),
        .has_certificate = config.certificate_size > 0,
        .certificate = slice_of(config.certificate, config.certificate_size),
    };
    struct node_command *command = node_command_begin(&pipeline->signer);
    node_command_add(command, OPCODE_SYSTEM_CONFIG, &fields);
    if (pipeline_push_own(
            pipeline,
            node_command_finish(command, clock_wall(&pipeline->parts.clock)),
            applier->view.term))
        applier->config_made = config.number;
}

/* Whatever was decided: once more would be decided alike. */
void applier_config_applied(struct applier *applier)
{
    struct pipeline_role *role = &applier->pipeline->role;

    (void)pthread_mutex_lock(&role->lock);
    if (role->view.term == applier->view.term)
        config_drop(role, applier->config_made);
    (void)pthread_mutex_unlock(&role->lock);
    applier->config_made = 0;
}
