/*
 * failover_act.c: the backup centre starts in a realm, and what the operators
 * do afterwards.
 */
#include <string.h>

#include "protocol/contract.h"
#include "protocol/entry.h"
#include "server/registry/dispatch.h"
#include "server/registry/epoch.h"
#include "server/registry/failover.h"
#include "server/registry/notice.h"

/* ---- Activation --------------------------------------------------------- */

static enum status activate_check(struct act *act, struct row_realm *realm_out,
                                  const struct op_failover_activate *in)
{
    struct failover_cover cover = {in->failover, in->standing};
    struct row_epoch epoch = {.number = in->epoch};

    *realm_out = (struct row_realm){.realm = in->for_realm};
    if (!state_get(act->state, TABLE_REALM, realm_out))
        return ST_BAD_FIELD;
    if (realm_out->since == 0 || realm_out->since != in->epoch ||
        !state_get(act->state, TABLE_EPOCH, &epoch))
        return ST_WRONG_STATE;
    /* First the notices of the incident, then the activation. */
    if (epoch.owed != 0)
        return ST_WRONG_STATE;
    return failover_covers(act->state, realm_out, &cover, act->log_time);
}

static void standing_use(struct act *act, uint32_t number)
{
    struct row_standing row = {.number = number};
    bool found = state_get(act->state, TABLE_STANDING, &row);

    INVARIANT(found);
    row.used++;
    if (row.used == row.times)
        row.state = STANDING_USED_UP;
    state_update(act->state, TABLE_STANDING, &row);
}

/* The order that was asked for, or a row for what nobody had to ask for. */
static bool activate_row(struct act *act, struct row_failover *row_out,
                         uint32_t number)
{
    *row_out = (struct row_failover){.number = number, .kind = FAILOVER_REAL};
    if (number != 0) {
        bool found = state_get(act->state, TABLE_FAILOVER, row_out);

        INVARIANT(found);
        return false;
    }
    row_out->number = (uint32_t)state_next(act->state, SEQUENCE_FAILOVER);
    return true;
}

static void activate_tell(struct act *act, const struct row_failover *row)
{
    struct row_notice notice = {.kind = NOTICE_FAILOVER_ACTIVATED,
                                .realms = CONTINUITY_BIT(row->realm),
                                .incident = row->incident,
                                .failover = row->number};

    notice_participants(act, &notice);
    notice_coordinators(act, &notice);
    notice_owner(act, &notice);
}

enum status failover_activate(struct act *act,
                              const struct op_failover_activate *in,
                              struct result_failover_activate *out)
{
    struct row_failover row;
    struct row_realm realm;
    uint32_t incident;
    bool is_new;
    enum status status = activate_check(act, &realm, in);

    if (status != ST_OK)
        return status;
    is_new = activate_row(act, &row, in->failover);
    row.realm = in->for_realm;
    row.state = FAILOVER_ACTIVATED;
    row.standing = in->standing;
    row.epoch = in->epoch;
    row.activated = act->log_time;
    if (in->standing != 0)
        standing_use(act, in->standing);
    incident = continuity_resumed(act, &realm, row.number);
    if (incident != 0)
        row.incident = incident;
    if (is_new)
        state_insert(act->state, TABLE_FAILOVER, &row);
    else
        state_update(act->state, TABLE_FAILOVER, &row);
    activate_tell(act, &row);
    out->failover = row.number;
    return ST_OK;
}

/* ---- Afterwards --------------------------------------------------------- */

/* An entry that cannot be read is this node's failure, and no decision. */
static bool leaf_is(struct act *act, uint64_t index, const struct bytes32 *leaf)
{
    struct slice bytes;
    uint8_t hash[HASH_SIZE];
    enum status status =
        act->services->read_entry(act->services->context, index, &bytes);

    INVARIANT(status == ST_OK);
    entry_leaf_hash(hash, bytes);
    return memcmp(hash, leaf->b, sizeof hash) == 0;
}

enum status failover_verify(struct act *act,
                            const struct op_failover_verify *in,
                            struct result_failover_verify *out)
{
    struct row_failover row = {.number = in->failover};
    struct row_epoch epoch = {0};

    (void)out;
    if (!state_get(act->state, TABLE_FAILOVER, &row))
        return ST_NO_SUCH;
    if (row.state != FAILOVER_ACTIVATED)
        return ST_WRONG_STATE;
    epoch.number = row.epoch;
    INVARIANT(state_get(act->state, TABLE_EPOCH, &epoch));
    /* A head that holds the new term, and so all that was taken over. */
    if (in->size <= epoch.index || in->size > act->index ||
        !leaf_is(act, in->size - 1, &in->leaf))
        return ST_BAD_FIELD;
    row.state = FAILOVER_VERIFIED;
    row.verified = in->size;
    row.leaf = in->leaf;
    state_update(act->state, TABLE_FAILOVER, &row);
    return ST_OK;
}

enum status failover_close(struct act *act, const struct op_failover_close *in,
                           struct result_failover_close *out)
{
    struct row_failover row = {.number = in->failover};

    (void)out;
    if (!state_get(act->state, TABLE_FAILOVER, &row))
        return ST_NO_SUCH;
    if (row.state != FAILOVER_VERIFIED)
        return ST_WRONG_STATE;
    row.state = FAILOVER_CLOSED;
    state_update(act->state, TABLE_FAILOVER, &row);
    return ST_OK;
}
