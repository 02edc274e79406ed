/*
 * Seals of accesses through the log: what a restart and a replay make of them.
 */
#include <string.h>

#include <sodium.h>

#include "protocol/dates.h"
#include "protocol/enrol.h"
#include "protocol/entry.h"
#include "server/registry/access_seal.h"
#include "server/registry/rows.h"
#include "server/registry/subject.h"
#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

enum { OWNER = 1, VOEN = 1400057421, PURPOSE = 7, SEAL = 1, DAYS = 30 };
/* Persons and assignments have the same numbers. */
enum { ADMIN = 1, OFFICER, GUARD, HEAD, REGISTRAR, AUDITOR, PEOPLE };

#define LAW "Qanun, maddə 17"

static struct rig rig;
static struct rig_command command;
static struct rig_answer answer;
static struct identity people[PEOPLE];
static const uint8_t duties[PEOPLE] = {0,        DUTY_ADM, DUTY_DPO, DUTY_SEC,
                                       DUTY_DIR, DUTY_REG, DUTY_AUD};

struct digests {
    uint8_t running[HASH_SIZE];
    uint8_t full[HASH_SIZE];
};

static struct digests digests(void)
{
    struct digests out;

    memcpy(out.running, state_head(rig.state)->digest, HASH_SIZE);
    state_full_digest(rig.state, out.full);
    return out;
}

static void run(uint32_t who, uint16_t opcode, uint64_t subject,
                uint32_t purpose, uint32_t duty, const void *fields)
{
    const struct operation_info *operation = operation_info(opcode);
    struct item_clear clear = {.opcode = opcode,
                               .version = 1,
                               .subject = subject,
                               .purpose = purpose,
                               .duty = duty};
    uint8_t salt[SALT_SIZE];
    struct writer writer;

    rig_begin(&rig, &command);
    command.organisation = OWNER;
    writer_init(&writer, command.fields, sizeof command.fields);
    schema_encode(operation->fields, &writer, fields);
    if (operation->realm == OP_REALM_SYSTEM)
        command.header.realm = REALM_SYSTEM;
    randombytes_buf(salt, sizeof salt);
    command_build_item(&command.build, &clear, salt, writer_slice(&writer));
    rig_run(&rig, &answer, rig_finish(&rig, &command, &people[who]));
    ck_assert(!answer.is_error);
    ck_assert_msg(answer.code == ST_OK, "%s: %u", operation->name, answer.code);
}

static void enrol(uint32_t who)
{
    struct enrol_claim claim = {
        .role = ROLE_STAFF, .level = 3, .organisation = OWNER};
    struct op_actor_enrol enrol = {.role = ROLE_STAFF,
                                   .level = 3,
                                   .organisation = OWNER,
                                   .evidence = {{1}}};
    struct op_duty_assign assign = {.person = who,
                                    .organisation = OWNER,
                                    .duty = duties[who],
                                    .scope = 0xff,
                                    .basis = {{1}}};
    struct op_duty_ack ack = {.assignment = who};

    /* The owner's auditor has an auditor's key. */
    claim.role = enrol.role =
        duties[who] == DUTY_AUD ? ROLE_AUDITOR : ROLE_STAFF;
    rig_identity(&rig, &people[who]);
    memcpy(enrol.public_key.b, people[who].public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, rig.cluster_id, &people[who]);
    run(ADMIN, OPCODE_ACTOR_ENROL, 0, 0, ADMIN, &enrol);
    run(ADMIN, OPCODE_DUTY_ASSIGN, 0, 0, ADMIN, &assign);
    run(who, OPCODE_DUTY_ACK, 0, 0, 0, &ack);
}

static void begin(void)
{
    struct op_purpose_put purpose = {.purpose = PURPOSE,
                                     .title = slice_of("p", 1),
                                     .legal_basis = slice_of("l", 1),
                                     .sections = SECTIONS_MASK,
                                     .kinds = 1023};
    struct op_subject_open subject = {.kind = SUBJECT_LEGAL, .opened = 20000};

    rig_open(&rig);
    people[ADMIN] = rig.admin;
    for (uint32_t who = OFFICER; who < PEOPLE; who++)
        enrol(who);
    run(OFFICER, OPCODE_PURPOSE_PUT, 0, 0, OFFICER, &purpose);
    run(REGISTRAR, OPCODE_SUBJECT_OPEN, VOEN, 0, REGISTRAR, &subject);
}

static void seal(void)
{
    struct op_access_seal_propose propose = {
        .subject = VOEN,
        .organisation = OWNER,
        .file_number = slice_of("C-1", 3),
        .until = rig.wall + DAYS * DATES_US_PER_DAY,
        .legal_basis = slice_of(LAW, sizeof LAW - 1),
        .basis = {{1}}};
    struct op_access_seal_approve approve = {.seal = SEAL};

    run(GUARD, OPCODE_ACCESS_SEAL_PROPOSE, 0, 0, GUARD, &propose);
    run(HEAD, OPCODE_ACCESS_SEAL_APPROVE, 0, 0, HEAD, &approve);
}

static void read_under_it(void)
{
    struct op_subject_head in = {.file_number = slice_of("C-1", 3)};

    run(REGISTRAR, OPCODE_SUBJECT_HEAD, VOEN, PURPOSE, REGISTRAR, &in);
}

/* What the auditor is shown: how many are hidden, and how many are marked. */
static struct result_access_list look(void)
{
    struct op_access_list in = {.limit = 10};
    struct result_access_list out;
    struct field_error error;

    run(AUDITOR, OPCODE_ACCESS_LIST, VOEN, 0, AUDITOR, &in);
    ck_assert_uint_gt(answer.result_size, SALT_SIZE);
    ck_assert_int_eq(schema_decode(&schema_result_access_list, &out, &error,
                                   slice_of(answer.result + SALT_SIZE,
                                            answer.result_size - SALT_SIZE),
                                   SCHEMA_SKIP_ODD),
                     ST_OK);
    return out;
}

static void stays_through_restarts(void)
{
    struct digests before = digests(), after;

    for (int keep_state = 1; keep_state >= 0; keep_state--) {
        ck_assert_int_eq(rig_restart(&rig, keep_state == 1), ST_OK);
        after = digests();
        ck_assert_mem_eq(before.running, after.running, HASH_SIZE);
        ck_assert_mem_eq(before.full, after.full, HASH_SIZE);
    }
}

START_TEST(T_R_8_2_14_a_replay_hides_and_shows_what_was_hidden_and_shown)
{
    struct result_access_list seen;

    begin();
    seal();
    read_under_it();
    seen = look();
    ck_assert_uint_eq(seen.hidden, 1);
    ck_assert_uint_eq(seen.sealed.count, 1);
    stays_through_restarts();
    /* Nothing is entered when it ends, whether or not the node runs then. */
    rig_wait(&rig, DAYS * DATES_US_PER_DAY);
    stays_through_restarts();
    seen = look();
    ck_assert(!seen.has_hidden);
    ck_assert_uint_eq(seen.sealed.count, 1);
    stays_through_restarts();
    rig_close(&rig);
}
END_TEST

START_TEST(T_R_8_2_14_a_hidden_access_counts_as_any_and_a_seal_names_nobody)
{
    struct row_completeness row = {.subject = VOEN};
    uint64_t count;

    begin();
    ck_assert(state_get(rig.state, TABLE_COMPLETENESS, &row));
    count = row.count;
    seal();
    ck_assert(state_get(rig.state, TABLE_COMPLETENESS, &row));
    ck_assert_uint_eq(row.count, count);
    read_under_it();
    ck_assert(state_get(rig.state, TABLE_COMPLETENESS, &row));
    ck_assert_uint_eq(row.count, count + 1);
    rig_close(&rig);
}
END_TEST

START_TEST(T_R_8_2_14_a_proposal_names_subject_and_law_in_no_clear_byte)
{
    uint8_t voen[sizeof(uint64_t)];
    struct slice bytes;
    struct entry entry;
    struct item item;

    begin();
    seal();
    ck_assert_int_eq(journal_read_entry(rig.journal, &bytes, rig.entry_buffer,
                                        journal_size(rig.journal) - 2),
                     ST_OK);
    ck_assert_int_eq(entry_decode(&entry, bytes), ST_OK);
    entry_item(&item, &entry, 0);
    ck_assert_uint_eq(item.clear_part.opcode, OPCODE_ACCESS_SEAL_PROPOSE);
    ck_assert_uint_eq(item.clear_part.subject, 0);
    ck_assert_uint_ne(item.seal_key, 0);
    store_u64(voen, VOEN);
    ck_assert_ptr_null(memmem(bytes.data, bytes.size, voen, sizeof voen));
    ck_assert_ptr_null(memmem(bytes.data, bytes.size, LAW, sizeof LAW - 1));
    rig_close(&rig);
}
END_TEST

/* All or nothing: a good reading, and one without a purpose. */
static void read_in_vain(void)
{
    const struct op_subject_head in = {.file_number = slice_of("C-1", 3)};
    struct item_clear clear = {.opcode = OPCODE_SUBJECT_HEAD,
                               .version = 1,
                               .subject = VOEN,
                               .purpose = PURPOSE,
                               .duty = REGISTRAR};
    uint8_t salt[SALT_SIZE];
    struct writer writer;

    rig_begin(&rig, &command);
    command.organisation = OWNER;
    command.header.flags |= COMMAND_FLAG_ATOMIC;
    writer_init(&writer, command.fields, sizeof command.fields);
    schema_encode(&schema_op_subject_head, &writer, &in);
    for (int i = 0; i < 2; i++) {
        randombytes_buf(salt, sizeof salt);
        command_build_item(&command.build, &clear, salt, writer_slice(&writer));
        clear.purpose = 0;
    }
    rig_run(&rig, &answer, rig_finish(&rig, &command, &people[REGISTRAR]));
    ck_assert_int_eq(answer.code, ST_NO_PURPOSE);
}

/* Whoever could read that there is a subject, and undo it, would be seen by
 * nobody. */
START_TEST(T_R_8_2_14_what_a_batch_undoes_was_tried_all_the_same)
{
    struct row_access row = {.subject = VOEN};
    uint64_t index;

    begin();
    read_in_vain();
    index = answer.index;
    row.number = index << 16;
    ck_assert(state_get(rig.state, TABLE_ACCESS, &row));
    ck_assert_uint_eq(row.code, ST_NOT_DONE);
    ck_assert_uint_eq(row.opcode, OPCODE_SUBJECT_HEAD);
    ck_assert_uint_eq(row.purpose, PURPOSE);
    ck_assert_uint_eq(row.duty, DUTY_REG);
    row.number = index << 16 | 1;
    ck_assert(state_get(rig.state, TABLE_ACCESS, &row));
    ck_assert_uint_eq(row.code, ST_NO_PURPOSE);
    stays_through_restarts();
    /* Hidden as a reading that was done. */
    seal();
    read_in_vain();
    ck_assert_uint_eq(look().hidden, 2);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("hidden",
           T_R_8_2_14_a_replay_hides_and_shows_what_was_hidden_and_shown,
           T_R_8_2_14_a_hidden_access_counts_as_any_and_a_seal_names_nobody,
           T_R_8_2_14_a_proposal_names_subject_and_law_in_no_clear_byte,
           T_R_8_2_14_what_a_batch_undoes_was_tried_all_the_same)
