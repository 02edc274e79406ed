#include "tests/lib/consent_scene.h"

#include <check.h>

void scene_open(struct scene *scene)
{
    static const uint8_t sections[] = {1, 6, 8, 10};
    struct fixture *fixture = &scene->fixture;

    fixture_open(fixture);
    scene->subject = records_voen(1, SUBJECT_LEGAL);
    feeder_open(&scene->feeder, fixture, SECTIONS_MASK);
    for (size_t i = 0; i < sizeof sections; i++)
        feeder_bring_good(&scene->feeder, scene->subject, sections[i]);
    fixture_user(fixture, &scene->owner, SCENE_FIN);
    scene->body = fixture_organisation(fixture, ORGANISATION_INSTITUTION, 0);
    fixture_participant(fixture, &scene->asker, scene->body, DUTY_REQ);
    fixture_purpose(fixture, SCENE_PURPOSE, SECTIONS_MASK, 1023);
    fixture_purpose(fixture, SCENE_PURPOSE_OTHER, SECTIONS_MASK, 1023);
}

void scene_close(struct scene *scene)
{
    fixture_close(&scene->fixture);
}

enum status scene_ask(struct scene *scene, uint32_t *case_out,
                      uint16_t sections)
{
    struct op_consent_ask in = {.sections = sections,
                                .file_number = fixture_text(SCENE_FILE),
                                .operations = CONSENT_VIEW | CONSENT_COPY,
                                .until =
                                    scene->fixture.log_time + 20 * SCENE_DAY,
                                .text = fixture_text("Qrant müsabiqəsi")};
    struct result_consent_ask out = {.consent = 0};
    enum status code =
        fixture_run(&scene->fixture, &scene->asker, OPCODE_CONSENT_ASK, &in,
                    scene->subject, SCENE_PURPOSE, scene->asker.duty, &out);

    *case_out = out.consent;
    return code;
}

struct op_consent_grant scene_grant_fields(const struct scene *scene,
                                           uint32_t consent, uint16_t sections,
                                           uint16_t uses, int32_t days)
{
    return (struct op_consent_grant){
        .consent = consent,
        .sections = sections,
        .uses_max = uses,
        .until = scene->fixture.log_time + days * SCENE_DAY,
        .operations = CONSENT_VIEW,
        .after_use = 1,
        .revocation = fixture_text("istənilən vaxt")};
}

enum status scene_grant(struct scene *scene, uint32_t consent,
                        uint16_t sections, uint16_t uses, int32_t days)
{
    struct op_consent_grant in =
        scene_grant_fields(scene, consent, sections, uses, days);

    return scene_step(scene, OPCODE_CONSENT_GRANT, &in, 1);
}

enum status scene_read(struct scene *scene, uint32_t consent, uint16_t sections,
                       struct result_consent_read *out)
{
    struct op_consent_read in = {.consent = consent,
                                 .sections = sections,
                                 .file_number = fixture_text(SCENE_FILE)};

    return fixture_run(&scene->fixture, &scene->asker, OPCODE_CONSENT_READ, &in,
                       scene->subject, SCENE_PURPOSE, scene->asker.duty, out);
}

enum status scene_step(struct scene *scene, uint16_t opcode, const void *fields,
                       uint64_t version)
{
    scene->fixture.expect_version = version;
    return fixture_run(&scene->fixture, &scene->owner, opcode, fields,
                       scene->subject, 0, 0, NULL);
}

struct row_consent scene_case(struct scene *scene, uint32_t consent)
{
    struct row_consent row = {.number = consent};

    ck_assert(state_get(scene->fixture.state, TABLE_CONSENT, &row));
    return row;
}
