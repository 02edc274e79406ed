/* What a node stated of a subject is held against the log. */
#include "client/audit/completeness.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/completeness_file.h"
#include "tests/lib/signed_log.h"
#include "tests/lib/suite.h"

#define SUBJECT UINT64_C(1400057421)
enum { SEGMENT = 8 * 1024 };

static struct signed_log made;
static char directory[64];
static struct completeness_file file;
static struct completeness_walked walked;
static struct receipt receipt;
static uint8_t bytes[COMPLETENESS_FILE_SIZE_MAX];
static struct writer writer;

/* The statement of entry ${index}, signed. */
static void state_it(uint64_t index)
{
    uint8_t record[SIGNED_LOG_RECEIPT_SIZE], result[72];
    struct writer out;

    signed_log_receipt(&made, record, index, &made.node, false);
    ck_assert_int_eq(receipt_decode(&receipt, record), ST_OK);
    file.size = index;
    memset(file.salt, 0x44, SALT_SIZE);
    writer_init(&out, result, sizeof result);
    writer_bytes(&out, file.salt, SALT_SIZE);
    writer_u64(&out, file.subject);
    writer_u64(&out, file.sum.count);
    writer_bytes(&out, file.sum.rolling, HASH_SIZE);
    writer_u64(&out, file.size);
    crypto_hash_sha256(receipt.result_hash, result, sizeof result);
    receipt_sign(&receipt, file.receipt, file.signature, made.cluster_id,
                 &made.node);
    memcpy(file.certificate, record + RECEIPT_SIZE + SIGNATURE_SIZE,
           NODECERT_SIZE);
    writer_init(&writer, bytes, sizeof bytes);
    completeness_file_write(&writer, &file);
    ck_assert_int_eq(writer.status, ST_OK);
}

static void add(uint64_t subject, enum opcode opcode)
{
    struct op_section_get get = {.sections = 1};
    struct op_subject_completeness ask = {.file_number = {NULL, 0}};

    made.subject = subject;
    signed_log_add(&made, &made.owner, opcode, 0,
                   opcode == OPCODE_SECTION_GET ? (const void *)&get : &ask,
                   ST_OK);
    made.subject = 0;
}

/* Three entries name the subject; the fourth asks. */
static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    memcpy(directory, "/tmp/defter-count-XXXXXX", 25);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    signed_log_init(&made);
    add(SUBJECT, OPCODE_SECTION_GET);
    add(SUBJECT + 10, OPCODE_SECTION_GET);
    add(SUBJECT, OPCODE_SECTION_GET);
    signed_log_ping(&made);
    add(SUBJECT, OPCODE_SECTION_GET);
    add(SUBJECT, OPCODE_SUBJECT_COMPLETENESS);
    signed_log_ping(&made);
    signed_log_write(&made, directory, SEGMENT);
    memset(&file, 0, sizeof file);
    file.subject = SUBJECT;
    ck_assert_int_eq(completeness_walk(&walked, directory, SUBJECT, 7), ST_OK);
    file.sum = walked.sum;
    state_it(7);
}

static void teardown(void)
{
    DIR *names = opendir(directory);
    const struct dirent *name;

    ck_assert_ptr_nonnull(names);
    while ((name = readdir(names)) != NULL)
        (void)unlinkat(dirfd(names), name->d_name, 0);
    closedir(names);
    ck_assert_int_eq(rmdir(directory), 0);
}

/* Read, judge and compare with the log. */
static enum completeness_verdict verdict(void)
{
    struct completeness_file read;

    ck_assert_int_eq(completeness_file_read(&read, writer_slice(&writer)),
                     ST_OK);
    ck_assert_int_eq(
        completeness_file_judge(&receipt, &read, made.authority.public_key),
        ST_OK);
    ck_assert_int_eq(
        completeness_walk(&walked, directory, read.subject, read.size), ST_OK);
    return completeness_compare(&walked, &read, &receipt);
}

START_TEST(a_true_statement_is_found_true)
{
    setup();
    ck_assert_int_eq(verdict(), COMPLETENESS_TRUE);
    ck_assert_uint_eq(walked.sum.count, 3);
    teardown();
}
END_TEST

START_TEST(T_R_8_2_14_a_statement_that_leaves_one_out_is_found)
{
    setup();
    file.sum.count = 2;
    state_it(7);
    ck_assert_int_eq(verdict(), COMPLETENESS_FALSE);
    file.sum.count = 3;
    file.sum.rolling[0] ^= 1;
    state_it(7);
    ck_assert_int_eq(verdict(), COMPLETENESS_FALSE);
    teardown();
}
END_TEST

START_TEST(a_receipt_of_another_operation_states_nothing)
{
    setup();
    ck_assert_int_eq(completeness_walk(&walked, directory, SUBJECT, 8), ST_OK);
    file.sum = walked.sum;
    state_it(8); /* A ping. */
    ck_assert_int_eq(verdict(), COMPLETENESS_FALSE);
    teardown();
}
END_TEST

START_TEST(a_log_that_ends_before_the_statement_is_too_short)
{
    setup();
    made.count = 6;
    teardown();
    ck_assert_ptr_nonnull(
        mkdtemp(memcpy(directory, "/tmp/defter-count-XXXXXX", 25)));
    signed_log_write(&made, directory, SEGMENT);
    ck_assert_int_eq(verdict(), COMPLETENESS_SHORT);
    teardown();
}
END_TEST

START_TEST(all_of_a_log_is_counted_where_no_statement_is_named)
{
    setup();
    ck_assert_int_eq(completeness_walk(&walked, directory, SUBJECT, UINT64_MAX),
                     ST_OK);
    ck_assert_uint_eq(walked.size, 9);
    ck_assert_uint_eq(walked.sum.count, 4);
    ck_assert(!walked.has_next);
    ck_assert_int_eq(
        completeness_walk(&walked, "/nowhere", SUBJECT, UINT64_MAX),
        ST_NO_FILE);
    teardown();
}
END_TEST

START_TEST(every_flipped_bit_of_a_statement_is_found)
{
    struct completeness_file read;

    setup();
    for (size_t bit = 0; bit < writer.used * 8; bit++) {
        enum status status;

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        status = completeness_file_read(&read, writer_slice(&writer));
        if (status == ST_OK)
            status = completeness_file_judge(&receipt, &read,
                                             made.authority.public_key);
        ck_assert_msg(status != ST_OK, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < writer.used; size++)
        ck_assert_int_eq(completeness_file_read(&read, slice_of(bytes, size)),
                         ST_FILE_FORMAT);
    teardown();
}
END_TEST

START_TEST(a_statement_of_another_authority_is_refused)
{
    setup();
    ck_assert_int_eq(
        completeness_file_judge(&receipt, &file, made.owner.public_key),
        ST_CERTIFICATE);
    receipt_sign(&receipt, file.receipt, file.signature, made.cluster_id,
                 &made.owner);
    ck_assert_int_eq(
        completeness_file_judge(&receipt, &file, made.authority.public_key),
        ST_RECEIPT);
    teardown();
}
END_TEST

SUITE_MAIN("completeness", a_true_statement_is_found_true,
           T_R_8_2_14_a_statement_that_leaves_one_out_is_found,
           a_receipt_of_another_operation_states_nothing,
           a_log_that_ends_before_the_statement_is_too_short,
           all_of_a_log_is_counted_where_no_statement_is_named,
           every_flipped_bit_of_a_statement_is_found,
           a_statement_of_another_authority_is_refused)
