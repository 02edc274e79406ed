#include "server/registry/actor.h"

#include <string.h>

#include "protocol/enrol.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

enum { ACTOR_LEVEL_EVIDENCED = 3 };

enum status actor_check_key(struct act *act, struct row_key *key,
                            const struct bytes64 *proof, uint64_t person)
{
    struct enrol_claim claim = {key->role, key->level, key->organisation,
                                person};
    struct row_key present;
    enum status status = enrol_check(
        &claim, proof->b, act->services->cluster_id, key->public_key.b);

    if (status != ST_OK)
        return status;
    identity_key_id(key->key_id.b, key->public_key.b);
    present.key_id = key->key_id;
    return state_get(act->state, TABLE_KEY, &present) ? ST_EXISTS : ST_OK;
}

/* T-R-2.1: nobody becomes a participant, or staff, by his key alone; the act
 * that enrolled the organisation said what it is. */
static bool actor_role_fits(enum role role, uint8_t organisation_kind)
{
    switch (role) {
    case ROLE_USER:
        return false;
    case ROLE_PARTICIPANT:
        return rows_is_participant(organisation_kind);
    case ROLE_STAFF:
    case ROLE_PORTAL:
        return organisation_kind == ORGANISATION_OWNER;
    case ROLE_PAYMENT:
        return organisation_kind == ORGANISATION_PAYMENT;
    case ROLE_COORDINATOR:
        return organisation_kind == ORGANISATION_COORDINATOR;
    case ROLE_CLOUD:
        return organisation_kind == ORGANISATION_CLOUD;
    case ROLE_PROVIDER:
        return organisation_kind == ORGANISATION_PROVIDER;
    case ROLE_AUDITOR:
        return organisation_kind == ORGANISATION_AUDITOR ||
               organisation_kind == ORGANISATION_OWNER;
    case ROLE_EHIS:
        return organisation_kind == ORGANISATION_OWNER ||
               organisation_kind == ORGANISATION_COORDINATOR ||
               organisation_kind == ORGANISATION_CLOUD;
    }
    return false;
}

static enum status actor_check_organisation(struct act *act,
                                            const struct op_actor_enrol *in)
{
    struct row_organisation row = {.number = in->organisation};

    if (in->role == ROLE_USER) /* Users are subjects' persons, of no body. */
        return in->organisation == 0 ? ST_OK : ST_BAD_FIELD;
    if (!state_get(act->state, TABLE_ORGANISATION, &row))
        return ST_NO_SUCH;
    if (row.state != ORGANISATION_ACTIVE)
        return ST_WRONG_STATE;
    return actor_role_fits((enum role)in->role, row.kind) ? ST_OK
                                                          : ST_BAD_FIELD;
}

/* True if the person holds a key of some organisation. */
static bool actor_serves(struct act *act, uint64_t person)
{
    struct row_key row = {.person = person};
    struct state_scan scan;
    bool serves = false;

    state_scan_open(act->state, &scan, INDEX_KEY_BY_PERSON, &row,
                    (struct state_range){.equal = 1});
    while (!serves && state_scan_next(&scan, &row))
        serves = row.organisation != 0;
    state_scan_close(&scan);
    return serves;
}

/* A portal component vouches for users, and never for those who serve a body:
 * a key of theirs is a way to their duties. */
static bool actor_may_enrol(struct act *act, const struct op_actor_enrol *in)
{
    return act->duty != DUTY_PRT ||
           (in->role == ROLE_USER && in->organisation == 0 &&
            (in->person == 0 || !actor_serves(act, in->person)));
}

enum status actor_enrol(struct act *act, const struct op_actor_enrol *in,
                        struct result_actor_enrol *out)
{
    struct row_person person = {.number = in->person};
    struct row_key key = {.public_key = in->public_key,
                          .organisation = in->organisation,
                          .role = in->role,
                          .level = in->level,
                          .state = KEY_ACTIVE,
                          .enrolled = act->index,
                          .evidence = in->evidence};
    enum status status;

    if (!actor_may_enrol(act, in))
        return ST_NO_DUTY;
    /* Nobody lifts himself to a higher level: key.rotate keeps the level. */
    if (in->person != 0 && in->person == act->signer.person)
        return ST_SELF_APPROVE;
    if (in->level >= ACTOR_LEVEL_EVIDENCED && !rows_is_given(&in->evidence))
        return ST_NO_BASIS;
    status = actor_check_organisation(act, in);
    if (status != ST_OK)
        return status;
    if (in->person != 0 && !state_get(act->state, TABLE_PERSON, &person))
        return ST_NO_SUCH;
    if (person.erased != 0) /* Nobody knows any more who he is. */
        return ST_ERASED;
    status = actor_check_key(act, &key, &in->proof, in->person);
    if (status != ST_OK)
        return status;

    if (in->person == 0) {
        person.number = state_next(act->state, SEQUENCE_PERSON);
        state_insert(act->state, TABLE_PERSON, &person);
    }
    key.person = person.number;
    state_insert(act->state, TABLE_KEY, &key);
    out->key_id = key.key_id;
    out->person = person.number;
    return ST_OK;
}

/* Another person of the same personal number: two numbers for one human would
 * escape every rule that compares persons. */
static bool actor_is_known_otherwise(struct act *act,
                                     const struct bytes16 *fin_tag,
                                     uint64_t person)
{
    struct row_person row = {.fin_tag = *fin_tag};
    struct state_scan scan;
    bool found = false;

    state_scan_open(act->state, &scan, INDEX_PERSON_BY_FIN, &row,
                    (struct state_range){.equal = 1});
    while (!found && state_scan_next(&scan, &row))
        found = row.number != person;
    state_scan_close(&scan);
    return found;
}

enum status actor_identity(struct act *act, const struct op_actor_identity *in,
                           struct result_actor_identity *out)
{
    struct row_key key = {.key_id = in->key_id};
    struct row_person person;
    struct bytes16 fin_tag;

    (void)out;
    if (!state_get(act->state, TABLE_KEY, &key) || key.person == 0)
        return ST_NO_SUCH;
    person.number = key.person;
    INVARIANT(state_get(act->state, TABLE_PERSON, &person));
    if (person.erased != 0)
        return ST_ERASED;
    if (act->duty == DUTY_PRT) {
        if (actor_serves(act, key.person))
            return ST_NO_DUTY;
        if (person.identity != 0)
            return ST_EXISTS;
    }
    act_tag(act, &fin_tag, TAG_FIN, in->fin);
    if (in->fin.size > 0 &&
        actor_is_known_otherwise(act, &fin_tag, person.number))
        return ST_EXISTS;
    person.fin_tag = fin_tag;
    person.identity = act_keep(act);
    state_update(act->state, TABLE_PERSON, &person);
    return ST_OK;
}
