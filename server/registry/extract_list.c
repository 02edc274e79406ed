/*
 * extract_list.c: which extracts there are, and whether one still holds
 * (R-6.2.2).
 */
#include <sodium.h>

#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"
#include "server/registry/extract_make.h"

/* The version of ${section} that the extract shows, come by ${path}; 0: it
 * shows that there was none. */
static uint32_t shown_version(const struct row_extract *row, uint8_t section,
                              bool own)
{
    struct extract_head head;
    struct reader heads;

    reader_init(&heads, row->heads);
    while (extract_make_next_head(&head, &heads)) {
        if (head.section == section && (head.path == PATH_SELF) == own)
            return head.version;
    }
    return 0;
}

/* Sections of the extract that have changed since. */
static uint16_t superseded(struct act *act, const struct row_extract *row)
{
    struct subject subject;
    uint16_t changed = 0;
    bool known = subject_load(act, &subject, row->subject);

    INVARIANT(known); /* Nothing ever removes one. */
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        bool same = shown_version(row, section, false) ==
                    *version_head(&subject, section, PATH_EHIS);

        if ((row->sections & SECTION_BIT(section)) == 0)
            continue;
        if (section == SECTION_S05)
            same = same && shown_version(row, section, true) ==
                               *version_head(&subject, section, PATH_SELF);
        if (!same)
            changed |= SECTION_BIT(section);
    }
    return changed;
}

enum status extract_list(struct act *act, const struct op_extract_list *in,
                         struct result_extract_list *out)
{
    struct row_extract row = {.subject = act->subject};
    struct state_range range = {.equal = 1, .descending = true};
    struct row_extract rows[PAGE_ROWS_MAX];
    struct state_scan scan;
    uint8_t count = 0;

    if (!act_is_self(act, act->subject, RIGHT_READ))
        return ST_NOT_SELF;
    if (in->before != 0) {
        range.from = true;
        row.number = in->before - 1;
    }
    state_scan_open(act->state, &scan, INDEX_EXTRACT_BY_SUBJECT, &row, range);
    while (state_scan_next(&scan, &row)) {
        if (count == in->limit) {
            out->next = rows[count - 1].number;
            break;
        }
        rows[count++] = row;
    }
    state_scan_close(&scan);
    out->extracts = list_begin(act->space);
    for (uint8_t i = 0; i < count; i++) {
        struct extract_row shown;
        bool known = state_get(act->state, TABLE_EXTRACT, &rows[i]);

        INVARIANT(known);
        shown = (struct extract_row){.number = rows[i].number,
                                     .index = rows[i].record >> 16,
                                     .issued = rows[i].issued,
                                     .sections = rows[i].sections,
                                     .superseded = superseded(act, &rows[i])};
        list_add(&out->extracts, act->space, &schema_extract_row, &shown);
    }
    return ST_OK;
}

/* Whoever holds an extract knows its root; nobody else learns even whether
 * there is such a number. */
enum status extract_verify(struct act *act, const struct op_extract_verify *in,
                           struct result_extract_verify *out)
{
    struct row_extract row = {.number = in->number};

    if (!state_get(act->state, TABLE_EXTRACT, &row) ||
        row.subject != act->subject ||
        sodium_memcmp(row.root.b, in->root.b, HASH_SIZE) != 0)
        return ST_NO_SUCH;
    if (destroy_subject_is_erased(act->state, act->subject))
        return ST_ERASED;
    act->sections = row.sections;
    out->issued = row.issued;
    out->sections = row.sections;
    out->superseded = superseded(act, &row);
    return ST_OK;
}
