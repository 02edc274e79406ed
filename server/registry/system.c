#include "server/registry/system.h"

#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "protocol/identity.h"
#include "server/registry/access.h"
#include "server/registry/continuity.h"
#include "server/registry/denial.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

/* A row of settings that is no setting (they are numbered from 1): the record
 * that holds the cluster secret. */
enum { SYSTEM_SETTING_SECRET = 0 };

static bool system_genesis_keys_fit(const struct op_system_genesis *in)
{
    return identity_public_key_acceptable(in->authority_key.b) &&
           identity_public_key_acceptable(in->node_receipt_key.b) &&
           identity_public_key_acceptable(in->log_key.b) &&
           identity_public_key_acceptable(in->operator_key.b) &&
           memcmp(&in->operator_key, &in->node_receipt_key,
                  sizeof in->operator_key) != 0 &&
           rows_is_given(&in->node_channel_key) &&
           (!rows_is_given(&in->cosigner_key) ||
            identity_public_key_acceptable(in->cosigner_key.b));
}

/* Where nobody's data are, a destruction waits for nothing. */
static int64_t system_genesis_value(uint8_t environment, uint16_t setting,
                                    int64_t initial)
{
    enum { PRODUCTION = 1 };

    if (environment != PRODUCTION && (setting == SETTING_destroy_delay_hours ||
                                      setting == SETTING_destroy_duty_days))
        return 0;
    return initial;
}

static void system_genesis_settings(struct act *act, uint8_t environment)
{
#define SETTING(number, name, initial, lo, hi, text) \
    state_insert(                                    \
        act->state, TABLE_SETTING,                   \
        &(struct row_setting){                       \
            .setting = (number),                     \
            .value = system_genesis_value(environment, (number), (initial))});
    SETTING_LIST(SETTING)
#undef SETTING
}

static void system_genesis_node(struct act *act,
                                const struct op_system_genesis *in)
{
    struct row_key key = {.public_key = in->node_receipt_key,
                          .level = 3,
                          .state = KEY_ACTIVE,
                          .is_node = 1,
                          .enrolled = act->index};
    struct row_node node = {.node_id = in->node_id,
                            .channel_key = in->node_channel_key,
                            .receipt_key = in->node_receipt_key,
                            .role = NODE_SERVER,
                            .state = NODE_ACTIVE,
                            .enrolled = act->index};

    identity_key_id(key.key_id.b, in->node_receipt_key.b);
    node.key_id = key.key_id;
    state_insert(act->state, TABLE_KEY, &key);
    state_insert(act->state, TABLE_NODE, &node);
    if (rows_is_given(&in->cosigner_key))
        state_insert(act->state, TABLE_COSIGNER,
                     &(struct row_cosigner){.node_id = in->node_id,
                                            .public_key = in->cosigner_key});
}

static void system_genesis_realms(struct act *act, uint16_t realms)
{
    for (unsigned realm = 1; realm <= CONTINUITY_REGISTRY; realm++) {
        if ((realms & CONTINUITY_BIT(realm)) != 0)
            state_insert(act->state, TABLE_REALM,
                         &(struct row_realm){.realm = (uint8_t)realm});
    }
}

/* The owner, and the one person who can assign everything else. */
static void system_genesis_owner(struct act *act,
                                 const struct op_system_genesis *in)
{
    struct row_organisation owner = {.kind = ORGANISATION_OWNER,
                                     .state = ORGANISATION_ACTIVE,
                                     .name = in->owner};
    struct row_person person = {0};
    struct row_key key = {.public_key = in->operator_key,
                          .role = ROLE_STAFF,
                          .level = 3,
                          .state = KEY_ACTIVE,
                          .enrolled = act->index};
    struct row_duty duty = {.duty = DUTY_ADM,
                            .state = DUTY_ACTIVE,
                            .from = act->today,
                            .assigned_at = act->log_time,
                            .acknowledged_at = act->log_time};

    owner.number = (uint32_t)state_next(act->state, SEQUENCE_ORGANISATION);
    person.number = state_next(act->state, SEQUENCE_PERSON);
    duty.assignment = (uint32_t)state_next(act->state, SEQUENCE_ASSIGNMENT);
    identity_key_id(key.key_id.b, in->operator_key.b);
    key.person = person.number;
    key.organisation = owner.number;
    duty.person = person.number;
    duty.organisation = owner.number;
    state_insert(act->state, TABLE_ORGANISATION, &owner);
    state_insert(act->state, TABLE_PERSON, &person);
    state_insert(act->state, TABLE_KEY, &key);
    state_insert(act->state, TABLE_DUTY, &duty);
}

enum status system_genesis(struct act *act, const struct op_system_genesis *in,
                           struct result_system_genesis *out)
{
    (void)out;
    if (!system_genesis_keys_fit(in))
        return ST_BAD_FIELD;
    system_genesis_settings(act, in->environment);
    system_genesis_realms(act, in->realms);
    system_genesis_node(act, in);
    system_genesis_owner(act, in);
    return ST_OK;
}

enum status system_secret(struct act *act, const struct op_system_secret *in,
                          struct result_system_secret *out)
{
    struct row_setting row = {.setting = SYSTEM_SETTING_SECRET};

    (void)out;
    if (!rows_is_given(&in->secret))
        return ST_BAD_FIELD;
    if (state_get(act->state, TABLE_SETTING, &row))
        return ST_EXISTS;
    row.value = (int64_t)act_keep(act);
    state_insert(act->state, TABLE_SETTING, &row);
    memcpy(act->services->secret, in->secret.b, HASH_SIZE);
    return ST_OK;
}

enum status system_load_secret(struct act_services *services,
                               struct state *state)
{
    struct row_setting row = {.setting = SYSTEM_SETTING_SECRET};
    struct row_record record;
    struct slice fields;
    enum status status;

    sodium_memzero(services->secret, HASH_SIZE);
    if (!state_get(state, TABLE_SETTING, &row))
        return ST_OK;
    record.number = (uint64_t)row.value;
    INVARIANT(state_get(state, TABLE_RECORD, &record));
    status = services->open_item(services->context, record.item, &fields);
    if (status != ST_OK)
        return status;
    INVARIANT(fields.size == HASH_SIZE);
    memcpy(services->secret, fields.data, HASH_SIZE);
    return ST_OK;
}

enum status system_attest(struct act *act, const struct op_system_attest *in,
                          struct result_system_attest *out)
{
    (void)out;
    /* The pipeline compares root and digest: a node that differs stops. */
    return in->first <= in->last && in->last < act->index ? ST_OK
                                                          : ST_BAD_FIELD;
}

enum status system_ping(struct act *act, const struct op_system_ping *in,
                        struct result_system_ping *out)
{
    (void)in;
    out->index = act->index;
    return ST_OK;
}

enum status journal_refused(struct act *act,
                            const struct op_journal_refused *in,
                            struct result_journal_refused *out)
{
    struct list_reader reader;
    struct refused_line line;

    (void)out;
    list_reader_init(&reader, &in->lines);
    for (uint16_t i = 0; list_reader_next(&reader, &schema_refused_line, &line);
         i++) {
        access_note_refused(act, &line, i);
        denial_refused(act, &line);
    }
    return ST_OK;
}

enum status journal_noise(struct act *act, const struct op_journal_noise *in,
                          struct result_journal_noise *out)
{
    (void)act;
    (void)out;
    return in->from <= in->to ? ST_OK : ST_BAD_FIELD;
}
