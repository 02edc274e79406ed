#include "server/registry/key.h"

#include "server/registry/actor.h"
#include "server/registry/dispatch.h"
#include "server/registry/password.h"

void key_end(struct act *act, struct row_key *key, enum key_state state)
{
    struct row_session session = {.key_id = key->key_id};

    if (key->state == KEY_ACTIVE)
        key->ended = act->index;
    key->state = (uint8_t)state;
    state_update(act->state, TABLE_KEY, key);
    if (state_get(act->state, TABLE_SESSION, &session))
        state_delete(act->state, TABLE_SESSION, &session);
    password_drop(act, &key->key_id);
}

/* Who is who stays: the new key is the same holder's. */
static struct row_key rotate_heir(const struct act *act,
                                  const struct bytes32 *public_key)
{
    struct row_key key = act->signer;

    key.public_key = *public_key;
    key.state = KEY_ACTIVE;
    key.enrolled = act->index;
    key.ended = 0;
    key.compromised_at = 0;
    key.counter = 0;
    return key;
}

/* Keys stay for ever, and every node holds them in memory. */
static bool rotate_has_room(struct act *act, uint64_t person)
{
    struct row_key row = {.person = person};
    struct state_scan scan;
    uint32_t count = 0;

    if (person == 0)
        return true;
    state_scan_open(act->state, &scan, INDEX_KEY_BY_PERSON, &row,
                    (struct state_range){.equal = 1});
    while (count < PERSON_KEYS_MAX && state_scan_next(&scan, &row))
        count++;
    state_scan_close(&scan);
    return count < PERSON_KEYS_MAX;
}

enum status key_rotate(struct act *act, const struct op_key_rotate *in,
                       struct result_key_rotate *out)
{
    struct row_key heir = rotate_heir(act, &in->public_key);
    struct row_key key = act->signer;
    struct row_carrier carrier = {.number = key.carrier};
    enum status status;

    /* A node's key stands in its certificate, which only the authority makes
     * anew. */
    if (key.is_node)
        return ST_NO_DUTY;
    status = actor_check_key(act, &heir, &in->proof, key.person);
    if (status == ST_OK && !rotate_has_room(act, key.person))
        status = ST_QUOTA;
    if (status != ST_OK)
        return status;
    state_insert(act->state, TABLE_KEY, &heir);
    key_end(act, &key, KEY_ROTATED);
    if (key.carrier != 0 && state_get(act->state, TABLE_CARRIER, &carrier)) {
        carrier.key_id = heir.key_id;
        state_update(act->state, TABLE_CARRIER, &carrier);
    }
    out->key_id = heir.key_id;
    return ST_OK;
}

enum status key_revoke(struct act *act, const struct op_key_revoke *in,
                       struct result_key_revoke *out)
{
    struct row_key key = {.key_id = in->key_id};
    bool exists = state_get(act->state, TABLE_KEY, &key);

    (void)out;
    if (act->letter == 's' &&
        (!exists || key.person == 0 || key.person != act->signer.person))
        return ST_NOT_SELF;
    if (!exists)
        return ST_NO_SUCH;
    if (key.is_node)
        return ST_NO_DUTY;
    if (key.state == KEY_REVOKED)
        return ST_WRONG_STATE;
    /* Kept as evidence: it undoes nothing that the key signed before. */
    key.compromised_at = in->compromised_at;
    key_end(act, &key, KEY_REVOKED);
    return ST_OK;
}

enum status key_lock(struct act *act, const struct op_key_lock *in,
                     struct result_key_lock *out)
{
    (void)out;
    return password_set_state(act, &in->key_id, CREDENTIAL_USABLE,
                              CREDENTIAL_LOCKED);
}
