#include "tests/lib/consent_scene.h"

#include <string.h>

#include "tests/lib/suite.h"

/* Mandate ${to} with ${rights} for 30 days; its number in ${out}. */
static enum status give(struct scene *scene, const struct fixture_actor *from,
                        const struct fixture_actor *to, uint16_t rights,
                        struct result_mandate_give *out)
{
    struct op_mandate_give in = {.person = to->person, .rights = rights};

    in.from = act_day(scene->fixture.state, scene->fixture.log_time);
    in.to = in.from + 30;
    return fixture_run(&scene->fixture, from, OPCODE_MANDATE_GIVE, &in,
                       scene->subject, 0, 0, out);
}

static enum status get(struct scene *scene, const struct fixture_actor *actor)
{
    struct op_section_get in = {.sections = SCENE_S06};

    return fixture_run(&scene->fixture, actor, OPCODE_SECTION_GET, &in,
                       scene->subject, 0, 0, NULL);
}

static enum status grant(struct scene *scene, const struct fixture_actor *actor,
                         uint32_t consent)
{
    struct op_consent_grant in =
        scene_grant_fields(scene, consent, SCENE_S06, 1, 5);

    scene->fixture.expect_version = 1;
    return fixture_run(&scene->fixture, actor, OPCODE_CONSENT_GRANT, &in,
                       scene->subject, 0, 0, NULL);
}

START_TEST(a_mandate_gives_the_rights_it_names_and_no_others)
{
    struct scene scene;
    struct fixture_actor agent;
    uint32_t consent;

    scene_open(&scene);
    fixture_user(&scene.fixture, &agent, "7654321");
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(get(&scene, &agent), ST_NOT_SELF);
    ck_assert_int_eq(give(&scene, &scene.owner, &agent, RIGHT_READ, NULL),
                     ST_OK);
    ck_assert_int_eq(get(&scene, &agent), ST_OK);
    ck_assert_int_eq(grant(&scene, &agent, consent), ST_NOT_SELF);
    ck_assert_int_eq(give(&scene, &scene.owner, &agent, RIGHT_CONSENT, NULL),
                     ST_OK);
    ck_assert_int_eq(grant(&scene, &agent, consent), ST_OK);
    fixture_wait(&scene.fixture, 31);
    fixture_session(&scene.fixture, &agent);
    ck_assert_int_eq(get(&scene, &agent), ST_NOT_SELF);
    scene_close(&scene);
}
END_TEST

START_TEST(an_agent_passes_on_only_what_he_has_and_for_no_longer)
{
    struct scene scene;
    struct fixture_actor agent, clerk;
    struct op_mandate_give longer;

    scene_open(&scene);
    fixture_user(&scene.fixture, &agent, "7654321");
    fixture_user(&scene.fixture, &clerk, "7654322");
    ck_assert_int_eq(give(&scene, &agent, &clerk, RIGHT_READ, NULL),
                     ST_NOT_SELF);
    ck_assert_int_eq(
        give(&scene, &scene.owner, &agent, RIGHT_READ | RIGHT_CHANGE, NULL),
        ST_OK);
    ck_assert_int_eq(give(&scene, &agent, &clerk, RIGHT_READ, NULL),
                     ST_NOT_SELF); /* Without the consent right. */
    ck_assert_int_eq(
        give(&scene, &scene.owner, &agent, RIGHT_READ | RIGHT_CONSENT, NULL),
        ST_OK);
    ck_assert_int_eq(give(&scene, &agent, &clerk, RIGHT_CASES, NULL),
                     ST_NOT_SELF);
    longer =
        (struct op_mandate_give){.person = clerk.person, .rights = RIGHT_READ};
    longer.from = act_day(scene.fixture.state, scene.fixture.log_time);
    longer.to = longer.from + 31;
    ck_assert_int_eq(fixture_run(&scene.fixture, &agent, OPCODE_MANDATE_GIVE,
                                 &longer, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    longer.to = 0; /* Without end is longer, too. */
    ck_assert_int_eq(fixture_run(&scene.fixture, &agent, OPCODE_MANDATE_GIVE,
                                 &longer, scene.subject, 0, 0, NULL),
                     ST_NOT_SELF);
    ck_assert_int_eq(give(&scene, &agent, &clerk, RIGHT_READ, NULL), ST_OK);
    ck_assert_int_eq(get(&scene, &clerk), ST_OK);
    scene_close(&scene);
}
END_TEST

/* Else any number of them could make each act of the person slow. */
START_TEST(a_person_has_no_more_mandates_about_a_subject_than_there_may_be)
{
    struct scene scene;
    struct fixture_actor agent, clerk;

    scene_open(&scene);
    fixture_user(&scene.fixture, &agent, "7654321");
    fixture_user(&scene.fixture, &clerk, "7654322");
    for (int i = 0; i < MANDATES_MAX; i++)
        ck_assert_int_eq(give(&scene, &scene.owner, &agent, RIGHT_READ, NULL),
                         ST_OK);
    ck_assert_int_eq(give(&scene, &scene.owner, &agent, RIGHT_READ, NULL),
                     ST_QUOTA);
    ck_assert_int_eq(give(&scene, &scene.owner, &clerk, RIGHT_READ, NULL),
                     ST_OK);
    ck_assert_int_eq(get(&scene, &agent), ST_OK);
    scene_close(&scene);
}
END_TEST

START_TEST(a_mandate_without_end_ends_with_the_longest_term)
{
    struct scene scene;
    struct fixture_actor agent;
    struct op_mandate_give in = {.rights = RIGHT_READ};
    struct row_mandate row = {.number = 1};

    scene_open(&scene);
    fixture_user(&scene.fixture, &agent, "7654321");
    in.person = agent.person;
    in.from = act_day(scene.fixture.state, scene.fixture.log_time);
    in.to = in.from + 1096; /* The setting says 1095. */
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_MANDATE_GIVE, &in, scene.subject, 0, 0,
                                 NULL),
                     ST_BAD_FIELD);
    in.to = 0;
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_MANDATE_GIVE, &in, scene.subject, 0, 0,
                                 NULL),
                     ST_OK);
    ck_assert(state_get(scene.fixture.state, TABLE_MANDATE, &row));
    ck_assert_int_eq(row.to, in.from + 1095);
    in.person = 4711;
    ck_assert_int_eq(fixture_run(&scene.fixture, &scene.owner,
                                 OPCODE_MANDATE_GIVE, &in, scene.subject, 0, 0,
                                 NULL),
                     ST_NO_SUCH);
    scene_close(&scene);
}
END_TEST

START_TEST(a_mandate_is_revoked_by_the_subject_or_its_holder)
{
    struct scene scene;
    struct fixture_actor agent, stranger;
    struct result_mandate_give given;
    struct op_mandate_revoke in;

    scene_open(&scene);
    fixture_user(&scene.fixture, &agent, "7654321");
    fixture_user(&scene.fixture, &stranger, "7654322");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(give(&scene, &scene.owner, &agent, RIGHT_READ, &given),
                         ST_OK);
        in.mandate = given.mandate;
        ck_assert_int_eq(fixture_run(&scene.fixture, &stranger,
                                     OPCODE_MANDATE_REVOKE, &in, scene.subject,
                                     0, 0, NULL),
                         ST_NOT_SELF);
        ck_assert_int_eq(get(&scene, &agent), ST_OK);
        ck_assert_int_eq(
            fixture_run(&scene.fixture, i == 0 ? &scene.owner : &agent,
                        OPCODE_MANDATE_REVOKE, &in, scene.subject, 0, 0, NULL),
            ST_OK);
        ck_assert_int_eq(get(&scene, &agent), ST_NOT_SELF);
    }
    ck_assert_int_eq(fixture_run(&scene.fixture, &agent, OPCODE_MANDATE_REVOKE,
                                 &in, scene.subject, 0, 0, NULL),
                     ST_WRONG_STATE);
    scene_close(&scene);
}
END_TEST

/* T-R-5.1.1, scenario 13 */
START_TEST(T_R_5_1_1_a_dismissed_representative_loses_the_cabinet_at_once)
{
    struct scene scene;
    struct fixture_actor successor;
    union section_record record;
    struct representative person = {.surname = fixture_text("Əliyev"),
                                    .given = fixture_text("Çingiz"),
                                    .fin = fixture_text("7654321"),
                                    .from = 18000};
    uint32_t granted, asked;

    scene_open(&scene);
    fixture_user(&scene.fixture, &successor, "7654321");
    ck_assert_int_eq(scene_ask(&scene, &granted, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, granted, SCENE_S06, 2, 5), ST_OK);
    ck_assert_int_eq(scene_ask(&scene, &asked, SCENE_S06), ST_OK);
    ck_assert_int_eq(get(&scene, &scene.owner), ST_OK);
    ck_assert_int_eq(get(&scene, &successor), ST_NOT_SELF);

    records_fill(&scene.feeder.records, &record, 1, scene.subject,
                 act_day(scene.fixture.state, scene.fixture.log_time));
    records_list(&scene.feeder.records, &record.s01.representatives, 0,
                 &schema_representative, &person);
    feeder_bring(&scene.feeder, scene.subject, 1, &record);

    ck_assert_int_eq(get(&scene, &scene.owner), ST_NOT_SELF);
    ck_assert_int_eq(scene_grant(&scene, asked, SCENE_S06, 1, 5), ST_NOT_SELF);
    ck_assert_int_eq(get(&scene, &successor), ST_OK);
    ck_assert_int_eq(grant(&scene, &successor, asked), ST_OK);
    /* What he granted stays as given. */
    ck_assert_int_eq(scene_read(&scene, granted, SCENE_S06, NULL), ST_OK);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("mandate", a_mandate_gives_the_rights_it_names_and_no_others,
           an_agent_passes_on_only_what_he_has_and_for_no_longer,
           a_person_has_no_more_mandates_about_a_subject_than_there_may_be,
           a_mandate_without_end_ends_with_the_longest_term,
           a_mandate_is_revoked_by_the_subject_or_its_holder,
           T_R_5_1_1_a_dismissed_representative_loses_the_cabinet_at_once)
