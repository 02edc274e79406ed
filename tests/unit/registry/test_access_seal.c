#include "server/registry/access_seal.h"

#include <string.h>

#include "protocol/dates.h"
#include "tests/lib/consent_scene.h"
#include "tests/lib/suite.h"

#define CASE "CIN-2026/4"
#define LAW  "ƏAF haqqında Qanun, 17-ci maddə"

enum { OTHER_VOEN_N = 77, SEAL_DAYS = 30 };

static struct scene scene;
static struct fixture *fixture = &scene.fixture;
static struct fixture_actor guard;     /* SEC */
static struct fixture_actor head;      /* DIR */
static struct fixture_actor auditor;   /* AUD */
static struct fixture_actor registrar; /* REG */

/* What a page of the access list showed. */
struct seen {
    uint32_t hidden;
    uint32_t accesses;
    uint32_t sealed;
    uint32_t seals;
    uint64_t next;
    struct access_row newest;
    struct sealed_access mark; /* The newest. */
    struct seal_basis basis;   /* Of the first seal. */
    char law[300];
};

static void begin(void)
{
    scene_open(&scene);
    fixture_staff(fixture, &guard, DUTY_SEC);
    fixture_staff(fixture, &head, DUTY_DIR);
    fixture_staff(fixture, &auditor, DUTY_AUD);
    fixture_staff(fixture, &registrar, DUTY_REG);
}

static struct op_access_seal_propose proposal(void)
{
    return (struct op_access_seal_propose){
        .subject = scene.subject,
        .organisation = FIXTURE_OWNER,
        .file_number = fixture_text(CASE),
        .until = fixture->log_time + SEAL_DAYS * DATES_US_PER_DAY,
        .legal_basis = fixture_text(LAW),
        .basis = fixture_digest(7)};
}

static enum status propose(const struct op_access_seal_propose *in,
                           uint32_t *seal_out)
{
    struct result_access_seal_propose out = {.seal = 0};
    enum status code = fixture_run(fixture, &guard, OPCODE_ACCESS_SEAL_PROPOSE,
                                   in, 0, 0, guard.duty, &out);

    *seal_out = out.seal;
    return code;
}

static enum status step_as(const struct fixture_actor *actor, uint16_t opcode,
                           uint32_t seal)
{
    struct op_access_seal_approve in = {.seal = seal}; /* As all three. */

    return fixture_run(fixture, actor, opcode, &in, 0, 0, actor->duty, NULL);
}

static uint32_t sealed_by(const struct op_access_seal_propose *in)
{
    uint32_t seal;

    ck_assert_int_eq(propose(in, &seal), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_APPROVE, seal), ST_OK);
    return seal;
}

static uint32_t sealed(void)
{
    struct op_access_seal_propose in = proposal();

    return sealed_by(&in);
}

static enum status read_as(const struct fixture_actor *actor, const char *file)
{
    struct op_section_get in = {.sections = SCENE_S06,
                                .file_number = fixture_text(file)};

    return fixture_run(fixture, actor, OPCODE_SECTION_GET, &in, scene.subject,
                       SCENE_PURPOSE, actor->duty, NULL);
}

static struct seen look_in(const struct fixture_actor *actor,
                           struct op_access_list in)
{
    struct result_access_list out;
    struct list_reader reader;
    struct seen seen = {0};

    ck_assert_int_eq(fixture_run(fixture, actor, OPCODE_ACCESS_LIST, &in,
                                 scene.subject,
                                 in.file_number.size > 0 ? SCENE_PURPOSE : 0,
                                 actor->duty, &out),
                     ST_OK);
    seen.hidden = out.has_hidden ? out.hidden : 0;
    seen.accesses = out.accesses.count;
    seen.sealed = out.has_sealed ? out.sealed.count : 0;
    seen.seals = out.has_seals ? out.seals.count : 0;
    seen.next = out.next;
    list_reader_init(&reader, &out.accesses);
    if (seen.accesses > 0)
        ck_assert(list_reader_next(&reader, &schema_access_row, &seen.newest));
    if (seen.sealed > 0) {
        list_reader_init(&reader, &out.sealed);
        ck_assert(list_reader_next(&reader, &schema_sealed_access, &seen.mark));
        list_reader_init(&reader, &out.seals);
        ck_assert(list_reader_next(&reader, &schema_seal_basis, &seen.basis));
        ck_assert_uint_lt(seen.basis.legal_basis.size, sizeof seen.law);
        memcpy(seen.law, seen.basis.legal_basis.data,
               seen.basis.legal_basis.size);
    }
    return seen;
}

static struct seen look(const struct fixture_actor *actor)
{
    return look_in(actor, (struct op_access_list){.limit = PAGE_ROWS_MAX});
}

/* ---- The whole course --------------------------------------------------- */

/* T-R-8.2.14 */
START_TEST(T_R_8_2_14_a_sealed_access_is_a_count_until_the_seal_ends)
{
    uint32_t seal;
    uint64_t entry;
    int64_t when;
    struct seen seen;
    struct bytes8 names[2];

    begin();
    seal = sealed();
    entry = fixture->index;
    when = fixture->log_time;
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);

    seen = look(&scene.owner);
    ck_assert_uint_eq(seen.hidden, 1);
    ck_assert_uint_eq(seen.accesses, 0);
    ck_assert_uint_eq(seen.sealed + seen.seals, 0);

    seen = look(&auditor);
    ck_assert_uint_eq(seen.hidden, 1);
    ck_assert_uint_eq(seen.accesses, 2); /* The owner's look is the newer. */
    ck_assert_uint_eq(seen.sealed, 1);
    ck_assert_uint_eq(seen.mark.index, entry);
    ck_assert_uint_eq(seen.mark.seal, seal);

    fixture_wait(fixture, SEAL_DAYS);
    fixture_session(fixture, &scene.owner);
    seen = look(&scene.owner);
    ck_assert_uint_eq(seen.hidden, 0);
    ck_assert_uint_eq(seen.accesses, 3);
    ck_assert_uint_eq(seen.mark.index, entry);
    ck_assert_uint_eq(seen.basis.seal, seal);
    ck_assert_uint_eq(seen.basis.organisation, FIXTURE_OWNER);
    ck_assert_str_eq(seen.law, LAW);
    ck_assert_mem_eq(seen.basis.basis.b, fixture_digest(7).b, HASH_SIZE);
    act_pseudonym_of(&fixture->act, &names[0], guard.person);
    act_pseudonym_of(&fixture->act, &names[1], head.person);
    ck_assert_mem_eq(&seen.basis.proposed_by, &names[0], sizeof names[0]);
    ck_assert_mem_eq(&seen.basis.approved_by, &names[1], sizeof names[1]);

    /* With its original time. */
    seen =
        look_in(&scene.owner,
                (struct op_access_list){.limit = 1, .from = when, .to = when});
    ck_assert_uint_eq(seen.newest.index, entry);
    ck_assert_int_eq(seen.newest.when, when);
    scene_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_14_the_end_is_the_first_time_at_which_it_shows)
{
    struct op_access_seal_propose in;

    begin();
    in = proposal();
    sealed_by(&in);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    fixture->log_time = in.until - 1 - DATES_US_PER_SECOND;
    fixture_session(fixture, &scene.owner); /* A second long. */
    ck_assert_uint_eq(look(&scene.owner).hidden, 1);
    fixture->log_time = in.until;
    ck_assert_uint_eq(look(&scene.owner).hidden, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_14_a_lifted_seal_shows_at_once_and_hides_no_more)
{
    uint32_t seal;
    struct seen seen;

    begin();
    seal = sealed();
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_int_eq(step_as(&guard, OPCODE_ACCESS_SEAL_LIFT, seal), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_LIFT, seal),
                     ST_WRONG_STATE);
    seen = look(&scene.owner);
    ck_assert_uint_eq(seen.hidden, 0);
    ck_assert_uint_eq(seen.accesses, 1);
    ck_assert_uint_eq(seen.sealed, 1);
    ck_assert_int_gt(seen.basis.lifted, 0);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    seen = look(&scene.owner);
    ck_assert_uint_eq(seen.accesses, 3);
    ck_assert_uint_eq(seen.sealed, 1);
    scene_close(&scene);
}
END_TEST

/* ---- Two persons -------------------------------------------------------- */

START_TEST(T_R_8_2_14_nobody_seals_alone)
{
    struct op_access_seal_propose in;
    struct op_duty_revoke revoke = {.note = fixture_text("rotasiya")};
    uint32_t seal;

    begin();
    in = proposal();
    ck_assert_int_eq(propose(&in, &seal), ST_OK);
    ck_assert_int_eq(step_as(&guard, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_NO_DUTY);
    /* Nobody holds both duties; nor does one after the other help. */
    revoke.assignment = guard.duty;
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_DUTY_REVOKE, &revoke, 0, 0,
                                 fixture->operator.duty, NULL),
                     ST_OK);
    guard.duty = fixture_duty(fixture, &guard, DUTY_DIR, 0xff);
    ck_assert_int_eq(step_as(&guard, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(step_as(&guard, OPCODE_ACCESS_SEAL_REFUSE, seal),
                     ST_SELF_APPROVE);
    ck_assert_int_eq(step_as(&registrar, OPCODE_ACCESS_SEAL_LIFT, seal),
                     ST_NO_DUTY);
    /* What only one has signed hides nothing. */
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_LIFT, seal),
                     ST_WRONG_STATE);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_uint_eq(look(&scene.owner).accesses, 1);
    scene_close(&scene);
}
END_TEST

START_TEST(a_refused_seal_hides_nothing_and_stays_refused)
{
    struct op_access_seal_propose in;
    uint32_t seal;

    begin();
    in = proposal();
    ck_assert_int_eq(propose(&in, &seal), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_REFUSE, seal), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_WRONG_STATE);
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_APPROVE, 99),
                     ST_NO_SUCH);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_uint_eq(look(&scene.owner).hidden, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_14_a_seal_needs_a_law_a_document_and_a_near_end)
{
    struct op_access_seal_propose in;
    uint32_t seal;

    begin();
    in = proposal();
    in.basis = (struct bytes32){{0}};
    ck_assert_int_eq(propose(&in, &seal), ST_NO_BASIS);
    in = proposal();
    in.legal_basis = fixture_text("");
    ck_assert_int_eq(propose(&in, &seal), ST_BAD_FIELD);
    in = proposal();
    in.until = fixture->log_time;
    ck_assert_int_eq(propose(&in, &seal), ST_BAD_FIELD);
    in.until = fixture->log_time + 365 * DATES_US_PER_DAY + 1;
    ck_assert_int_eq(propose(&in, &seal), ST_BAD_FIELD);
    in = proposal();
    in.subject = records_voen(OTHER_VOEN_N, SUBJECT_LEGAL);
    ck_assert_int_eq(propose(&in, &seal), ST_NO_SUCH);
    in = proposal();
    in.organisation = 999;
    ck_assert_int_eq(propose(&in, &seal), ST_NO_SUCH);
    in = proposal();
    in.for_purpose = 999;
    ck_assert_int_eq(propose(&in, &seal), ST_NO_SUCH);
    in = proposal();
    ck_assert_int_eq(propose(&in, &seal), ST_OK);
    fixture_wait(fixture, SEAL_DAYS);
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_APPROVE, seal),
                     ST_WRONG_STATE);
    scene_close(&scene);
}
END_TEST

/* ---- What is covered ---------------------------------------------------- */

START_TEST(T_R_8_2_14_a_seal_covers_nothing_of_the_past)
{
    struct op_access_seal_propose in;
    uint32_t seal;

    begin();
    in = proposal();
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_int_eq(propose(&in, &seal), ST_OK);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_APPROVE, seal), ST_OK);
    ck_assert_uint_eq(look(&scene.owner).accesses, 2);
    ck_assert_uint_eq(look(&scene.owner).hidden, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_14_who_sealed_does_not_hide_himself)
{
    begin();
    sealed();
    guard.duty = fixture_duty(fixture, &guard, DUTY_REG, 0xff);
    head.duty = fixture_duty(fixture, &head, DUTY_CHK, 0xff);
    ck_assert_int_eq(read_as(&guard, CASE), ST_OK);
    ck_assert_int_eq(read_as(&head, CASE), ST_OK);
    ck_assert_uint_eq(look(&scene.owner).accesses, 2);
    ck_assert_uint_eq(look(&scene.owner).hidden, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(another_case_purpose_organisation_or_subject_is_not_covered)
{
    struct op_access_seal_propose in;

    begin();
    in = proposal();
    in.for_purpose = SCENE_PURPOSE_OTHER;
    sealed_by(&in);
    in = proposal();
    in.organisation = scene.body;
    sealed_by(&in);
    in = proposal();
    in.file_number = fixture_text("CIN-2026/5");
    sealed_by(&in);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_uint_eq(look(&scene.owner).hidden, 0);
    ck_assert_uint_eq(look(&scene.owner).accesses, 2);
    scene_close(&scene);
}
END_TEST

START_TEST(of_two_seals_the_one_that_ends_last_covers_and_counts_once)
{
    struct op_access_seal_propose in;
    uint32_t longer;

    begin();
    sealed();
    in = proposal();
    in.file_number = fixture_text("");
    in.until += DATES_US_PER_DAY;
    longer = sealed_by(&in);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_uint_eq(look(&auditor).mark.seal, longer);
    ck_assert_uint_eq(look(&scene.owner).hidden, 1);
    scene_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_14_a_seal_lets_nobody_read_and_hides_who_tried)
{
    struct op_access_seal_propose in;

    begin();
    in = proposal();
    in.organisation = scene.body;
    in.file_number = fixture_text("");
    sealed_by(&in);
    ck_assert_int_eq(read_as(&scene.asker, CASE), ST_NO_GRANT);
    ck_assert_uint_eq(look(&scene.owner).hidden, 1);
    ck_assert_uint_eq(look(&scene.owner).accesses, 1); /* The own look. */
    scene_close(&scene);
}
END_TEST

START_TEST(T_R_8_2_14_what_the_subject_consented_to_is_always_shown)
{
    struct op_access_seal_propose in;
    uint32_t consent;

    begin();
    in = proposal();
    in.organisation = scene.body;
    in.file_number = fixture_text("");
    sealed_by(&in);
    ck_assert_int_eq(scene_ask(&scene, &consent, SCENE_S06), ST_OK);
    ck_assert_int_eq(scene_grant(&scene, consent, SCENE_S06, 1, 5), ST_OK);
    ck_assert_int_eq(scene_read(&scene, consent, SCENE_S06, NULL), ST_OK);
    ck_assert_uint_eq(look(&scene.owner).accesses, 3);
    ck_assert_uint_eq(look(&scene.owner).hidden, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(every_read_of_the_registry_for_the_case_is_hidden)
{
    struct op_section_history in = {
        .section = 6, .limit = 5, .file_number = fixture_text(CASE)};
    struct op_subject_head head_in = {.file_number = fixture_text(CASE)};

    begin();
    sealed();
    ck_assert_int_eq(fixture_run(fixture, &registrar, OPCODE_SECTION_HISTORY,
                                 &in, scene.subject, SCENE_PURPOSE,
                                 registrar.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(fixture, &registrar, OPCODE_SUBJECT_HEAD,
                                 &head_in, scene.subject, SCENE_PURPOSE,
                                 registrar.duty, NULL),
                     ST_OK);
    ck_assert_uint_eq(look(&scene.owner).hidden, 2);
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_refused_before_it_was_an_entry_is_hidden_by_organisation)
{
    struct op_access_seal_propose in;
    struct op_journal_refused refused;
    struct refused_line line = {
        .opcode = OPCODE_SECTION_GET, .code = ST_BAD_FIELD, .count = 3};
    uint8_t bytes[512];
    struct writer writer;

    begin();
    in = proposal();
    in.organisation = scene.body;
    in.file_number = fixture_text("");
    sealed_by(&in);
    writer_init(&writer, bytes, sizeof bytes);
    refused.lines = list_begin(&writer);
    line.subject = scene.subject;
    memcpy(line.session.b, scene.asker.identity.key_id, KEY_ID_SIZE);
    list_add(&refused.lines, &writer, &schema_refused_line, &line);
    /* That somebody tried to seal is told to nobody. */
    line.opcode = OPCODE_ACCESS_SEAL_PROPOSE;
    list_add(&refused.lines, &writer, &schema_refused_line, &line);
    ck_assert_int_eq(fixture_run(fixture, &fixture->node,
                                 OPCODE_JOURNAL_REFUSED, &refused, 0, 0, 0,
                                 NULL),
                     ST_OK);
    ck_assert_uint_eq(look(&scene.owner).hidden, 1);
    ck_assert_uint_eq(look(&scene.owner).accesses, 1);
    scene_close(&scene);
}
END_TEST

/* ---- What is shown ------------------------------------------------------ */

START_TEST(T_R_8_2_14_the_count_tells_no_time)
{
    struct op_access_list in = {.limit = 10};
    int64_t when;

    begin();
    sealed();
    when = fixture->log_time;
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    in.from = when;
    in.to = when;
    ck_assert_uint_eq(look_in(&scene.owner, in).hidden, 2);
    in.from = in.to = when - DATES_US_PER_DAY;
    ck_assert_uint_eq(look_in(&scene.owner, in).hidden, 2);
    scene_close(&scene);
}
END_TEST

START_TEST(officers_with_a_complaint_see_what_the_subject_sees)
{
    struct op_access_list in = {.limit = 10,
                                .file_number = fixture_text("ŞİKAYƏT-5")};
    struct fixture_actor officer;
    struct seen seen;

    begin();
    fixture_staff(fixture, &officer, DUTY_DPO);
    sealed();
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    seen = look_in(&officer, in);
    ck_assert_uint_eq(seen.hidden, 1);
    ck_assert_uint_eq(seen.accesses, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(pages_join_where_hidden_accesses_lie_between)
{
    struct op_access_list in = {.limit = 2};
    struct seen seen;
    uint32_t count = 0;

    begin();
    sealed();
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(read_as(&registrar, "S-1"), ST_OK);
        ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    }
    do {
        seen = look_in(&scene.owner, in);
        count += seen.accesses;
        in.before = seen.next;
    } while (seen.next != 0);
    ck_assert_uint_eq(count, 5);
    scene_close(&scene);
}
END_TEST

START_TEST(a_page_names_no_more_seals_than_it_has_room_for)
{
    enum { SEALS = SEALS_SHOWN_MAX + 3 };
    struct op_access_list in = {.limit = PAGE_ROWS_MAX};
    struct seen seen;

    begin();
    for (int i = 0; i < SEALS; i++) {
        uint32_t seal = sealed();

        ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
        ck_assert_int_eq(step_as(&head, OPCODE_ACCESS_SEAL_LIFT, seal), ST_OK);
    }
    seen = look_in(&scene.owner, in);
    ck_assert_uint_eq(seen.seals, SEALS_SHOWN_MAX);
    ck_assert_uint_eq(seen.accesses, SEALS_SHOWN_MAX);
    in.before = seen.next;
    seen = look_in(&scene.owner, in);
    ck_assert_uint_eq(seen.seals, SEALS - SEALS_SHOWN_MAX);
    ck_assert_uint_eq(seen.next, 0);
    scene_close(&scene);
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

    begin();
    sealed();
    ck_assert_int_eq(read_as(&registrar, CASE), ST_OK);
    row = listed(&auditor, 0, 1);
    ck_assert_uint_eq(row.state, SEAL_LIVE);
    ck_assert_uint_eq(row.subject, scene.subject);
    ck_assert_uint_eq(row.proposed_by, guard.person);
    ck_assert_uint_eq(row.decided_by, head.person);
    ck_assert_uint_eq(row.accesses, 1);
    ck_assert_uint_eq(row.file_number.size, strlen(CASE));
    listed(&guard, scene.subject, 1);
    listed(&head, scene.subject + 1, 0);
    fixture_wait(fixture, SEAL_DAYS);
    ck_assert_uint_eq(listed(&auditor, 0, 1).state, SEAL_ENDED);
    fixture_session(fixture, &scene.owner);
    ck_assert_int_eq(fixture_run(fixture, &scene.owner, OPCODE_ACCESS_SEAL_LIST,
                                 &in, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    scene_close(&scene);
}
END_TEST

/* A proposal names its subject under seal; a clumsy one tells it nothing. */
START_TEST(T_R_8_2_14_what_is_done_about_seals_leaves_nothing_in_the_list)
{
    struct op_access_seal_propose in;

    begin();
    in = proposal();
    ck_assert_int_eq(fixture_run(fixture, &guard, OPCODE_ACCESS_SEAL_PROPOSE,
                                 &in, scene.subject, 0, guard.duty, NULL),
                     ST_BAD_FIELD);
    ck_assert_int_eq(fixture_run(fixture, &registrar,
                                 OPCODE_ACCESS_SEAL_PROPOSE, &in, scene.subject,
                                 0, registrar.duty, NULL),
                     ST_NO_DUTY);
    sealed();
    ck_assert_uint_eq(fixture_accesses(fixture, NULL, scene.subject), 0);
    scene_close(&scene);
}
END_TEST

SUITE_MAIN("access_seal",
           T_R_8_2_14_a_sealed_access_is_a_count_until_the_seal_ends,
           T_R_8_2_14_the_end_is_the_first_time_at_which_it_shows,
           T_R_8_2_14_a_lifted_seal_shows_at_once_and_hides_no_more,
           T_R_8_2_14_nobody_seals_alone,
           a_refused_seal_hides_nothing_and_stays_refused,
           T_R_8_2_14_a_seal_needs_a_law_a_document_and_a_near_end,
           T_R_8_2_14_a_seal_covers_nothing_of_the_past,
           T_R_8_2_14_who_sealed_does_not_hide_himself,
           another_case_purpose_organisation_or_subject_is_not_covered,
           of_two_seals_the_one_that_ends_last_covers_and_counts_once,
           T_R_8_2_14_a_seal_lets_nobody_read_and_hides_who_tried,
           T_R_8_2_14_what_the_subject_consented_to_is_always_shown,
           every_read_of_the_registry_for_the_case_is_hidden,
           what_was_refused_before_it_was_an_entry_is_hidden_by_organisation,
           T_R_8_2_14_the_count_tells_no_time,
           officers_with_a_complaint_see_what_the_subject_sees,
           pages_join_where_hidden_accesses_lie_between,
           a_page_names_no_more_seals_than_it_has_room_for,
           T_R_8_2_18_seals_are_listed_with_their_persons_and_counts,
           T_R_8_2_14_what_is_done_about_seals_leaves_nothing_in_the_list)
