/* What a signed extract is worth by its receipt, and what by the log: whoever
 * has a node's receipt key, and no more, makes none that is true. */
#include "protocol/extract_judge.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/lines.h"
#include "tests/lib/extract_sample.h"
#include "tests/lib/suite.h"

static struct extract_sample sample;
static struct extract_report report;
static struct extract_file file;
static uint8_t commitments[EXTRACT_FIELDS_MAX][HASH_SIZE];
static uint8_t shown[512];
static uint8_t written[EXTRACT_SAMPLE_TEXT_SIZE];

static void read_sample(void)
{
    size_t line;

    ck_assert_int_eq(extract_file_read(&file, commitments, &line, sample.file),
                     ST_OK);
}

/* Of the file as it is now. */
static enum extract_finding judge(void)
{
    struct writer writer;

    writer_init(&writer, written, sizeof written);
    extract_file_write(&writer, &file);
    ck_assert_int_eq(writer.status, ST_OK);
    return extract_sample_judge(&report, &sample.trust, writer_slice(&writer));
}

/* Signs what the file holds, as whoever has the node's receipt key can. */
static void sign_receipt(void)
{
    uint8_t record[SIGNED_LOG_RECEIPT_SIZE];
    struct receipt receipt;

    signed_log_receipt(&sample.log, record, EXTRACT_SAMPLE_INDEX,
                       &sample.log.node, false);
    ck_assert_int_eq(receipt_decode(&receipt, record), ST_OK);
    extract_file_result_hash(&file, receipt.result_hash);
    receipt_sign(&receipt, file.receipt, file.signature, sample.log.cluster_id,
                 &sample.log.node);
}

/* An answer that nobody gave, to a question that somebody asked. */
static void forge(void)
{
    static const char section[] = "S06 EHIS 3 2026-08-11 "
                                  "2026-08-17T09:00:00.000000Z 1 5 Body";
    static const char field[] = "class number 4";
    uint8_t salt[SALT_SIZE] = {7};
    struct writer writer;

    file.sections = 1u << (SECTION_S06 - 1);
    extract_commit(commitments[0], salt, slice_of(section, strlen(section)),
                   slice_of(field, strlen(field)));
    file.commitments_count = 1;
    writer_init(&writer, shown, sizeof shown);
    lines_write(&writer, "section ");
    lines_write(&writer, section);
    lines_write(&writer, "\nfield ");
    lines_write_base64(&writer, salt, sizeof salt);
    lines_write(&writer, " ");
    lines_write(&writer, field);
    lines_write(&writer, "\n");
    file.disclosures = writer_slice(&writer);
    sign_receipt();
}

/* system.attest of the entries from EXTRACT_SAMPLE_INDEX on, as if the forged
 * answer were the only outcome, signed by ${signer} under assignment ${duty},
 * behind the log. */
static void attest_forgery(const struct identity *signer, uint32_t duty)
{
    struct op_system_attest fields = {.first = EXTRACT_SAMPLE_INDEX,
                                      .last = EXTRACT_SAMPLE_INDEX};
    uint8_t hash[HASH_SIZE], refusals[16];
    const struct signed_log_entry *entry;
    struct writer writer;

    writer_init(&writer, refusals, sizeof refusals);
    fields.refusals = list_begin(&writer);
    extract_file_result_hash(&file, hash);
    attestation_leaf(fields.root.b, EXTRACT_SAMPLE_INDEX, 0, ST_OK, hash);
    entry = signed_log_add(&sample.log, signer, OPCODE_SYSTEM_ATTEST, duty,
                           &fields, ST_NO_DUTY);
    memcpy(file.attested.entry, entry->bytes, entry->size);
    file.attested.entry_size = entry->size;
    memset(&file.attested.outcome, 0, sizeof file.attested.outcome);
}

/* tests/second/verify_extract.py calls these bytes true. */
START_TEST(the_bytes_of_a_whole_extract_are_these)
{
    static const uint8_t golden[HASH_SIZE] = {
        0xf3, 0xfe, 0x6b, 0xa7, 0x30, 0x56, 0x03, 0x2f, 0xba, 0xc6, 0xc1,
        0x75, 0x18, 0xea, 0x5b, 0x13, 0xab, 0x67, 0xf8, 0xf5, 0xba, 0x30,
        0xb5, 0x74, 0x32, 0xf8, 0x18, 0x0b, 0x1e, 0xc7, 0x4b, 0xa8};
    uint8_t hash[HASH_SIZE];

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    crypto_hash_sha256(hash, sample.file.data, sample.file.size);
    ck_assert_mem_eq(hash, golden, HASH_SIZE);
    read_sample();
    ck_assert_int_eq(judge(), EXTRACT_FOUND_GOOD);
    crypto_hash_sha256(hash, written, sample.file.size);
    ck_assert_mem_eq(hash, golden, HASH_SIZE);
}
END_TEST

START_TEST(an_extract_without_an_attestation_is_incomplete_and_says_why)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_RECEIPTED);
    read_sample();
    ck_assert_int_eq(judge(), EXTRACT_FOUND_RECEIPTED);
    ck_assert_int_eq(extract_judge_verdict(report.finding), EXTRACT_INCOMPLETE);
    ck_assert_ptr_nonnull(
        strstr(extract_judge_text(report.finding), "word of that node alone"));
    ck_assert_uint_eq(report.attested_at, 0);
}
END_TEST

START_TEST(a_forgery_with_the_receipt_key_alone_is_not_true)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_RECEIPTED);
    read_sample();
    forge();
    ck_assert_int_eq(judge(), EXTRACT_FOUND_RECEIPTED);
    ck_assert_int_eq(extract_judge_verdict(report.finding), EXTRACT_INCOMPLETE);
}
END_TEST

START_TEST(a_forgery_with_the_attestation_of_the_true_answer_is_refused)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    forge();
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTATION);
    ck_assert_int_eq(extract_judge_verdict(report.finding), EXTRACT_TAMPERED);
    ck_assert_uint_eq(report.line, extract_file_receipt_line(&file) + 4);
}
END_TEST

START_TEST(a_forged_attestation_that_is_not_in_the_log_is_refused)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    forge();
    attest_forgery(&sample.log.node, 0);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTED);
    ck_assert_int_eq(extract_judge_verdict(report.finding), EXTRACT_TAMPERED);
}
END_TEST

/* Even if one came to be an entry, refused as it is. */
START_TEST(an_attestation_by_somebody_else_is_refused_although_it_is_in_the_log)
{
    struct extract_attested whole;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    forge();
    attest_forgery(&sample.user, 0);
    extract_sample_attested(&whole, &sample, EXTRACT_SAMPLE_ATTESTED_AT + 2);
    file.attested = whole;
    file.proof = extract_sample_proof(&sample, false);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTER);
    ck_assert_uint_eq(report.line, extract_file_receipt_line(&file) + 5);
}
END_TEST

/* What the machine of a primary can enter: the forgery, its attestation by the
 * node's own key, and the proofs of both. */
static void enter_forgery(uint32_t duty)
{
    attest_forgery(&sample.log.node, duty);
    extract_sample_tie(&file.attested, &sample, sample.log.count - 1);
    file.proof = extract_sample_proof(&sample, false);
}

/* Each of these is refused by every node, whatever it states. */
START_TEST(an_attestation_that_nodes_refuse_makes_nothing_true)
{
    enum { NO_SUCH_DUTY = 99, REFUSALS = 4 };

    for (int refusal = 0; refusal < REFUSALS; refusal++) {
        extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
        read_sample();
        forge();
        sample.log.subject = refusal == 1 ? EXTRACT_SAMPLE_SUBJECT : 0;
        sample.log.carrier = refusal == 2;
        sample.log.counter = refusal == 3;
        enter_forgery(refusal == 0 ? NO_SUCH_DUTY : 0);
        ck_assert_int_eq(judge(), EXTRACT_FOUND_FORM);
        ck_assert_uint_eq(report.line, extract_file_receipt_line(&file) + 4);
        ck_assert_int_eq(extract_judge_verdict(report.finding),
                         EXTRACT_TAMPERED);
    }
}
END_TEST

/* Of an attestation as nodes write it, the judge sees nothing else: every other
 * node compares it, and stops (EXTRACT, section 6). */
START_TEST(only_what_nodes_compare_stands_against_a_false_attestation)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    forge();
    enter_forgery(0);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_GOOD);
}
END_TEST

START_TEST(an_archive_node_attests_nothing)
{
    struct nodecert cert;

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    nodecert_decode(&cert, file.attested.certificate);
    cert.role = NODECERT_ARCHIVE;
    nodecert_sign(file.attested.certificate, &cert, &sample.log.authority);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTER);
    ck_assert_int_eq(report.cert_fault, NODECERT_OTHER_ROLE);
}
END_TEST

START_TEST(what_was_refused_is_not_true_though_a_receipt_says_so)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    sample.log.entries[EXTRACT_SAMPLE_INDEX].code = ST_NO_DUTY;
    sample.log.attested = EXTRACT_SAMPLE_INDEX;
    signed_log_attest(&sample.log);
    extract_sample_attested(&file.attested, &sample, sample.log.count - 1);
    file.proof = extract_sample_proof(&sample, false);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTATION);
}
END_TEST

START_TEST(an_attestation_of_other_entries_is_refused)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    sample.log.attested = EXTRACT_SAMPLE_INDEX + 1;
    signed_log_attest(&sample.log);
    extract_sample_attested(&file.attested, &sample, sample.log.count - 1);
    file.proof = extract_sample_proof(&sample, false);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTATION);
}
END_TEST

START_TEST(a_later_attestation_of_the_same_outcome_is_as_good)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    sample.log.attested = EXTRACT_SAMPLE_INDEX;
    signed_log_attest(&sample.log);
    extract_sample_attested(&file.attested, &sample, sample.log.count - 1);
    file.proof = extract_sample_proof(&sample, false);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_GOOD);
}
END_TEST

/* What is there is judged, whatever is missing. */
START_TEST(a_wrong_attestation_is_found_without_policy_or_proof)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    file.attested.outcome.lefts ^= 1;
    sample.trust.policy = NULL;
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTATION);
    file.proof = slice_of(NULL, 0);
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTATION);
    file.attested.outcome.lefts ^= 1;
    ck_assert_int_eq(judge(), EXTRACT_FOUND_NO_PROOF);
}
END_TEST

START_TEST(an_attestation_without_the_entry_or_its_attester_does_not_read)
{
    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    file.entry_size = 0;
    ck_assert_int_eq(judge(), EXTRACT_FOUND_FORM);
    ck_assert_uint_eq(report.line, extract_file_receipt_line(&file) + 3);
    read_sample();
    file.attested.entry_size = 0; /* Its lines are not written. */
    ck_assert_int_eq(judge(), EXTRACT_FOUND_RECEIPTED);
}
END_TEST

START_TEST(as_many_hashes_as_there_may_be_are_read_and_one_more_is_not)
{
    struct writer writer;
    struct slice bytes;
    uint8_t *at;
    static const char more[] =
        "outcome left AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    enum { MORE = sizeof more - 1 };

    extract_sample_make(&sample, EXTRACT_SAMPLE_WHOLE);
    read_sample();
    file.attested.outcome.count = ATTEST_HASHES_MAX;
    file.attested.path_count = PROOF_HASHES_MAX;
    ck_assert_int_eq(judge(), EXTRACT_FOUND_ATTESTATION);
    writer_init(&writer, written, sizeof written);
    extract_file_write(&writer, &file);
    bytes = writer_slice(&writer);
    at = memmem(written, bytes.size, "outcome ", 8);
    ck_assert_ptr_nonnull(at);
    memmove(at + MORE, at, bytes.size - (size_t)(at - written));
    memcpy(at, more, MORE);
    bytes.size += MORE;
    ck_assert_int_eq(extract_sample_judge(&report, &sample.trust, bytes),
                     EXTRACT_FOUND_FORM);
    ck_assert_uint_eq(report.line,
                      extract_file_receipt_line(&file) + 6 + ATTEST_HASHES_MAX);
}
END_TEST

SUITE_MAIN("extract_attested", the_bytes_of_a_whole_extract_are_these,
           an_extract_without_an_attestation_is_incomplete_and_says_why,
           a_forgery_with_the_receipt_key_alone_is_not_true,
           a_forgery_with_the_attestation_of_the_true_answer_is_refused,
           a_forged_attestation_that_is_not_in_the_log_is_refused,
           an_attestation_by_somebody_else_is_refused_although_it_is_in_the_log,
           an_attestation_that_nodes_refuse_makes_nothing_true,
           only_what_nodes_compare_stands_against_a_false_attestation,
           an_archive_node_attests_nothing,
           what_was_refused_is_not_true_though_a_receipt_says_so,
           an_attestation_of_other_entries_is_refused,
           a_later_attestation_of_the_same_outcome_is_as_good,
           a_wrong_attestation_is_found_without_policy_or_proof,
           an_attestation_without_the_entry_or_its_attester_does_not_read,
           as_many_hashes_as_there_may_be_are_read_and_one_more_is_not)
