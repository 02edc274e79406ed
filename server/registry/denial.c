#include "server/registry/denial.h"

#include "server/registry/notice.h"

enum { DENIAL_AGAIN = 10, DENIAL_REALMS = 3 };

/* Words that tell what a signer may not; NO_SUCH is what staff and bodies are
 * told of numbers that they guessed. */
static bool denial_counts(enum status code)
{
    return (code >= ST_NO_DUTY && code <= ST_OUT_OF_SCOPE) ||
           code == ST_NO_SUCH;
}

static bool denial_is_offence(uint16_t code)
{
    return code == ST_BAD_SIG || code == ST_NOT_CARRIER ||
           code == ST_IDEM_CONFLICT;
}

/* Whether a limit, or ten times it and so on, lies between both. */
static bool denial_reaches(uint64_t limit, uint32_t before, uint32_t after)
{
    for (; limit > 0 && limit <= after; limit *= DENIAL_AGAIN) {
        if (before < limit)
            return true;
    }
    return false;
}

static void denial_add(uint32_t *count, uint32_t more)
{
    *count = more > UINT32_MAX - *count ? UINT32_MAX : *count + more;
}

/* The key's row of today, with both counts behind what is added. */
static void denial_write(struct act *act, struct row_denial *row,
                         uint32_t tried, uint32_t refused)
{
    bool exists = state_get(act->state, TABLE_DENIAL, row);

    if (!exists || row->day != act->today) {
        row->day = act->today;
        row->tried = 0;
        row->refused = 0;
    }
    denial_add(&row->tried, tried);
    denial_add(&row->refused, refused);
    if (exists)
        state_update(act->state, TABLE_DENIAL, row);
    else
        state_insert(act->state, TABLE_DENIAL, row);
}

static void denial_tell(struct act *act, enum notice_kind kind,
                        const struct bytes16 *key_id, uint32_t count)
{
    struct row_notice notice = {.kind = (uint8_t)kind,
                                .realms = DENIAL_REALMS,
                                .key_id = *key_id,
                                .count = count};

    (void)notice_owner(act, &notice);
}

void denial_tried(struct act *act, enum status code)
{
    struct row_denial row = {.key_id = act->signer.key_id};
    int64_t limit;

    if (!denial_counts(code))
        return;
    denial_write(act, &row, 1, 0);
    limit = state_setting(act->state, SETTING_tried_notice);
    if (denial_reaches((uint64_t)limit, row.tried - 1, row.tried))
        denial_tell(act, NOTICE_TRIED, &row.key_id, row.tried);
}

void denial_refused(struct act *act, const struct refused_line *line)
{
    struct row_denial row = {.key_id = line->session};
    int64_t limit;

    if (!denial_is_offence(line->code))
        return;
    denial_write(act, &row, 0, line->count);
    limit = state_setting(act->state, SETTING_refused_notice);
    if (denial_reaches((uint64_t)limit, row.refused - line->count, row.refused))
        denial_tell(act, NOTICE_REFUSED, &row.key_id, row.refused);
}
