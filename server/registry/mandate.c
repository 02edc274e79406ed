#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

/* What one mandate lets its holder pass on: not more, and not for longer. */
static bool mandate_covers(const struct row_mandate *own, int32_t today,
                           const struct row_mandate *given)
{
    return own->state == MANDATE_LIVE && (own->rights & RIGHT_CONSENT) != 0 &&
           act_in_term(today, own->from, own->to) &&
           (given->rights & ~own->rights) == 0 && given->from >= own->from &&
           (own->to == 0 || given->to <= own->to);
}

static enum status mandate_check_giver(struct act *act,
                                       const struct row_mandate *given)
{
    struct row_mandate row = {.person = act->signer.person,
                              .subject = act->subject};
    struct state_scan scan;
    bool covered = false;

    if (act_is_representative(act, act->subject))
        return ST_OK;
    state_scan_open(act->state, &scan, INDEX_MANDATE_BY_PERSON, &row,
                    (struct state_range){.equal = 2});
    while (!covered && state_scan_next(&scan, &row))
        covered = mandate_covers(&row, act->today, given);
    state_scan_close(&scan);
    return covered ? ST_OK : ST_NOT_SELF;
}

/* Each act of the person about the subject looks through them. */
static bool mandate_has_room(struct act *act, const struct row_mandate *given)
{
    struct row_mandate row = {.person = given->person,
                              .subject = given->subject};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(act->state, &scan, INDEX_MANDATE_BY_PERSON, &row,
                    (struct state_range){.equal = 2});
    while (count < MANDATES_MAX && state_scan_next(&scan, &row))
        count++;
    state_scan_close(&scan);
    return count < MANDATES_MAX;
}

enum status mandate_give(struct act *act, const struct op_mandate_give *in,
                         struct result_mandate_give *out)
{
    struct row_person person = {.number = in->person};
    struct row_mandate row = {.subject = act->subject,
                              .person = in->person,
                              .rights = in->rights,
                              .from = in->from,
                              .to = in->to,
                              .state = MANDATE_LIVE,
                              .given_by = act->signer.person};
    int64_t longest = state_setting(act->state, SETTING_mandate_days);
    int64_t last = in->from + longest;
    enum status status;

    if (last > DATE_HI)
        last = DATE_HI;
    if (row.to == 0) /* "Until revoked" ends with the longest term. */
        row.to = (int32_t)last;
    status = mandate_check_giver(act, &row);
    if (status != ST_OK)
        return status;
    if (row.to < row.from || row.to > last || row.to < act->today)
        return ST_BAD_FIELD;
    if (!state_get(act->state, TABLE_PERSON, &person))
        return ST_NO_SUCH;
    if (!mandate_has_room(act, &row))
        return ST_QUOTA;
    row.number = (uint32_t)state_next(act->state, SEQUENCE_MANDATE);
    row.record = act_keep(act);
    state_insert(act->state, TABLE_MANDATE, &row);
    out->mandate = row.number;
    return ST_OK;
}

/* Who may end a mandate: whoever may give one, who gave it, and who holds it.
 */
static bool mandate_is_ones_own(struct act *act, const struct row_mandate *row)
{
    return row->person == act->signer.person ||
           row->given_by == act->signer.person ||
           act_is_self(act, act->subject, RIGHT_CONSENT);
}

enum status mandate_revoke(struct act *act, const struct op_mandate_revoke *in,
                           struct result_mandate_revoke *out)
{
    struct row_mandate row = {.number = in->mandate};

    (void)out;
    if (!state_get(act->state, TABLE_MANDATE, &row) ||
        row.subject != act->subject || !mandate_is_ones_own(act, &row))
        return ST_NOT_SELF;
    if (row.state != MANDATE_LIVE)
        return ST_WRONG_STATE;
    row.state = MANDATE_REVOKED;
    state_update(act->state, TABLE_MANDATE, &row);
    return ST_OK;
}
