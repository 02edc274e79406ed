/*
 * subject_find.c: the owner's clerks look for a subject by the words of its
 * name (R-8.2.14: each one they are shown sees that they were).
 */
#include "protocol/contract.h"
#include "server/registry/access.h"
#include "server/registry/dispatch.h"
#include "server/registry/section_check.h"
#include "server/registry/version.h"
#include "server/store/search.h"

enum { FOUND_NAME_SIZE_MAX = 512 };

static void join(struct writer *name, struct slice part)
{
    if (part.size == 0)
        return;
    if (name->used > 0)
        writer_u8(name, ' ');
    writer_bytes(name, part.data, part.size);
}

/* A legal person's full name, or an individual's three. */
static void write_name(struct writer *name, const struct record_s01 *record)
{
    if (record->full_name.size > 0) {
        join(name, record->full_name);
        return;
    }
    join(name, record->surname);
    join(name, record->given);
    join(name, record->patronymic);
    if (name->used == 0)
        join(name, record->short_name);
}

/* Out of scope, a subject shows that it is there and nothing else. */
static void read_name(struct act *act, struct writer *name,
                      struct subject *subject)
{
    struct row_version row;
    union section_record record;

    if (subject->row.state == SUBJECT_OUT_OF_SCOPE ||
        !version_current(act, &row, subject, SECTION_S01, PATH_EHIS) ||
        version_decode(act, &record, &row) != ST_OK)
        return; /* Destroyed: found no more after the next start. */
    write_name(name, &record.s01);
    ENSURE(name->status == ST_OK);
}

static void add_found(struct act *act, struct list *list, uint64_t voen)
{
    uint8_t bytes[FOUND_NAME_SIZE_MAX];
    struct writer name;
    struct subject subject;
    struct found_row row;
    bool found = subject_load(act, &subject, voen);

    INVARIANT(found);
    writer_init(&name, bytes, sizeof bytes);
    read_name(act, &name, &subject);
    row = (struct found_row){.subject = voen,
                             .kind = subject.row.kind,
                             .state = subject.row.state,
                             .name = writer_slice(&name)};
    list_add(list, act->space, &schema_found_row, &row);
    access_note_found(act, voen);
}

static enum status find(struct act *act, const struct op_subject_find *in,
                        uint64_t found[FIND_RESULTS_MAX], size_t *count_out)
{
    struct search_query query = {
        .text = in->text, .after = in->after, .limit = in->limit};

    if (query.text.data[query.text.size - 1] == '*') {
        query.text.size--;
        query.prefix = true;
    }
    return search_find(act->services->search, found, count_out, &query);
}

enum status subject_find(struct act *act, const struct op_subject_find *in,
                         struct result_subject_find *out)
{
    uint64_t found[FIND_RESULTS_MAX];
    size_t count;
    enum status status;

    REQUIRE(in->text.size > 0 && in->limit <= FIND_RESULTS_MAX);
    act->sections = SECTION_BIT(SECTION_S01);
    if (act->subject != 0)
        return ST_BAD_FIELD;
    if (in->file_number.size == 0)
        return ST_NO_PURPOSE;
    status = act_check_purpose(act, SECTION_BIT(SECTION_S01));
    if (status == ST_OK)
        status = find(act, in, found, &count);
    if (status != ST_OK)
        return status;
    out->subjects = list_begin(act->space);
    for (size_t i = 0; i < count; i++)
        add_found(act, &out->subjects, found[i]);
    return ST_OK;
}
