/*
 * extract.c: signed extracts, issued and opened.
 *
 * The node signs the receipt of extract.issue, whose result commits to every
 * field that the extract covers; what the commitments hide is given by
 * extract.open, to the subject's own persons alone.  No fee stands before
 * either.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/lines.h"
#include "server/registry/dispatch.h"
#include "server/registry/extract_make.h"
#include "server/registry/section.h"

/* How the lines of an extract will lie in parts of a result. */
struct packing {
    uint32_t parts; /* Begun. */
    size_t used;    /* Of the newest. */
};

/* ${section} is its "section" line, where one stands before; ${*begun_out}: it
 * begins a part.  ST_TOO_LARGE when no result could hold it. */
static enum status pack(struct packing *packing, bool *begun_out, size_t size)
{
    *begun_out = packing->parts == 0 ||
                 size > EXTRACT_TEXT_PART_SIZE_MAX - packing->used;
    if (*begun_out) {
        if (packing->parts == EXTRACT_TEXT_PARTS_MAX)
            return ST_TOO_LARGE;
        packing->parts++;
        packing->used = 0;
    }
    packing->used += size;
    return ST_OK;
}

/* The lines of one disclosure, as they stand in the file. */
static void write_lines(struct writer *out,
                        const struct extract_disclosure *one)
{
    if (one->begins) {
        lines_write(out, "section ");
        writer_bytes(out, one->section_line.data, one->section_line.size);
        lines_write(out, "\n");
    }
    lines_write(out, "field ");
    lines_write_base64(out, one->salt, SALT_SIZE);
    lines_write(out, " ");
    writer_bytes(out, one->field_line.data, one->field_line.size);
    lines_write(out, "\n");
    ENSURE(out->status == ST_OK);
}

enum {
    LINES_SIZE_MAX = 8 + EXTRACT_SECTION_LINE_SIZE_MAX + 1 + 6 +
                     LINES_BASE64_SIZE(SALT_SIZE) + 1 +
                     EXTRACT_FIELD_LINE_SIZE_MAX + 1
};
static_assert((int)LINES_SIZE_MAX <= (int)EXTRACT_TEXT_PART_SIZE_MAX,
              "the lines of any disclosure fit one part");

/* ---- Issuing ------------------------------------------------------------ */

/* The commitments are gathered in the act's space. */
struct issuing {
    struct writer *space;
    struct packing packing;
    uint32_t count;
};

/* extract_maker.take */
static enum status issue_take(void *context,
                              const struct extract_disclosure *one)
{
    struct issuing *issuing = context;
    uint8_t commitment[HASH_SIZE], lines[LINES_SIZE_MAX];
    struct writer writer;
    bool begun;

    if (issuing->count == EXTRACT_FIELDS_MAX)
        return ST_TOO_LARGE;
    writer_init(&writer, lines, sizeof lines);
    write_lines(&writer, one);
    extract_commit(commitment, one->salt, one->section_line, one->field_line);
    writer_bytes(issuing->space, commitment, HASH_SIZE);
    issuing->count++;
    return pack(&issuing->packing, &begun, writer.used);
}

/* What is current of ${section} came by ${path}; ${*found} if there is such. */
static enum status issue_current(struct extract_maker *maker, bool *found,
                                 struct writer *heads, struct subject *subject,
                                 uint8_t section, uint8_t path)
{
    struct act *act = maker->act;
    struct row_organisation organisation = {0};
    struct version_content content;
    struct row_version row;
    struct extract_head head;
    enum status status;

    if (!version_current(act, &row, subject, section, path))
        return ST_OK;
    *found = true;
    status = version_open(act, &content, &row);
    if (status != ST_OK)
        return status;
    head = (struct extract_head){
        .section = section,
        .path = row.path,
        .version = row.version,
        .flags = section_flags(&row, content.record, act->today),
        .source = row.provider};
    organisation.number = row.provider;
    if (row.provider != 0) {
        bool known = state_get(act->state, TABLE_ORGANISATION, &organisation);

        INVARIANT(known && organisation.name.size > 0);
        head.name = organisation.name;
    }
    extract_make_head(heads, &head);
    return extract_make_version(maker, &head, &row, content.record);
}

static enum status issue_sections(struct extract_maker *maker,
                                  struct writer *heads, uint16_t sections)
{
    struct subject subject;
    enum status status = ST_OK;

    if (!subject_load(maker->act, &subject, maker->act->subject))
        return ST_NO_SUCH;
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        bool found = false;

        if ((sections & SECTION_BIT(section)) == 0)
            continue;
        status =
            issue_current(maker, &found, heads, &subject, section, PATH_EHIS);
        if (status == ST_OK && section == SECTION_S05)
            status = issue_current(maker, &found, heads, &subject, section,
                                   PATH_SELF);
        if (status == ST_OK && !found)
            status = extract_make_none(maker, section);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* The commitments behind ${hashes} of the act's space, as parts of a list. */
static void issue_list(struct act *act, struct list *list_out,
                       const uint8_t (*hashes)[HASH_SIZE], uint32_t count)
{
    *list_out = list_begin(act->space);
    for (uint32_t i = 0; i < count; i += EXTRACT_HASHES_PART_MAX) {
        uint32_t left = count - i;
        struct hash_part part = {
            .hashes = slice_of(hashes[i], (size_t)HASH_SIZE *
                                              (left < EXTRACT_HASHES_PART_MAX
                                                   ? left
                                                   : EXTRACT_HASHES_PART_MAX))};

        list_add(list_out, act->space, &schema_hash_part, &part);
    }
}

enum status extract_issue(struct act *act, const struct op_extract_issue *in,
                          struct result_extract_issue *out)
{
    uint8_t heads_bytes[EXTRACT_HEADS_SIZE_MAX];
    struct issuing issuing = {.space = act->space};
    struct extract_maker maker = {.act = act,
                                  .item = act->stored_item,
                                  .place = act->index << 16 | act->item,
                                  .context = &issuing,
                                  .take = issue_take};
    struct row_extract row = {.subject = act->subject,
                              .sections = in->sections,
                              .issued = act->log_time};
    struct row_consent consent;
    struct writer heads;
    enum status status;

    act->sections = in->sections;
    /* The receipt signs the result of its whole command. */
    if (act->item != 0 || act->more_items)
        return ST_BAD_FIELD;
    status =
        section_may_read(act, &consent, in->sections, 0, slice_of(NULL, 0));
    if (status != ST_OK)
        return status;
    uint8_t(*hashes)[HASH_SIZE] =
        (uint8_t(*)[HASH_SIZE])(act->space->data + act->space->used);
    writer_init(&heads, heads_bytes, sizeof heads_bytes);
    status = issue_sections(&maker, &heads, in->sections);
    if (status != ST_OK)
        return status;
    qsort(hashes, issuing.count, HASH_SIZE, compare_hashes);
    extract_root(row.root.b, (const uint8_t(*)[HASH_SIZE])hashes,
                 issuing.count);
    row.number = state_next(act->state, SEQUENCE_EXTRACT);
    row.record = act_keep(act);
    row.heads = writer_slice(&heads);
    state_insert(act->state, TABLE_EXTRACT, &row);
    out->number = row.number;
    out->subject = act->subject;
    out->sections = in->sections;
    issue_list(act, &out->commitments, (const uint8_t(*)[HASH_SIZE])hashes,
               issuing.count);
    return ST_OK;
}

/* ---- Opening ------------------------------------------------------------ */

/* The lines are gathered in parts. */
struct opening {
    struct act *act;
    struct list *parts;
    struct packing packing;
    struct writer part;
    uint8_t bytes[EXTRACT_TEXT_PART_SIZE_MAX];
};

static void open_flush(struct opening *opening)
{
    struct text_part part = {.text = writer_slice(&opening->part)};

    if (part.text.size > 0)
        list_add(opening->parts, opening->act->space, &schema_text_part, &part);
    writer_init(&opening->part, opening->bytes, sizeof opening->bytes);
}

/* extract_maker.take */
static enum status open_take(void *context,
                             const struct extract_disclosure *one)
{
    struct opening *opening = context;
    uint8_t lines[LINES_SIZE_MAX];
    struct writer writer;
    enum status status;
    bool begun;

    writer_init(&writer, lines, sizeof lines);
    write_lines(&writer, one);
    status = pack(&opening->packing, &begun, writer.used);
    INVARIANT(status == ST_OK); /* It was so when it was issued. */
    if (begun)
        open_flush(opening);
    writer_bytes(&opening->part, lines, writer.used);
    return ST_OK;
}

static enum status open_head(struct extract_maker *maker,
                             const struct extract_head *head)
{
    struct act *act = maker->act;
    struct row_version row = {.subject = act->subject,
                              .section = head->section,
                              .version = head->version};
    struct version_content content;
    enum status status;
    bool known = state_get(act->state, TABLE_VERSION, &row);

    INVARIANT(known); /* Versions are never removed. */
    status = version_open(act, &content, &row);
    if (status != ST_OK)
        return status;
    return extract_make_version(maker, head, &row, content.record);
}

/* The sections in their order, as issue_sections() went through them. */
static enum status open_sections(struct extract_maker *maker,
                                 const struct row_extract *row)
{
    struct extract_head head;
    struct reader heads;
    enum status status = ST_OK;
    bool more;

    reader_init(&heads, row->heads);
    more = extract_make_next_head(&head, &heads);
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        if ((row->sections & SECTION_BIT(section)) == 0)
            continue;
        if (!more || head.section != section)
            status = extract_make_none(maker, section);
        while (status == ST_OK && more && head.section == section) {
            status = open_head(maker, &head);
            more = extract_make_next_head(&head, &heads);
        }
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* The item of extract.issue, copied: what the table of items lends is lent
 * until the next item is opened. */
static struct slice open_item(struct act *act,
                              uint8_t out[EXTRACT_ENTRY_SIZE_MAX],
                              uint64_t number)
{
    struct row_record record = {.number = number};
    bool known = state_get(act->state, TABLE_RECORD, &record);

    INVARIANT(known && record.item.size <= EXTRACT_ENTRY_SIZE_MAX);
    memcpy(out, record.item.data, record.item.size);
    return slice_of(out, record.item.size);
}

enum status extract_open(struct act *act, const struct op_extract_open *in,
                         struct result_extract_open *out)
{
    struct row_extract row = {.number = in->number};
    uint8_t item[EXTRACT_ENTRY_SIZE_MAX];
    struct opening opening = {.act = act, .parts = &out->parts};
    struct extract_maker maker = {
        .act = act, .context = &opening, .take = open_take};
    enum status status;

    if (!act_is_self(act, act->subject, RIGHT_READ))
        return ST_NOT_SELF;
    if (!state_get(act->state, TABLE_EXTRACT, &row) ||
        row.subject != act->subject)
        return ST_NO_SUCH;
    act->sections = row.sections;
    maker.item = open_item(act, item, row.record);
    maker.place = row.record;
    status = act->services->result_salt(act->services->context, maker.item,
                                        row.record, out->salt.b);
    if (status != ST_OK)
        return status;
    out->index = row.record >> 16;
    out->sections = row.sections;
    out->parts = list_begin(act->space);
    writer_init(&opening.part, opening.bytes, sizeof opening.bytes);
    status = open_sections(&maker, &row);
    if (status == ST_OK)
        open_flush(&opening);
    return status;
}
