#include "server/registry/version.h"

#include "server/registry/consent.h"
#include "server/store/search.h"

enum { REPRESENTATIVES_MAX = 33 }; /* The individual and those of S01. */
enum representative_kind { REPRESENTATIVE_SELF = 1, REPRESENTATIVE_NAMED = 2 };

/* What of the fields of the item that brought a version is its content. */
static enum status content_of(struct version_content *out, struct slice fields,
                              uint8_t path)
{
    struct field_error error;
    struct op_feed_put feed;
    struct op_section_put put;
    struct op_section_self_put self;
    enum status status = ST_BAD_FIELD;

    *out = (struct version_content){0};
    switch ((enum section_path)path) {
    case PATH_EHIS:
        status = schema_decode(&schema_op_feed_put, &feed, &error, fields,
                               SCHEMA_REFUSE_UNKNOWN);
        *out = (struct version_content){feed.record, feed.provider_record};
        break;
    case PATH_SUBMISSION:
    case PATH_OWNER:
        status = schema_decode(&schema_op_section_put, &put, &error, fields,
                               SCHEMA_REFUSE_UNKNOWN);
        out->record = put.record;
        break;
    case PATH_SELF:
        status = schema_decode(&schema_op_section_self_put, &self, &error,
                               fields, SCHEMA_REFUSE_UNKNOWN);
        out->record = self.record;
        break;
    }
    return status;
}

enum status version_open(struct act *act, struct version_content *content_out,
                         const struct row_version *row)
{
    struct row_record record = {.number = row->record};
    struct slice fields;
    enum status status;
    bool found = state_get(act->state, TABLE_RECORD, &record);

    INVARIANT(found);
    status =
        act->services->open_item(act->services->context, record.item, &fields);
    if (status != ST_OK)
        return status;
    status = content_of(content_out, fields, row->path);
    INVARIANT(status == ST_OK); /* It decoded when it was applied. */
    return ST_OK;
}

enum status version_decode(struct act *act, union section_record *record_out,
                           const struct row_version *row)
{
    struct version_content content;
    struct field_error error;
    enum status status = version_open(act, &content, row);

    if (status != ST_OK)
        return status;
    status = schema_decode(section_info(row->section)->record, record_out,
                           &error, content.record, SCHEMA_REFUSE_UNKNOWN);
    INVARIANT(status == ST_OK);
    return ST_OK;
}

uint32_t *version_head(struct subject *subject, uint8_t section, uint8_t path)
{
    REQUIRE(section >= 1 && section <= SECTIONS_COUNT);
    if (section == SECTION_S05 && path == PATH_SELF)
        return &subject->own_contacts;
    return &subject->current[section - 1];
}

bool version_current(struct act *act, struct row_version *row_out,
                     struct subject *subject, uint8_t section, uint8_t path)
{
    bool found;

    *row_out =
        (struct row_version){.subject = subject->row.voen,
                             .section = section,
                             .version = *version_head(subject, section, path)};
    if (row_out->version == 0)
        return false;
    found = state_get(act->state, TABLE_VERSION, row_out);
    INVARIANT(found);
    return true;
}

bool version_has_effects(uint8_t section)
{
    return section == SECTION_S01 || section == SECTION_S04 ||
           section == SECTION_S06;
}

void version_add(struct act *act, struct subject *subject,
                 struct row_version *row)
{
    uint32_t *newest = &subject->newest[row->section - 1];

    REQUIRE(row->state == VERSION_PENDING || row->state == VERSION_CURRENT);
    INVARIANT(*newest < UINT32_MAX);
    *newest += 1;
    row->subject = subject->row.voen;
    row->version = *newest;
    row->received = act->log_time;
    state_insert(act->state, TABLE_VERSION, row);
}

void version_forget_representatives(struct act *act, uint64_t voen)
{
    struct row_representative rows[REPRESENTATIVES_MAX];
    struct row_representative from = {.subject = voen};
    struct state_scan scan;
    size_t count = 0;

    state_scan_key(act->state, &scan, TABLE_REPRESENTATIVE, &from,
                   (struct state_range){.equal = 1});
    while (count < REPRESENTATIVES_MAX && state_scan_next(&scan, &rows[count]))
        count++;
    state_scan_close(&scan);
    for (size_t i = 0; i < count; i++)
        state_delete(act->state, TABLE_REPRESENTATIVE, &rows[i]);
}

static void add_representative(struct act *act, uint16_t *seq,
                               struct row_representative row, struct slice fin)
{
    if (fin.size == 0)
        return; /* Nobody can be found by it. */
    row.seq = *seq;
    *seq = (uint16_t)(*seq + 1);
    act_tag(act, &row.fin_tag, TAG_FIN, fin);
    state_insert(act->state, TABLE_REPRESENTATIVE, &row);
}

/* Who is named no longer loses the cabinet with this very entry. */
static void settle_names(struct act *act, uint64_t voen,
                         const struct record_s01 *record)
{
    struct row_representative row = {.subject = voen,
                                     .kind = REPRESENTATIVE_SELF};
    struct list_reader reader;
    struct representative person;
    uint16_t seq = 0;

    version_forget_representatives(act, voen);
    add_representative(act, &seq, row, record->fin);
    list_reader_init(&reader, &record->representatives);
    while (list_reader_next(&reader, &schema_representative, &person)) {
        row.kind = REPRESENTATIVE_NAMED;
        row.from = person.from;
        row.to = person.to;
        add_representative(act, &seq, row, person.fin);
    }
}

/* One name after another in ${out}; the parts that are empty leave no mark. */
static void join_name(struct writer *out, struct slice part)
{
    if (part.size == 0)
        return;
    if (out->used > 0)
        writer_u8(out, ' ');
    writer_bytes(out, part.data, part.size);
}

size_t version_name(uint8_t out[VERSION_NAME_SIZE_MAX],
                    const struct record_s01 *record)
{
    struct writer name;

    writer_init(&name, out, VERSION_NAME_SIZE_MAX);
    join_name(&name, record->full_name);
    join_name(&name, record->short_name);
    join_name(&name, record->surname);
    join_name(&name, record->given);
    join_name(&name, record->patronymic);
    ENSURE(name.status == ST_OK);
    return name.used;
}

void version_index(struct act *act, uint64_t subject,
                   const struct record_s01 *record)
{
    uint8_t name[VERSION_NAME_SIZE_MAX];
    size_t size;

    if (act->services->search == NULL)
        return;
    size = version_name(name, record);
    search_put(act->services->search, subject, slice_of(name, size));
}

void version_index_all(struct act *act)
{
    struct row_subject from = {.voen = 0};
    struct state_scan scan;
    struct subject subject;
    struct row_version row;
    union section_record record;

    state_scan_key(act->state, &scan, TABLE_SUBJECT, &from,
                   (struct state_range){.from = true});
    while (state_scan_next(&scan, &from)) {
        if (subject_load(act, &subject, from.voen) &&
            version_current(act, &row, &subject, SECTION_S01, PATH_EHIS) &&
            version_decode(act, &record, &row) == ST_OK)
            version_index(act, from.voen, &record.s01);
    }
    state_scan_close(&scan);
}

static void settle_class(struct act *act, struct subject *subject,
                         const struct record_s06 *record)
{
    bool large = record->class == CLASS_LARGE;

    if (large && subject->row.state == SUBJECT_ACTIVE) {
        subject->row.state = SUBJECT_OUT_OF_SCOPE;
        consent_subject_left(act, subject->row.voen);
    } else if (!large && subject->row.state == SUBJECT_OUT_OF_SCOPE) {
        subject->row.state = SUBJECT_ACTIVE;
    }
}

void version_settle(struct act *act, struct subject *subject,
                    const struct row_version *row,
                    const union section_record *record)
{
    struct row_version former;

    REQUIRE(IMPLIES(version_has_effects(row->section), record != NULL));
    if (version_current(act, &former, subject, row->section, row->path)) {
        former.state = VERSION_FORMER;
        state_update(act->state, TABLE_VERSION, &former);
    }
    *version_head(subject, row->section, row->path) = row->version;
    if (row->section == SECTION_S01) {
        settle_names(act, subject->row.voen, &record->s01);
        version_index(act, subject->row.voen, &record->s01);
    }
    if (row->section == SECTION_S04 && record->s04.liquidated != 0 &&
        subject->row.state != SUBJECT_CLOSED)
        subject_end(act, subject, record->s04.liquidated);
    if (row->section == SECTION_S06)
        settle_class(act, subject, &record->s06);
}

/* The first-year rule needs the day of registration, which S04 holds. */
static void scene_registration(struct act *act, struct section_scene *scene,
                               struct subject *subject)
{
    struct row_version row;
    union section_record record;

    if (!version_current(act, &row, subject, SECTION_S04, PATH_EHIS) ||
        version_decode(act, &record, &row) != ST_OK)
        return;
    scene->registered_known = true;
    scene->registered = record.s04.registered;
}

void version_scene(struct act *act, struct section_scene *scene_out,
                   struct subject *subject, uint8_t section, uint8_t path)
{
    struct row_organisation organisation = {.number = act->organisation};

    *scene_out = (struct section_scene){
        .subject = subject->row.voen,
        .kind = subject->row.kind,
        .path = path,
        .today = act->today,
        .voen_strict = state_setting(act->state, SETTING_voen_strict) != 0,
    };
    if (section == SECTION_S06)
        scene_registration(act, scene_out, subject);
    if (section == SECTION_S11 && path != PATH_SELF &&
        state_get(act->state, TABLE_ORGANISATION, &organisation))
        scene_out->provider = organisation.name;
}
