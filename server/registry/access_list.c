/*
 * access_list.c: a subject's access list, page by page.
 *
 * What a law hides is left out for everybody but auditors.  All that is told of
 * it is how many there are, over the whole list and not over what was asked: a
 * count of each second asked for would give their times away.
 */
#include "protocol/contract.h"
#include "server/registry/access_seal.h"
#include "server/registry/dispatch.h"

/* The accesses of an answer, which its lists are made of one after another. */
struct access_page {
    uint64_t next;
    uint8_t count;
    struct row_access rows[PAGE_ROWS_MAX];
    uint32_t seals[PAGE_ROWS_MAX]; /* Of each row; 0: none. */
    uint8_t seals_count;
    struct row_access_seal distinct[SEALS_SHOWN_MAX];
};

/*
 * The subject's own persons see their list; the owner's security and personal
 * data officers only to answer a complaint, which they name; auditors see all.
 * A stranger learns nothing, not even whether there is such a subject.
 */
static enum status access_may_list(struct act *act, struct slice file_number)
{
    struct row_subject subject = {.voen = act->subject};
    enum status code;

    if (act->duty == DUTY_USR)
        return act_is_self(act, act->subject, RIGHT_ACCESS_LIST) ? ST_OK
                                                                 : ST_NOT_SELF;
    if (act->duty != DUTY_AUD) {
        code = act_check_purpose(act, 0);
        if (code != ST_OK)
            return code;
        if (file_number.size == 0)
            return ST_NO_PURPOSE;
    }
    return state_get(act->state, TABLE_SUBJECT, &subject) ? ST_OK : ST_NO_SUCH;
}

/* ---- Collecting --------------------------------------------------------- */

/* False where the page has no room for one more seal. */
static bool add_seal(struct access_page *page,
                     const struct row_access_seal *seal)
{
    for (uint8_t i = 0; i < page->seals_count; i++) {
        if (page->distinct[i].number == seal->number)
            return true;
    }
    if (page->seals_count == SEALS_SHOWN_MAX)
        return false;
    page->distinct[page->seals_count++] = *seal;
    return true;
}

/* False where the page is full. */
static bool add_access(struct access_page *page, const struct row_access *row,
                       const struct row_access_seal *seal, uint8_t limit)
{
    if (page->count == limit || (seal->number != 0 && !add_seal(page, seal))) {
        page->next = page->rows[page->count - 1].number;
        return false;
    }
    page->rows[page->count] = *row;
    page->seals[page->count] = seal->number;
    page->count++;
    return true;
}

/* The accesses of the subject up to number ${from}, the newest first. */
static void open_scan(struct act *act, struct state_scan *scan, uint64_t from)
{
    const struct state_range range = {
        .equal = 1, .from = true, .descending = true};
    struct row_access row = {.subject = act->subject, .number = from};

    state_scan_key(act->state, scan, TABLE_ACCESS, &row, range);
}

/* Whether the newest one up to number ${*from} is later than ${to}; ${*from} is
 * just below it then. */
static bool is_later(struct act *act, uint64_t *from, int64_t to)
{
    struct state_scan scan;
    struct row_access row;
    bool later;

    open_scan(act, &scan, *from);
    later = state_scan_next(&scan, &row) && row.when > to;
    state_scan_close(&scan);
    if (later)
        *from = row.number - 1;
    return later;
}

/* Below which number those begin that are not later than ${to}, at most
 * ${from}. Numbers and times rise together: it is looked for by halves, since
 * of those that are later there may be any number. */
static uint64_t begin_at(struct act *act, uint64_t from, int64_t to)
{
    uint64_t low = 0;

    if (to == 0 || !is_later(act, &from, to))
        return from;
    while (low < from) {
        uint64_t middle = low + (from - low + 1) / 2, below = middle;

        if (is_later(act, &below, to))
            from = below;
        else
            low = middle;
    }
    return from;
}

static void collect(struct act *act, struct access_page *page,
                    const struct op_access_list *in)
{
    uint64_t from = in->before == 0 ? INT64_MAX : in->before - 1;
    struct state_scan scan;
    struct row_access row;
    bool room = true;

    open_scan(act, &scan, begin_at(act, from, in->to));
    while (room && state_scan_next(&scan, &row) && row.when >= in->from) {
        struct row_access_seal seal = {.number = 0};

        if (access_seal_of(act, &seal, &row) && act->duty != DUTY_AUD &&
            access_seal_hides(act, &seal))
            continue;
        room = add_access(page, &row, &seal, in->limit);
    }
    state_scan_close(&scan);
}

/* ---- Showing ------------------------------------------------------------ */

static void show_accesses(struct act *act, struct list *list,
                          const struct access_page *page)
{
    *list = list_begin(act->space);
    for (uint8_t i = 0; i < page->count; i++) {
        const struct row_access *row = &page->rows[i];
        struct access_row shown = {.index = row->number >> 16,
                                   .item = (uint16_t)(row->number & 0xffff),
                                   .when = row->when,
                                   .organisation = row->organisation,
                                   .subject = row->by_subject,
                                   .duty = row->duty,
                                   .person = row->person,
                                   .opcode = row->opcode,
                                   .sections = row->sections,
                                   .purpose = row->purpose,
                                   .consent = row->consent,
                                   .code = row->code,
                                   .count = row->count};

        list_add(list, act->space, &schema_access_row, &shown);
    }
}

static void show_sealed(struct act *act, struct list *list,
                        const struct access_page *page)
{
    *list = list_begin(act->space);
    for (uint8_t i = 0; i < page->count; i++) {
        struct sealed_access shown = {
            .index = page->rows[i].number >> 16,
            .item = (uint16_t)(page->rows[i].number & 0xffff),
            .seal = page->seals[i]};

        if (shown.seal != 0)
            list_add(list, act->space, &schema_sealed_access, &shown);
    }
}

static void show_seals(struct act *act, struct list *list,
                       const struct access_page *page)
{
    *list = list_begin(act->space);
    for (uint8_t i = 0; i < page->seals_count; i++) {
        const struct row_access_seal *row = &page->distinct[i];
        struct op_access_seal_propose words;
        struct seal_basis shown = {.seal = row->number,
                                   .organisation = row->organisation,
                                   .purpose = row->purpose,
                                   .basis = row->basis,
                                   .proposed = row->proposed,
                                   .approved = row->decided,
                                   .until = row->until,
                                   .lifted = row->lifted,
                                   .accesses = row->accesses};

        access_seal_words(act, &words, row);
        shown.legal_basis = words.legal_basis;
        act_pseudonym_of(act, &shown.proposed_by, row->proposed_by);
        act_pseudonym_of(act, &shown.approved_by, row->decided_by);
        list_add(list, act->space, &schema_seal_basis, &shown);
    }
}

enum status access_list(struct act *act, const struct op_access_list *in,
                        struct result_access_list *out)
{
    struct access_page page;
    enum status code;

    if (in->to != 0 && in->from > in->to)
        return ST_BAD_FIELD;
    code = access_may_list(act, in->file_number);
    if (code != ST_OK)
        return code;

    page.next = 0;
    page.count = 0;
    page.seals_count = 0;
    collect(act, &page, in);
    out->next = page.next;
    out->hidden = access_seal_hidden(act, act->subject);
    out->has_hidden = out->hidden > 0;
    show_accesses(act, &out->accesses, &page);
    if (page.seals_count == 0)
        return ST_OK;
    out->has_sealed = true;
    out->has_seals = true;
    show_sealed(act, &out->sealed, &page);
    show_seals(act, &out->seals, &page);
    return ST_OK;
}
