/*
 * journal.c: reading the journal (R-8.2.18, P-7.1.15, D-3.3).
 *
 * A reader sees the entries of the categories that his duty lets him see; of
 * the others he sees that they are there.  Every read is a command, and so an
 * entry itself.
 */
#include "server/registry/journal.h"

#include "protocol/contract.h"
#include "protocol/entry.h"
#include "server/registry/dispatch.h"

#define CATEGORY_BIT(category) ((uint16_t)(1u << ((category)-1)))

enum {
    CATEGORY_MANAGEMENT = 5,
    CATEGORY_PROTECTION = 6,
    CATEGORY_CONTINUITY = 7,
    CATEGORIES_ALL = 0xff,
    /* Of a row, beside the entry; and of a result, beside the rows. */
    ROW_FIXED_SIZE = 8 + 1 + 2,
    RESULT_REST_SIZE = 8 + 2
};

uint16_t journal_visible(const struct act *act)
{
    if (act->duty == DUTY_SEC)
        return CATEGORY_BIT(CATEGORY_PROTECTION);
    if (act->duty == DUTY_OPS)
        return CATEGORY_BIT(CATEGORY_MANAGEMENT) |
               CATEGORY_BIT(CATEGORY_CONTINUITY);
    if (act->duty == DUTY_AUD)
        return act->scope == 0 ? CATEGORIES_ALL : act->scope & CATEGORIES_ALL;
    return 0;
}

static enum status check_request(struct act *act, uint64_t from,
                                 uint16_t categories)
{
    if ((categories & journal_visible(act)) == 0)
        return ST_NO_DUTY;
    return from > act->index ? ST_BAD_FIELD : ST_OK;
}

/* An entry that cannot be read is this node's failure, and no decision. */
static struct slice read_entry(struct act *act, uint64_t index,
                               uint8_t *category_out)
{
    struct slice bytes;
    struct entry entry;
    enum status status =
        act->services->read_entry(act->services->context, index, &bytes);

    INVARIANT(status == ST_OK);
    status = entry_view(&entry, bytes);
    INVARIANT(status == ST_OK && entry.place.index == index);
    *category_out = entry.place.category;
    return bytes;
}

enum status journal_read(struct act *act, const struct op_journal_read *in,
                         struct result_journal_read *out)
{
    uint16_t visible = journal_visible(act);
    struct journal_row row;
    enum status status = check_request(act, in->from, in->categories);

    if (status != ST_OK)
        return status;
    out->entries = list_begin(act->space);
    out->next = in->from;
    while (out->next - in->from < in->count && out->next < act->index) {
        row = (struct journal_row){.index = out->next};
        row.entry = read_entry(act, row.index, &row.category);
        if ((visible & CATEGORY_BIT(row.category)) == 0)
            row.entry = slice_of(NULL, 0);
        if (out->entries.bytes.size + ROW_FIXED_SIZE + row.entry.size >
            RESULT_SIZE_MAX - RESULT_REST_SIZE)
            break; /* The next read goes on here. */
        if ((in->categories & CATEGORY_BIT(row.category)) != 0)
            list_add(&out->entries, act->space, &schema_journal_row, &row);
        out->next++;
    }
    return ST_OK;
}

/* The entry is the grant; what follows is streamed outside of the log. */
enum status journal_watch(struct act *act, const struct op_journal_watch *in,
                          struct result_journal_watch *out)
{
    (void)out;
    return check_request(act, in->from, in->categories);
}
