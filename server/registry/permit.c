#include <string.h>

#include "protocol/contract.h"
#include "server/registry/continuity.h"
#include "server/registry/dispatch.h"
#include "server/registry/epoch.h"
#include "server/registry/rows.h"

/* Keys whose commands need an open session: people's own, and whatever comes
 * over a portal component or gateway. */
static bool permit_needs_session(const struct act *act)
{
    return act->signer.role == ROLE_USER || act->carrier != 0 ||
           act->signer.level <= 1;
}

static bool permit_has_session(struct act *act)
{
    struct row_session session = {.key_id = act->signer.key_id};

    return state_get(act->state, TABLE_SESSION, &session) &&
           act->log_time < session.until;
}

/* Who acts under no assignment, by the kind of his key. */
static enum duty permit_duty_of_key(const struct row_key *key)
{
    if (key->is_node)
        return DUTY_SYS;
    return role_duty(key->role);
}

/* Bodies with a system of their own, and institutions that joined EHIS. */
static bool permit_feeds(const struct row_organisation *organisation)
{
    return organisation->kind == ORGANISATION_BODY_WITH_SYSTEM ||
           (organisation->kind == ORGANISATION_INSTITUTION &&
            organisation->ehis_code.size > 0);
}

/*
 * The assignment belongs to the person, but works only with a key enrolled for
 * that organisation: who can enrol a key for a person as a user must not gain
 * that person's duties.
 */
static bool permit_holds(struct act *act, struct act_capacity *capacity,
                         uint32_t number)
{
    struct row_duty row = {.assignment = number};
    struct row_organisation organisation = {0};

    if (!state_get(act->state, TABLE_DUTY, &row) ||
        row.person != act->signer.person || row.state != DUTY_ACTIVE ||
        row.organisation != act->signer.organisation || act->today < row.from ||
        (row.to != 0 && act->today > row.to))
        return false;
    organisation.number = row.organisation;
    if (!state_get(act->state, TABLE_ORGANISATION, &organisation) ||
        organisation.state != ORGANISATION_ACTIVE)
        return false;
    capacity->duty = row.duty;
    capacity->organisation = row.organisation;
    capacity->organisation_kind = organisation.kind;
    capacity->scope = row.scope;
    capacity->feeds = permit_feeds(&organisation);
    return true;
}

/* Without an assignment a machine stands for its organisation, and a person for
 * nobody but himself. */
static bool permit_stands(struct act *act, struct act_capacity *capacity)
{
    struct row_organisation organisation = {.number = act->signer.organisation};

    capacity->duty = (uint8_t)permit_duty_of_key(&act->signer);
    if (capacity->duty == DUTY_USR || capacity->duty == DUTY_SYS)
        return true;
    if (!state_get(act->state, TABLE_ORGANISATION, &organisation) ||
        organisation.state != ORGANISATION_ACTIVE)
        return false;
    capacity->organisation = organisation.number;
    capacity->organisation_kind = organisation.kind;
    return true;
}

/* What the carrier is; 0 once its key or its organisation has ended: whoever
 * comes through it then has come by himself. */
static uint8_t permit_carrier_kind(struct act *act)
{
    struct row_carrier carrier = {.number = act->carrier};
    struct row_organisation organisation = {0};
    struct row_key key;

    if (act->carrier == 0 || !state_get(act->state, TABLE_CARRIER, &carrier))
        return 0;
    key.key_id = carrier.key_id;
    if (!state_get(act->state, TABLE_KEY, &key) || key.state != KEY_ACTIVE)
        return 0;
    organisation.number = key.organisation;
    return state_get(act->state, TABLE_ORGANISATION, &organisation) &&
                   organisation.state == ORGANISATION_ACTIVE
               ? carrier.kind
               : 0;
}

static void permit_resolve(struct act *act, uint32_t number)
{
    struct act_capacity *capacity = &act->capacity;

    memset(capacity, 0, sizeof *capacity);
    capacity->index = act->index;
    capacity->number = number;
    if (!state_get(act->state, TABLE_KEY, &act->signer)) {
        struct bytes16 key_id = act->signer.key_id;

        memset(&act->signer, 0, sizeof act->signer);
        act->signer.key_id = key_id;
    }
    capacity->carrier_kind = permit_carrier_kind(act);
    capacity->session = !permit_needs_session(act) || permit_has_session(act);
    capacity->held = number != 0 ? permit_holds(act, capacity, number)
                                 : permit_stands(act, capacity);
    capacity->realm_open = continuity_realm_open(act->state, act->realm);
    capacity->known = true;
}

/* A node speaks for the system while it is primary, and to become it; else it
 * is one that copies. */
static enum duty permit_duty_of_node(struct act *act)
{
    return act->operation->opcode == OPCODE_SYSTEM_EPOCH ||
                   epoch_is_primary(act->state, &act->signer.key_id)
               ? DUTY_SYS
               : DUTY_REP;
}

/* Copies the capacity to where handlers look for it. */
static void permit_take_on(struct act *act)
{
    const struct act_capacity *capacity = &act->capacity;

    act->duty = (enum duty)capacity->duty;
    if (act->duty == DUTY_SYS)
        act->duty = permit_duty_of_node(act);
    act->assignment = capacity->held ? capacity->number : 0;
    act->organisation = capacity->organisation;
    act->organisation_kind = capacity->organisation_kind;
    act->scope = capacity->scope;
    act->carrier_kind = capacity->carrier_kind;
}

static bool permit_is_genesis(const struct act *act)
{
    return act->index == 0 && act->operation->opcode == OPCODE_SYSTEM_GENESIS;
}

enum status permit_check(struct act *act, uint32_t duty_number)
{
    const struct operation_info *operation = act->operation;
    const struct act_capacity *capacity = &act->capacity;

    if (permit_is_genesis(act)) {
        act->capacity.realm_open = true;
        act->duty = DUTY_SYS;
        act->letter = 'y';
        return ST_OK;
    }
    if (!capacity->known || capacity->index != act->index ||
        capacity->number != duty_number)
        permit_resolve(act, duty_number);
    permit_take_on(act);
    act->letter = '.';

    if (act->signer.state != KEY_ACTIVE)
        return ST_KEY_INACTIVE;
    if (!capacity->session && operation->opcode != OPCODE_AUTH_OPEN)
        return ST_NO_SESSION;
    if (act->signer.level < operation->level)
        return ST_LEVEL;
    if (!capacity->held)
        return ST_NO_DUTY;
    if (operation->carrier == CARRIER_EHIS &&
        (act->carrier_kind != CARRIER_KIND_EHIS || !capacity->feeds))
        return ST_NO_DUTY;
    INVARIANT(act->duty >= 1 && act->duty < DUTIES_COUNT);
    act->letter = operation->who[act->duty - 1];
    return act->letter == '.' ? ST_NO_DUTY : ST_OK;
}
