#include <string.h>

#include "server/registry/dispatch.h"
#include "server/registry/version.h"

static const struct bytes32 no_basis;

/* What expect_version says against the newest version (PROTOCOL, section 6). */
static enum status check_expected(const struct act *act, uint32_t newest)
{
    if (act->expect_version == newest)
        return ST_OK;
    if (act->expect_version == 0)
        return ST_EXISTS;
    return newest == 0 ? ST_NO_SUCH : ST_VERSION_CONFLICT;
}

/* A put of one record: judged, kept, added; current unless it is pending. */
struct put {
    uint8_t section;
    uint8_t path;
    uint16_t outer; /* Number of the record's field in the item. */
    int32_t as_of;
    struct bytes32 basis;
    struct slice record;
};

static enum status put_version(struct act *act, const struct put *put,
                               struct subject *subject, uint64_t *version_out,
                               uint16_t *field_out)
{
    struct section_scene scene;
    struct section_finding finding;
    union section_record record;
    struct row_version row = {.section = put->section,
                              .state = VERSION_PENDING,
                              .path = put->path,
                              .as_of = put->as_of,
                              .basis = put->basis,
                              .entered_by = act->signer.person};
    enum status status;

    version_scene(act, &scene, subject, put->section, put->path);
    status =
        section_check(&scene, &record, &finding, put->section, put->record);
    if (status != ST_OK) {
        act->field = (uint16_t)(put->outer << 8 | finding.field);
        *field_out = act->field;
        return status;
    }
    row.flags = finding.flags;
    row.record = act_keep(act);
    if (put->path != PATH_SELF) {
        row.provider = act->organisation;
    } else {
        row.state = VERSION_CURRENT;
    }
    version_add(act, subject, &row);
    if (row.state == VERSION_CURRENT)
        version_settle(act, subject, &row, &record);
    subject_store(act, subject);
    *version_out = row.version;
    return ST_OK;
}

enum status section_put(struct act *act, const struct op_section_put *in,
                        struct result_section_put *out)
{
    const struct put put = {.section = in->section,
                            .path = PATH_OWNER,
                            .outer = 5,
                            .as_of = in->as_of,
                            .basis = in->basis,
                            .record = in->record};
    struct subject subject;
    enum status status;

    act->sections = SECTION_BIT(in->section);
    if (memcmp(&in->basis, &no_basis, sizeof(no_basis)) == 0)
        return ST_NO_BASIS;
    if (!subject_load(act, &subject, act->subject))
        return ST_NO_SUCH;
    status = check_expected(act, subject.newest[in->section - 1]);
    if (status != ST_OK)
        return status;
    if (in->as_of > act->today)
        return ST_BAD_FIELD;
    return put_version(act, &put, &subject, &out->version, &out->field);
}

enum status section_self_put(struct act *act,
                             const struct op_section_self_put *in,
                             struct result_section_self_put *out)
{
    const struct put put = {.section = in->section,
                            .path = PATH_SELF,
                            .outer = 3,
                            .as_of = in->as_of,
                            .record = in->record};
    struct subject subject;
    enum status status;

    act->sections = SECTION_BIT(in->section);
    if (!act_is_self(act, act->subject, RIGHT_CHANGE))
        return ST_NOT_SELF;
    if (in->section != SECTION_S05)
        return ST_NOT_AUTHORITY;
    if (!subject_load(act, &subject, act->subject))
        return ST_NO_SUCH;
    status = check_expected(act, subject.newest[in->section - 1]);
    if (status != ST_OK)
        return status;
    if (subject.row.state == SUBJECT_CLOSED)
        return ST_WRONG_STATE;
    if (in->as_of > act->today)
        return ST_BAD_FIELD;
    return put_version(act, &put, &subject, &out->version, &out->field);
}

/* A version that waits for a second person, who is not the first. */
static enum status load_pending(struct act *act, struct subject *subject_out,
                                struct row_version *row_out, uint8_t section,
                                uint64_t version)
{
    act->sections = SECTION_BIT(section);
    *row_out = (struct row_version){.subject = act->subject,
                                    .section = section,
                                    .version = (uint32_t)version};
    if (!subject_load(act, subject_out, act->subject) || version > UINT32_MAX ||
        !state_get(act->state, TABLE_VERSION, row_out))
        return ST_NO_SUCH;
    if (act->expect_version != 0 && act->expect_version != version)
        return ST_VERSION_CONFLICT;
    if (row_out->state != VERSION_PENDING)
        return ST_WRONG_STATE;
    if (row_out->entered_by == act->signer.person)
        return ST_SELF_APPROVE;
    return ST_OK;
}

enum status section_confirm(struct act *act,
                            const struct op_section_confirm *in,
                            struct result_section_confirm *out)
{
    struct subject subject;
    struct row_version row;
    union section_record record;
    enum status status;

    (void)out;
    status = load_pending(act, &subject, &row, in->section, in->version);
    if (status != ST_OK)
        return status;
    /* What a feed brought meanwhile is newer, and is not pushed back. */
    if (*version_head(&subject, row.section, row.path) > row.version)
        return ST_VERSION_CONFLICT;
    if (version_has_effects(row.section)) {
        status = version_decode(act, &record, &row);
        if (status != ST_OK)
            return status;
    }
    row.state = VERSION_CURRENT;
    row.confirmed_by = act->signer.person;
    state_update(act->state, TABLE_VERSION, &row);
    version_settle(act, &subject, &row, &record);
    subject_store(act, &subject);
    return ST_OK;
}

enum status section_return(struct act *act, const struct op_section_return *in,
                           struct result_section_return *out)
{
    struct subject subject;
    struct row_version row;
    enum status status;

    (void)out;
    status = load_pending(act, &subject, &row, in->section, in->version);
    if (status != ST_OK)
        return status;
    row.state = VERSION_RETURNED;
    row.confirmed_by = act->signer.person;
    state_update(act->state, TABLE_VERSION, &row);
    return ST_OK;
}
