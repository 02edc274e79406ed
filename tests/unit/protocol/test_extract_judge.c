/* ctest-label: release */
#include "protocol/extract_judge.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/lines.h"
#include "tests/lib/extract_sample.h"
#include "tests/lib/suite.h"

static struct extract_sample sample;
static struct extract_report report;
static uint8_t commitments[EXTRACT_FIELDS_MAX][HASH_SIZE];
static uint8_t changed[EXTRACT_SAMPLE_TEXT_SIZE];

static enum extract_finding judge(struct slice bytes)
{
    return extract_sample_judge(&report, &sample.trust, bytes);
}

/* The sample with ${old}, which is there, replaced. */
static struct slice with(const char *old, const char *new)
{
    size_t old_size = strlen(old), new_size = strlen(new), before;
    uint8_t *at = memmem(sample.bytes, sample.file.size, old, old_size);

    ck_assert_msg(at != NULL, "no %s", old);
    before = (size_t)(at - sample.bytes);
    memcpy(changed, sample.bytes, before);
    memcpy(changed + before, new, new_size);
    memcpy(changed + before + new_size, at + old_size,
           sample.file.size - before - old_size);
    return slice_of(changed, sample.file.size - old_size + new_size);
}

static size_t lines_in(struct slice bytes)
{
    size_t count = 0;

    for (size_t i = 0; i < bytes.size; i++)
        count += bytes.data[i] == '\n';
    return count;
}

/* ---- What is true ------------------------------------------------------- */

START_TEST(T_R_6_2_2_an_extract_verifies_and_is_tied_to_the_head)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_GOOD);
    ck_assert_int_eq(extract_judge_verdict(report.finding), EXTRACT_TRUE);
    ck_assert_uint_eq(report.receipt.index, EXTRACT_SAMPLE_INDEX);
    ck_assert_uint_eq(report.checkpoint.size, 10);
    ck_assert_uint_eq(report.attested_at, EXTRACT_SAMPLE_ATTESTED_AT);
    ck_assert(report.witnesses.satisfied);
    ck_assert_mem_eq(report.signer, sample.user.key_id, KEY_ID_SIZE);
}
END_TEST

START_TEST(an_extract_that_is_not_tied_to_the_log_is_incomplete)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_ENTRY);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_NO_PROOF);
    extract_sample_make(&sample, 0);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_NO_PROOF);
    extract_sample_make(&sample, EXTRACT_SAMPLE_PROOF);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_NO_PROOF);
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    sample.trust.policy = NULL;
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_NO_POLICY);
    ck_assert_int_eq(extract_judge_verdict(report.finding), EXTRACT_INCOMPLETE);
}
END_TEST

START_TEST(too_few_witnesses_make_it_incomplete)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    note_key_init(&sample.policy.witnesses[0].key,
                  slice_of("other.example", 13), NOTE_COSIGNATURE,
                  sample.stranger.identity.public_key);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_WITNESSES);
}
END_TEST

static bool is_unchecked(enum extract_unchecked unchecked)
{
    return (report.unchecked & 1u << unchecked) != 0;
}

/* Whoever has the log's key makes one that is true by such a policy. */
START_TEST(a_policy_without_a_quorum_leaves_the_log_to_its_own_word)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_GOOD);
    ck_assert(!is_unchecked(EXTRACT_UNCHECKED_WITNESS));
    ck_assert(is_unchecked(EXTRACT_UNCHECKED_SIGNER));
    ck_assert(is_unchecked(EXTRACT_UNCHECKED_NOW));
    sample.policy.quorum = TLOG_POLICY_NONE;
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_GOOD);
    ck_assert(is_unchecked(EXTRACT_UNCHECKED_WITNESS));
    sample.trust.policy = NULL;
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_NO_POLICY);
    ck_assert(is_unchecked(EXTRACT_UNCHECKED_WITNESS));
}
END_TEST

/* ---- What is not -------------------------------------------------------- */

START_TEST(T_R_6_2_2_a_changed_field_is_found_with_its_line)
{
    struct slice bytes;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    bytes = with("class number ", "class number 1");
    ck_assert_int_eq(judge(bytes), EXTRACT_FOUND_DISCLOSURE);
    /* The line is the one that was changed. */
    size_t at = (size_t)((uint8_t *)memmem(bytes.data, bytes.size,
                                           "class number ", 13) -
                         bytes.data);
    ck_assert_uint_eq(report.line, lines_in(slice_of(bytes.data, at)) + 1);
    ck_assert_int_eq(judge(with("Vergi", "Gömrü")), EXTRACT_FOUND_DISCLOSURE);
    ck_assert_int_eq(judge(with("S06 EHIS 8 ", "S06 EHIS 9 ")),
                     EXTRACT_FOUND_DISCLOSURE);
    ck_assert_int_eq(judge(with("state none", "state given")),
                     EXTRACT_FOUND_DISCLOSURE);
}
END_TEST

START_TEST(another_number_subject_or_mask_is_not_what_was_signed)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    ck_assert_int_eq(judge(with("number 17", "number 18")),
                     EXTRACT_FOUND_RESULT);
    ck_assert_int_eq(judge(with("subject 1400057421", "subject 1401555071")),
                     EXTRACT_FOUND_RESULT);
    ck_assert_int_eq(judge(with("S01+S06+S12", "S01+S06")),
                     EXTRACT_FOUND_RESULT);
}
END_TEST

START_TEST(a_commitment_more_or_less_is_not_what_was_signed)
{
    struct extract_file file;
    struct writer writer;
    size_t line;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    ck_assert_int_eq(extract_file_read(&file, commitments, &line, sample.file),
                     ST_OK);
    file.commitments_count--;
    writer_init(&writer, changed, sizeof changed);
    extract_file_write(&writer, &file);
    ck_assert_int_eq(judge(writer_slice(&writer)), EXTRACT_FOUND_RESULT);
}
END_TEST

START_TEST(a_field_shown_twice_is_refused)
{
    uint8_t line[512];
    const uint8_t *at, *end;
    size_t size;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    at = memmem(sample.bytes, sample.file.size, "field ", 6);
    end = memchr(at, '\n', 512);
    size = (size_t)(end - at) + 1;
    memcpy(line, at, size);
    memcpy(line + size, at, size);
    line[2 * size] = '\0';
    char once[512];
    memcpy(once, line, size);
    once[size] = '\0';
    ck_assert_int_eq(judge(with(once, (const char *)line)),
                     EXTRACT_FOUND_TWICE);
}
END_TEST

START_TEST(an_extract_of_another_authority_is_refused)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    memcpy(sample.trust.authority_key, sample.user.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_CERTIFICATE);
}
END_TEST

START_TEST(a_receipt_of_another_node_is_refused)
{
    struct extract_file file;
    struct receipt receipt;
    struct writer writer;
    size_t line;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    ck_assert_int_eq(extract_file_read(&file, commitments, &line, sample.file),
                     ST_OK);
    ck_assert_int_eq(receipt_decode(&receipt, file.receipt), ST_OK);
    receipt_sign(&receipt, file.receipt, file.signature, sample.log.cluster_id,
                 &sample.user);
    writer_init(&writer, changed, sizeof changed);
    extract_file_write(&writer, &file);
    ck_assert_int_eq(judge(writer_slice(&writer)), EXTRACT_FOUND_RECEIPT);
}
END_TEST

/* Everything fits but what kind of command it was. */
START_TEST(a_receipt_of_another_operation_is_no_extract)
{
    struct op_system_ping ping = {.text = slice_of("x", 1)};
    struct extract_file file;
    struct receipt receipt;
    struct entry entry;
    struct writer writer;
    uint8_t composed[COMMAND_SIGNED_SIZE];
    const struct signed_log_entry *other;
    size_t line;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    sample.log.subject = EXTRACT_SAMPLE_SUBJECT;
    other = signed_log_add(&sample.log, &sample.user, OPCODE_SYSTEM_PING, 0,
                           &ping, ST_OK);
    ck_assert_int_eq(extract_file_read(&file, commitments, &line, sample.file),
                     ST_OK);
    ck_assert_int_eq(receipt_decode(&receipt, file.receipt), ST_OK);
    ck_assert_int_eq(entry_decode(&entry, slice_of(other->bytes, other->size)),
                     ST_OK);
    receipt.index = entry.place.index;
    receipt.committed_at = entry.place.log_time;
    entry_leaf_hash(receipt.entry_hash, entry.bytes);
    entry_compose(&entry, composed, sample.log.cluster_id);
    command_hash(receipt.command_hash, composed, entry.signature);
    receipt_sign(&receipt, file.receipt, file.signature, sample.log.cluster_id,
                 &sample.log.node);
    memcpy(file.entry, other->bytes, other->size);
    file.entry_size = other->size;
    writer_init(&writer, changed, sizeof changed);
    extract_file_write(&writer, &file);
    ck_assert_int_eq(judge(writer_slice(&writer)), EXTRACT_FOUND_ENTRY);
}
END_TEST

START_TEST(a_checkpoint_of_another_log_is_refused)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    note_key_init(&sample.policy.logs[0].key, slice_of("other.example", 13),
                  NOTE_ED25519, sample.log_signer.identity.public_key);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_CHECKPOINT);
}
END_TEST

/* ---- Choosing ----------------------------------------------------------- */

static bool keeps_class(void *context, const struct extract_reading *one)
{
    (void)context;
    return lines_equal(one->field.path, "class");
}

/* Of what is hidden the file holds a hash of words and of 16 bytes that are not
 * in it: who guesses the words can compare them with nothing. */
static void expect_hidden(size_t size)
{
    struct extract_reading reading = {.line = 0};
    struct extract_file whole;
    size_t line, hidden = 0;

    ck_assert_int_eq(extract_file_read(&whole, commitments, &line, sample.file),
                     ST_OK);
    reading.rest = whole.disclosures;
    while (extract_file_next(&reading) == ST_OK) {
        uint8_t salt[LINES_BASE64_SIZE(SALT_SIZE)], guess[HASH_SIZE];
        uint8_t result_salt[SALT_SIZE];
        struct writer writer;

        if (keeps_class(NULL, &reading))
            continue;
        hidden++;
        writer_init(&writer, salt, sizeof salt);
        lines_write_base64(&writer, reading.salt, SALT_SIZE);
        ck_assert_ptr_null(memmem(changed, size, salt, sizeof salt));
        memcpy(result_salt, whole.salt, SALT_SIZE);
        extract_commit(guess, result_salt, reading.section_line,
                       reading.field_line);
        for (uint32_t i = 0; i < whole.commitments_count; i++)
            ck_assert_mem_ne(guess, whole.commitments[i], HASH_SIZE);
    }
    ck_assert_uint_eq(hidden, sample.count - 1);
}

START_TEST(T_R_6_2_2_hidden_fields_leave_the_rest_true)
{
    struct extract_file file;
    struct writer writer;
    size_t line;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    ck_assert_int_eq(extract_file_read(&file, commitments, &line, sample.file),
                     ST_OK);
    writer_init(&writer, changed, sizeof changed);
    extract_file_choose(&writer, &file, NULL, keeps_class);
    ck_assert_int_eq(writer.status, ST_OK);
    ck_assert_int_eq(judge(writer_slice(&writer)), EXTRACT_FOUND_GOOD);
    ck_assert_int_eq(
        extract_file_read(&file, commitments, &line, writer_slice(&writer)),
        ST_OK);
    ck_assert_uint_eq(file.disclosures_count, 1);
    ck_assert_uint_eq(file.commitments_count, sample.count);
    ck_assert_ptr_null(memmem(changed, writer.used, "full_name", 9));
    ck_assert_ptr_null(memmem(changed, writer.used, "Səidə", 7));
    expect_hidden(writer.used);
}
END_TEST

/* ---- Damage ------------------------------------------------------------- */

/* The lines of the file that nobody signed: those of cosigners whom the policy
 * does not name. */
static bool is_strangers(size_t at)
{
    const uint8_t *line =
        memmem(sample.bytes, sample.file.size, "\xe2\x80\x94 stranger", 12);

    ck_assert_ptr_nonnull(line);
    return at >= (size_t)(line - sample.bytes);
}

/* From the proof on; what stands before it is the same in the next test. */
START_TEST(T_R_6_2_2_every_flipped_bit_is_found_but_in_strangers_lines)
{
    size_t unseen = 0, found = 0;
    const uint8_t *proof;

    extract_sample_make(&sample,
                        EXTRACT_SAMPLE_WHOLE | EXTRACT_SAMPLE_STRANGER);
    ck_assert_int_eq(judge(sample.file), EXTRACT_FOUND_GOOD);
    proof = memmem(sample.bytes, sample.file.size, "\nc2sp.org/", 10);
    ck_assert_ptr_nonnull(proof);
    for (size_t bit = 8 * (size_t)(proof - sample.bytes);
         bit < sample.file.size * 8; bit++) {
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum extract_finding finding = judge(sample.file);
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (finding == EXTRACT_FOUND_GOOD) {
            ck_assert_msg(is_strangers(bit / 8), "bit %zu is not found", bit);
            unseen++;
            continue;
        }
        found++;
        ck_assert_int_ne(extract_judge_verdict(finding), EXTRACT_TRUE);
    }
    ck_assert_uint_gt(found, 8 * 500);
    ck_assert_uint_gt(unseen, 0); /* The exception is one that is met. */
}
END_TEST

START_TEST(T_R_6_2_2_every_bit_of_an_extract_of_known_signers_is_judged)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    for (size_t bit = 0; bit < sample.file.size * 8; bit++) {
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum extract_finding finding = judge(sample.file);
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        /* A flip may take a cosigner's line for a stranger's. */
        ck_assert_msg(finding != EXTRACT_FOUND_GOOD, "bit %zu", bit);
    }
}
END_TEST

START_TEST(every_truncation_is_found)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    for (size_t size = 0; size < sample.file.size; size++)
        ck_assert_int_ne(judge(slice_of(sample.bytes, size)),
                         EXTRACT_FOUND_GOOD);
}
END_TEST

/* Any one line tells it, so that damage to others is told. */
START_TEST(an_extract_is_known_by_its_first_line_or_by_any_of_its_own)
{
    const char *const others[] = {
        "", "\n", "defter.extract@v1", "defter.extract@v2\n", "field \n",
        "commitment \n", "section 4 of a text\nfield of a text\n",
        "salt AAAAAAAAAAAAAAAAAAAAAA==\nnumber 1\nsubject 1400057421\n",
        "commitment AAAAAAAAAAAAAAAAAAAAAA==\n",
        /* Its end is missing. */
        "field AAAAAAAAAAAAAAAAAAAAAA== class number 2"};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_msg(!extract_file_is(slice_of(others[i], strlen(others[i]))),
                      "%s", others[i]);
    ck_assert(extract_file_is(slice_of("defter.extract@v1\n", 18)));
    ck_assert(extract_file_is(
        slice_of("?\nfield AAAAAAAAAAAAAAAAAAAAAA== class number 2\n", 48)));
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    for (size_t i = 0; i < 18 * 8; i++) {
        memcpy(changed, sample.bytes, sample.file.size);
        changed[i / 8] ^= (uint8_t)(1 << i % 8);
        ck_assert(extract_file_is(slice_of(changed, sample.file.size)));
        ck_assert_int_eq(judge(slice_of(changed, sample.file.size)),
                         EXTRACT_FOUND_FORM);
    }
}
END_TEST

SUITE_MAIN("extract_judge",
           T_R_6_2_2_an_extract_verifies_and_is_tied_to_the_head,
           an_extract_that_is_not_tied_to_the_log_is_incomplete,
           too_few_witnesses_make_it_incomplete,
           a_policy_without_a_quorum_leaves_the_log_to_its_own_word,
           T_R_6_2_2_a_changed_field_is_found_with_its_line,
           another_number_subject_or_mask_is_not_what_was_signed,
           a_commitment_more_or_less_is_not_what_was_signed,
           a_field_shown_twice_is_refused,
           an_extract_of_another_authority_is_refused,
           a_receipt_of_another_node_is_refused,
           a_receipt_of_another_operation_is_no_extract,
           a_checkpoint_of_another_log_is_refused,
           T_R_6_2_2_hidden_fields_leave_the_rest_true,
           T_R_6_2_2_every_flipped_bit_is_found_but_in_strangers_lines,
           T_R_6_2_2_every_bit_of_an_extract_of_known_signers_is_judged,
           every_truncation_is_found,
           an_extract_is_known_by_its_first_line_or_by_any_of_its_own)
