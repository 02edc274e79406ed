#include "tests/lib/seal_scene.h"

#include <string.h>

#include "protocol/dates.h"
#include "tests/lib/suite.h"

enum { OTHER_VOEN_N = 77 };

/* ---- The whole course --------------------------------------------------- */

/* T-R-8.2.14 */
START_TEST(T_R_8_2_14_a_sealed_access_is_a_count_until_the_seal_ends)
{
    uint32_t seal;
    uint64_t entry;
    int64_t when;
    struct seen seen;
    struct bytes8 names[2];

    seal_begin();
    seal = seal_live();
    entry = fixture->index;
    when = fixture->log_time;
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);

    seen = seal_look(&scene.owner);
    ck_assert_uint_eq(seen.hidden, 1);
    ck_assert_uint_eq(seen.accesses, 0);
    ck_assert_uint_eq(seen.sealed + seen.seals, 0);

    seen = seal_look(&auditor);
    ck_assert_uint_eq(seen.hidden, 1);
    ck_assert_uint_eq(seen.accesses, 2); /* The owner's look is the newer. */
    ck_assert_uint_eq(seen.sealed, 1);
    ck_assert_uint_eq(seen.mark.index, entry);
    ck_assert_uint_eq(seen.mark.seal, seal);

    fixture_wait(fixture, SEAL_SCENE_DAYS);
    fixture_session(fixture, &scene.owner);
    seen = seal_look(&scene.owner);
    ck_assert_uint_eq(seen.hidden, 0);
    ck_assert_uint_eq(seen.accesses, 3);
    ck_assert_uint_eq(seen.mark.index, entry);
    ck_assert_uint_eq(seen.basis.seal, seal);
    ck_assert_uint_eq(seen.basis.organisation, FIXTURE_OWNER);
    ck_assert_str_eq(seen.law, SEAL_LAW);
    ck_assert_mem_eq(seen.basis.basis.b, fixture_digest(7).b, HASH_SIZE);
    act_pseudonym_of(&fixture->act, &names[0], guard.person);
    act_pseudonym_of(&fixture->act, &names[1], head.person);
    ck_assert_mem_eq(&seen.basis.proposed_by, &names[0], sizeof names[0]);
    ck_assert_mem_eq(&seen.basis.approved_by, &names[1], sizeof names[1]);

    /* With its original time. */
    seen = seal_look_in(
        &scene.owner,
        (struct op_access_list){.limit = 1, .from = when, .to = when});
    ck_assert_uint_eq(seen.newest.index, entry);
    ck_assert_int_eq(seen.newest.when, when);
    seal_end();
}
END_TEST

START_TEST(T_R_8_2_14_the_end_is_the_first_time_at_which_it_shows)
{
    struct op_access_seal_propose in;

    seal_begin();
    in = seal_proposal();
    seal_by(&in);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    fixture->log_time = in.until - 1 - DATES_US_PER_SECOND;
    fixture_session(fixture, &scene.owner); /* A second long. */
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 1);
    fixture->log_time = in.until;
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 0);
    seal_end();
}
END_TEST

START_TEST(T_R_8_2_14_a_lifted_seal_shows_at_once_and_hides_no_more)
{
    uint32_t seal;
    struct seen seen;

    seal_begin();
    seal = seal_live();
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_int_eq(seal_step(&guard, OPCODE_ACCESS_SEAL_LIFT, seal), ST_OK);
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_LIFT, seal),
                     ST_WRONG_STATE);
    seen = seal_look(&scene.owner);
    ck_assert_uint_eq(seen.hidden, 0);
    ck_assert_uint_eq(seen.accesses, 1);
    ck_assert_uint_eq(seen.sealed, 1);
    ck_assert_int_gt(seen.basis.lifted, 0);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    seen = seal_look(&scene.owner);
    ck_assert_uint_eq(seen.accesses, 3);
    ck_assert_uint_eq(seen.sealed, 1);
    seal_end();
}
END_TEST

/* ---- Two persons -------------------------------------------------------- */

START_TEST(T_R_8_2_14_nobody_seals_alone)
{
    struct op_access_seal_propose in;
    struct op_duty_revoke revoke = {.note = fixture_text("rotasiya")};
    uint32_t seal;

    seal_begin();
    in = seal_proposal();
    ck_assert_int_eq(seal_propose(&in, &seal), ST_OK);
    ck_assert_int_eq(seal_step(&guard, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_NO_DUTY);
    /* Nobody holds both duties; nor does one after the other help. */
    revoke.assignment = guard.duty;
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_DUTY_REVOKE, &revoke, 0, 0,
                                 fixture->operator.duty, NULL),
                     ST_OK);
    guard.duty = fixture_duty(fixture, &guard, DUTY_DIR, 0xff);
    ck_assert_int_eq(seal_step(&guard, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(seal_step(&guard, OPCODE_ACCESS_SEAL_REFUSE, seal),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(seal_step(&registrar, OPCODE_ACCESS_SEAL_LIFT, seal),
                     ST_NO_DUTY);
    /* What only one has signed hides nothing. */
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_LIFT, seal),
                     ST_WRONG_STATE);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).accesses, 1);
    seal_end();
}
END_TEST

START_TEST(a_refused_seal_hides_nothing_and_stays_refused)
{
    struct op_access_seal_propose in;
    uint32_t seal;

    seal_begin();
    in = seal_proposal();
    ck_assert_int_eq(seal_propose(&in, &seal), ST_OK);
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_REFUSE, seal), ST_OK);
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_WRONG_STATE);
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_APPROVE, 99),
                     ST_NO_SUCH);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_uint_eq(seal_look(&scene.owner).hidden, 0);
    seal_end();
}
END_TEST

START_TEST(T_R_8_2_14_a_seal_needs_a_law_a_document_and_a_near_end)
{
    struct op_access_seal_propose in;
    uint32_t seal;

    seal_begin();
    in = seal_proposal();
    in.basis = (struct bytes32){{0}};
    ck_assert_int_eq(seal_propose(&in, &seal), ST_NO_BASIS);
    in = seal_proposal();
    in.legal_basis = fixture_text("");
    ck_assert_int_eq(seal_propose(&in, &seal), ST_BAD_FIELD);
    in = seal_proposal();
    in.until = fixture->log_time;
    ck_assert_int_eq(seal_propose(&in, &seal), ST_BAD_FIELD);
    in.until = fixture->log_time + 365 * DATES_US_PER_DAY + 1;
    ck_assert_int_eq(seal_propose(&in, &seal), ST_BAD_FIELD);
    in = seal_proposal();
    in.subject = records_voen(OTHER_VOEN_N, SUBJECT_LEGAL);
    ck_assert_int_eq(seal_propose(&in, &seal), ST_NO_SUCH);
    in = seal_proposal();
    in.organisation = 999;
    ck_assert_int_eq(seal_propose(&in, &seal), ST_NO_SUCH);
    in = seal_proposal();
    in.for_purpose = 999;
    ck_assert_int_eq(seal_propose(&in, &seal), ST_NO_SUCH);
    in = seal_proposal();
    ck_assert_int_eq(seal_propose(&in, &seal), ST_OK);
    fixture_wait(fixture, SEAL_SCENE_DAYS);
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_WRONG_STATE);
    seal_end();
}
END_TEST

/* ---- What is shown ------------------------------------------------------ */

START_TEST(T_R_8_2_14_the_count_tells_no_time)
{
    struct op_access_list in = {.limit = 10};
    int64_t when;

    seal_begin();
    seal_live();
    when = fixture->log_time;
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    in.from = when;
    in.to = when;
    ck_assert_uint_eq(seal_look_in(&scene.owner, in).hidden, 2);
    in.from = in.to = when - DATES_US_PER_DAY;
    ck_assert_uint_eq(seal_look_in(&scene.owner, in).hidden, 2);
    seal_end();
}
END_TEST

START_TEST(officers_with_a_complaint_see_what_the_subject_sees)
{
    struct op_access_list in = {.limit = 10,
                                .file_number = fixture_text("ŞİKAYƏT-5")};
    struct fixture_actor officer;
    struct seen seen;

    seal_begin();
    fixture_staff(fixture, &officer, DUTY_DPO);
    seal_live();
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    seen = seal_look_in(&officer, in);
    ck_assert_uint_eq(seen.hidden, 1);
    ck_assert_uint_eq(seen.accesses, 0);
    seal_end();
}
END_TEST

START_TEST(pages_join_where_hidden_accesses_lie_between)
{
    struct op_access_list in = {.limit = 2};
    struct seen seen;
    uint32_t count = 0;

    seal_begin();
    seal_live();
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(seal_read(&registrar, "S-1"), ST_OK);
        ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    }
    do {
        seen = seal_look_in(&scene.owner, in);
        count += seen.accesses;
        in.before = seen.next;
    } while (seen.next != 0);
    ck_assert_uint_eq(count, 5);
    seal_end();
}
END_TEST

START_TEST(a_page_names_no_more_seals_than_it_has_room_for)
{
    enum { SEALS = SEALS_SHOWN_MAX + 3 };
    struct op_access_list in = {.limit = PAGE_ROWS_MAX};
    struct seen seen;

    seal_begin();
    for (int i = 0; i < SEALS; i++) {
        uint32_t seal = seal_live();

        ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
        ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_LIFT, seal),
                         ST_OK);
    }
    seen = seal_look_in(&scene.owner, in);
    ck_assert_uint_eq(seen.seals, SEALS_SHOWN_MAX);
    ck_assert_uint_eq(seen.accesses, SEALS_SHOWN_MAX);
    in.before = seen.next;
    seen = seal_look_in(&scene.owner, in);
    ck_assert_uint_eq(seen.seals, SEALS - SEALS_SHOWN_MAX);
    ck_assert_uint_eq(seen.next, 0);
    seal_end();
}
END_TEST

static struct seal_row listed(const struct fixture_actor *actor,
                              uint64_t subject, uint16_t count)
{
    struct op_access_seal_list in = {.subject = subject, .limit = 10};
    struct result_access_seal_list out;
    struct list_reader reader;
    struct seal_row row = {0};

    ck_assert_int_eq(fixture_run(fixture, actor, OPCODE_ACCESS_SEAL_LIST, &in,
                                 0, 0, actor->duty, &out),
                     ST_OK);
    ck_assert_uint_eq(out.seals.count, count);
    list_reader_init(&reader, &out.seals);
    if (count > 0)
        ck_assert(list_reader_next(&reader, &schema_seal_row, &row));
    return row;
}

/* T-R-8.2.18 */
START_TEST(T_R_8_2_18_seals_are_listed_with_their_persons_and_counts)
{
    struct op_access_seal_list in = {.limit = 10};
    struct seal_row row;

    seal_begin();
    seal_live();
    ck_assert_int_eq(seal_read(&registrar, SEAL_CASE), ST_OK);
    row = listed(&auditor, 0, 1);
    ck_assert_uint_eq(row.state, SEAL_LIVE);
    ck_assert_uint_eq(row.subject, scene.subject);
    ck_assert_uint_eq(row.proposed_by, guard.person);
    ck_assert_uint_eq(row.decided_by, head.person);
    ck_assert_uint_eq(row.accesses, 1);
    ck_assert_uint_eq(row.file_number.size, strlen(SEAL_CASE));
    listed(&guard, scene.subject, 1);
    listed(&head, scene.subject + 1, 0);
    fixture_wait(fixture, SEAL_SCENE_DAYS);
    ck_assert_uint_eq(listed(&auditor, 0, 1).state, SEAL_ENDED);
    fixture_session(fixture, &scene.owner);
    ck_assert_int_eq(fixture_run(fixture, &scene.owner, OPCODE_ACCESS_SEAL_LIST,
                                 &in, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    seal_end();
}
END_TEST

/* A proposal names its subject under seal; a clumsy one tells it nothing. */
START_TEST(T_R_8_2_14_what_is_done_about_seals_leaves_nothing_in_the_list)
{
    struct op_access_seal_propose in;

    seal_begin();
    in = seal_proposal();
    ck_assert_int_eq(fixture_run(fixture, &guard, OPCODE_ACCESS_SEAL_PROPOSE,
                                 &in, scene.subject, 0, guard.duty, NULL),
                     ST_BAD_FIELD);
    ck_assert_int_eq(fixture_run(fixture, &registrar,
                                 OPCODE_ACCESS_SEAL_PROPOSE, &in, scene.subject,
                                 0, registrar.duty, NULL),
                     ST_NO_DUTY);
    seal_live();
    ck_assert_uint_eq(fixture_accesses(fixture, NULL, scene.subject), 0);
    seal_end();
}
END_TEST

SUITE_MAIN("access_seal",
           T_R_8_2_14_a_sealed_access_is_a_count_until_the_seal_ends,
           T_R_8_2_14_the_end_is_the_first_time_at_which_it_shows,
           T_R_8_2_14_a_lifted_seal_shows_at_once_and_hides_no_more,
           T_R_8_2_14_nobody_seals_alone,
           a_refused_seal_hides_nothing_and_stays_refused,
           T_R_8_2_14_a_seal_needs_a_law_a_document_and_a_near_end,
           T_R_8_2_14_the_count_tells_no_time,
           officers_with_a_complaint_see_what_the_subject_sees,
           pages_join_where_hidden_accesses_lie_between,
           a_page_names_no_more_seals_than_it_has_room_for,
           T_R_8_2_18_seals_are_listed_with_their_persons_and_counts,
           T_R_8_2_14_what_is_done_about_seals_leaves_nothing_in_the_list)
