#include "server/registry/section.h"

#include "server/registry/consent.h"
#include "server/registry/dispatch.h"
#include "server/registry/version.h"

enum {
    /* What of a version_row has always the same size, rounded up. */
    VERSION_ROW_SIZE = 128,
    /* Of a result, what is not rows. */
    RESULT_REST_SIZE = 256
};

static bool reads_own_data(const struct act *act, uint32_t consent)
{
    return act->duty == DUTY_USR && consent == 0;
}

static enum status check_staff(struct act *act, uint16_t sections,
                               struct slice file_number)
{
    if (file_number.size == 0)
        return ST_NO_PURPOSE;
    return act_check_purpose(act, sections);
}

static bool has_supplied(struct act *act, struct subject *subject)
{
    struct row_version row;

    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        if (version_current(act, &row, subject, section, PATH_EHIS) &&
            row.provider == act->organisation)
            return true;
    }
    return false;
}

/* Nobody but its own persons reads a subject that is out of scope; and
 * a supplier that brought nothing of it does not learn that it is there. */
static enum status check_scope(struct act *act)
{
    struct subject subject;

    if (!subject_load(act, &subject, act->subject) ||
        subject.row.state != SUBJECT_OUT_OF_SCOPE)
        return ST_OK;
    return act->duty == DUTY_SUP && !has_supplied(act, &subject)
               ? ST_NO_SUCH
               : ST_OUT_OF_SCOPE;
}

enum status section_may_read(struct act *act, struct row_consent *consent_out,
                             uint16_t sections, uint32_t consent,
                             struct slice file_number)
{
    enum status status = ST_OK;

    *consent_out = (struct row_consent){0};
    act->sections = sections;
    if (reads_own_data(act, consent)) {
        if (!act_is_self(act, act->subject, RIGHT_READ))
            return ST_NOT_SELF;
        return act->purpose == 0 ? ST_OK : act_check_purpose(act, sections);
    }
    if (act->letter == 'g') {
        status =
            consent_check(act, consent_out, consent, sections, file_number);
    } else if (consent != 0) {
        status = ST_BAD_FIELD;
    } else if (act->duty == DUTY_REG || act->duty == DUTY_CHK) {
        status = check_staff(act, sections, file_number);
    }
    return status == ST_OK ? check_scope(act) : status;
}

uint16_t section_flags(const struct row_version *row, struct slice record,
                       int32_t day)
{
    struct record_s07 licences;
    struct field_error error;
    enum status status;

    if (row->section != SECTION_S07)
        return row->flags;
    status = schema_decode(&schema_record_s07, &licences, &error, record,
                           SCHEMA_REFUSE_UNKNOWN);
    INVARIANT(status == ST_OK);
    if (!section_check_expired(&licences, day))
        return row->flags;
    return row->flags | FLAG_EXPIRED;
}

/* ST_END where the row would not fit into a result any more. */
static enum status add_row(struct act *act, struct list *list,
                           const struct row_version *row)
{
    struct version_content content;
    struct version_row shown;
    enum status status = version_open(act, &content, row);

    if (status != ST_OK)
        return status;
    if (RESULT_SIZE_MAX - RESULT_REST_SIZE - list->bytes.size <
        VERSION_ROW_SIZE + content.record.size + content.provider_record.size)
        return ST_END;
    shown = (struct version_row){
        .section = row->section,
        .version = row->version,
        .state = row->state,
        .provider = row->provider,
        .provider_record = content.provider_record,
        .as_of = row->as_of,
        .received = row->received,
        .path = row->path,
        .basis = row->basis,
        .flags = section_flags(row, content.record, act->today),
        .record = content.record,
    };
    list_add(list, act->space, &schema_version_row, &shown);
    return ST_OK;
}

static enum status add_current(struct act *act, struct list *list,
                               struct subject *subject, uint8_t section,
                               uint8_t path, uint32_t provider)
{
    struct row_version row;
    enum status status;

    if (!version_current(act, &row, subject, section, path))
        return ST_OK;
    if (provider != 0 && row.provider != provider)
        return ST_OK;
    status = add_row(act, list, &row);
    INVARIANT(status != ST_END); /* Fourteen records always fit. */
    return status;
}

enum status section_collect(struct act *act, struct list *list_out,
                            uint64_t subject_voen, uint16_t sections,
                            uint32_t provider)
{
    struct subject subject;
    enum status status = ST_OK;

    *list_out = list_begin(act->space);
    if (!subject_load(act, &subject, subject_voen))
        return ST_NO_SUCH;
    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        if ((sections & SECTION_BIT(section)) == 0)
            continue;
        status =
            add_current(act, list_out, &subject, section, PATH_EHIS, provider);
        if (status == ST_OK && section == SECTION_S05)
            status = add_current(act, list_out, &subject, section, PATH_SELF,
                                 provider);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* Only with one section is there one version to compare with. */
static bool one_section(uint16_t sections)
{
    return sections != 0 && (sections & (sections - 1)) == 0;
}

static bool unchanged_since(struct act *act, uint16_t sections,
                            uint64_t if_version)
{
    struct subject subject;
    uint32_t current = 0;

    if (!subject_load(act, &subject, act->subject))
        return false;
    for (uint8_t i = 0; i < SECTIONS_COUNT; i++) {
        if (sections == SECTION_BIT(i + 1))
            current = subject.current[i];
    }
    if (sections == SECTION_BIT(SECTION_S05) && subject.own_contacts > current)
        current = subject.own_contacts;
    return current != 0 && current <= if_version;
}

enum status section_get(struct act *act, const struct op_section_get *in,
                        struct result_section_get *out)
{
    struct row_consent consent;
    enum status status;

    act->sections = in->sections;
    if (in->if_version != 0 && !one_section(in->sections))
        return ST_BAD_FIELD;
    status = section_may_read(act, &consent, in->sections, in->consent,
                              in->file_number);
    if (status != ST_OK)
        return status;
    if (act->duty != DUTY_SUP && in->if_version != 0 &&
        unchanged_since(act, in->sections, in->if_version)) {
        status = ST_NOT_MODIFIED;
    } else {
        status =
            section_collect(act, &out->versions, act->subject, in->sections,
                            act->duty == DUTY_SUP ? act->organisation : 0);
    }
    if (act->duty == DUTY_SUP && status == ST_OK && out->versions.count == 0)
        return ST_NO_SUCH; /* As where there is no such subject. */
    if (consent.number != 0 && (status == ST_OK || status == ST_NOT_MODIFIED))
        consent_use(act, &consent);
    return status;
}

/* What nobody confirmed only the owner's staff sees. */
static bool shows(const struct act *act, const struct row_version *row)
{
    bool confirmed =
        row->state == VERSION_CURRENT || row->state == VERSION_FORMER;

    if (act->duty == DUTY_SUP && row->provider != act->organisation)
        return false;
    return confirmed || act->duty == DUTY_REG || act->duty == DUTY_CHK;
}

enum status section_history(struct act *act,
                            const struct op_section_history *in,
                            struct result_section_history *out)
{
    struct row_version row = {.subject = act->subject, .section = in->section};
    struct row_version rows[HISTORY_ROWS_MAX];
    struct row_consent consent;
    struct state_scan scan;
    enum status status;
    uint8_t count = 0;

    status = section_may_read(act, &consent, SECTION_BIT(in->section), 0,
                              in->file_number);
    if (status != ST_OK)
        return status;
    row.version = in->before == 0 || in->before > UINT32_MAX
                      ? UINT32_MAX
                      : (uint32_t)(in->before - 1);
    state_scan_key(
        act->state, &scan, TABLE_VERSION, &row,
        (struct state_range){.equal = 2, .from = true, .descending = true});
    while (count < in->limit && state_scan_next(&scan, &rows[count])) {
        if (shows(act, &rows[count]))
            count++;
    }
    state_scan_close(&scan);
    if (count == 0)
        return ST_NO_SUCH;
    out->versions = list_begin(act->space);
    for (uint8_t i = 0; i < count && status == ST_OK; i++)
        status = add_row(act, &out->versions, &rows[i]);
    return status == ST_END ? ST_OK : status;
}
