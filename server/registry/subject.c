#include "server/registry/subject.h"

#include <string.h>

#include "protocol/voen.h"
#include "server/registry/consent.h"
#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"
#include "server/registry/section.h"
#include "server/registry/version.h"

static const struct bytes32 no_basis;

static void heads_decode(struct subject *subject, struct slice heads)
{
    struct reader reader;

    reader_init(&reader, heads);
    for (size_t i = 0; i < SECTIONS_COUNT; i++) {
        subject->current[i] = reader_u32(&reader);
        subject->newest[i] = reader_u32(&reader);
    }
    subject->own_contacts = reader_u32(&reader);
    INVARIANT(reader_end(&reader) == ST_OK);
}

static void heads_encode(const struct subject *subject,
                         uint8_t out[SUBJECT_HEADS_SIZE])
{
    struct writer writer;

    writer_init(&writer, out, SUBJECT_HEADS_SIZE);
    for (size_t i = 0; i < SECTIONS_COUNT; i++) {
        writer_u32(&writer, subject->current[i]);
        writer_u32(&writer, subject->newest[i]);
    }
    writer_u32(&writer, subject->own_contacts);
    ENSURE(writer.status == ST_OK && writer.used == SUBJECT_HEADS_SIZE);
}

bool subject_load(struct act *act, struct subject *subject_out, uint64_t voen)
{
    *subject_out = (struct subject){.row.voen = voen};
    if (!state_get(act->state, TABLE_SUBJECT, &subject_out->row))
        return false;
    heads_decode(subject_out, subject_out->row.heads);
    subject_out->row.heads = slice_of(NULL, 0);
    return true;
}

void subject_store(struct act *act, const struct subject *subject)
{
    uint8_t heads[SUBJECT_HEADS_SIZE];
    struct row_subject row = subject->row;

    heads_encode(subject, heads);
    row.heads = slice_of(heads, sizeof(heads));
    state_update(act->state, TABLE_SUBJECT, &row);
}

enum status subject_check_voen(struct act *act, uint8_t *kind_out,
                               uint16_t *flags_out, uint64_t voen)
{
    enum voen_verdict verdict = voen_check(voen);

    *kind_out = 0;
    *flags_out = 0;
    if (verdict == VOEN_INVALID)
        return ST_BAD_VOEN;
    if (verdict == VOEN_MISMATCH) {
        if (state_setting(act->state, SETTING_voen_strict) != 0)
            return ST_BAD_VOEN;
        *flags_out = FLAG_VOEN_DIFFERS;
    }
    *kind_out = (uint8_t)(voen % 10);
    ENSURE(*kind_out == SUBJECT_LEGAL || *kind_out == SUBJECT_INDIVIDUAL);
    return ST_OK;
}

void subject_create(struct act *act, struct subject *subject_out, uint64_t voen,
                    uint8_t kind, int32_t opened)
{
    uint8_t heads[SUBJECT_HEADS_SIZE];
    struct row_subject row = {
        .voen = voen, .kind = kind, .state = SUBJECT_ACTIVE, .opened = opened};

    row.cabinet = state_next(act->state, SEQUENCE_CABINET);
    *subject_out = (struct subject){.row = row};
    heads_encode(subject_out, heads);
    row.heads = slice_of(heads, sizeof(heads));
    state_insert(act->state, TABLE_SUBJECT, &row);
}

void subject_end(struct act *act, struct subject *subject, int32_t closed)
{
    REQUIRE(subject->row.state != SUBJECT_CLOSED);
    subject->row.state = SUBJECT_CLOSED;
    subject->row.closed = closed;
    consent_subject_left(act, subject->row.voen);
}

/* A body opens subjects only if it gives out their numbers; another one does
 * not learn whose records were destroyed. */
static enum status check_authority(struct act *act)
{
    struct row_organisation organisation = {.number = act->organisation};

    if (act->duty == DUTY_SUP &&
        (!state_get(act->state, TABLE_ORGANISATION, &organisation) ||
         (organisation.sections & SECTION_BIT(SECTION_S03)) == 0))
        return ST_NOT_AUTHORITY;
    return destroy_subject_is_erased(act->state, act->subject) ? ST_ERASED
                                                               : ST_OK;
}

enum status subject_open(struct act *act, const struct op_subject_open *in,
                         struct result_subject_open *out)
{
    struct subject subject;
    uint16_t flags;
    uint8_t kind;
    enum status status;

    (void)out;
    status = check_authority(act);
    if (status != ST_OK)
        return status;
    status = subject_check_voen(act, &kind, &flags, act->subject);
    if (status != ST_OK)
        return status;
    if (kind != in->kind || in->opened > act->today)
        return ST_BAD_FIELD;
    if (subject_load(act, &subject, act->subject))
        return ST_EXISTS;
    if (act->expect_version != 0)
        return ST_NO_SUCH;
    subject_create(act, &subject, act->subject, kind, in->opened);
    return ST_OK;
}

enum status subject_close(struct act *act, const struct op_subject_close *in,
                          struct result_subject_close *out)
{
    struct subject subject;
    enum status status;

    (void)out;
    status = check_authority(act);
    if (status != ST_OK)
        return status;
    if (memcmp(&in->basis, &no_basis, sizeof(no_basis)) == 0)
        return ST_NO_BASIS;
    if (!subject_load(act, &subject, act->subject))
        return ST_NO_SUCH;
    if (subject.row.state == SUBJECT_CLOSED)
        return ST_WRONG_STATE;
    if (in->closed < subject.row.opened || in->closed > act->today)
        return ST_BAD_FIELD;
    subject_end(act, &subject, in->closed);
    subject_store(act, &subject);
    return ST_OK;
}

static void add_head(struct act *act, struct list *heads,
                     struct subject *subject, uint8_t section, uint8_t path)
{
    struct row_version row;
    struct head_row head;

    if (!version_current(act, &row, subject, section, path))
        return;
    head = (struct head_row){.section = section,
                             .version = row.version,
                             .provider = row.provider,
                             .as_of = row.as_of,
                             .received = row.received,
                             .flags = row.flags};
    list_add(heads, act->space, &schema_head_row, &head);
}

enum status subject_head(struct act *act, const struct op_subject_head *in,
                         struct result_subject_head *out)
{
    struct subject subject;
    struct row_consent consent;
    uint16_t sections = SECTIONS_MASK;
    enum status status;

    status = section_may_read(act, &consent, 0, in->consent, in->file_number);
    if (status != ST_OK)
        return status;
    if (!subject_load(act, &subject, act->subject))
        return ST_NO_SUCH;
    if (consent.number != 0)
        sections = consent.granted;
    out->kind = subject.row.kind;
    out->state = subject.row.state;
    out->opened = subject.row.opened;
    out->closed = subject.row.closed;
    out->cabinet = subject.row.cabinet;
    out->heads = list_begin(act->space);
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        if ((sections & SECTION_BIT(section)) == 0)
            continue;
        add_head(act, &out->heads, &subject, section, PATH_EHIS);
        if (section == SECTION_S05)
            add_head(act, &out->heads, &subject, section, PATH_SELF);
    }
    if (consent.number != 0)
        consent_use(act, &consent);
    return ST_OK;
}
