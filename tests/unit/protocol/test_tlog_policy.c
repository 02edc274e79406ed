#include "protocol/tlog_policy.h"

#include "protocol/lines.h"
#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

#define LOG                              \
    "registry.example/kob-log+70bac4ee+" \
    "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define WITNESS                           \
    "witness.example/archive-1+b5bca02d+" \
    "BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"

static struct tlog_policy policy;
static struct tlog_policy_error error;
static struct tlog_policy_verdict verdict;
static struct checkpoint checkpoint;
static struct tlog_file file;

/* A policy text that tests add to. */
static uint8_t text[TLOG_POLICY_SIZE_MAX + 1];
static struct writer writer;

static enum status read_text(const char *lines)
{
    return tlog_policy_read(&policy, &error, slice_of(lines, strlen(lines)));
}

static void expect_fault(const char *lines, enum tlog_policy_fault fault,
                         size_t line)
{
    enum status status = read_text(lines);

    ck_assert_msg(error.fault == fault && error.line == line,
                  "line %zu: %s, in\n%s", error.line,
                  tlog_policy_fault_text(error.fault), lines);
    ck_assert_int_eq(status,
                     fault == TLOG_POLICY_GOOD ? ST_OK : ST_FILE_FORMAT);
}

/* Witness ${number}, whose key is made of its number. */
static void make_witness(struct tlog_signer *signer, unsigned number)
{
    char name[32];

    snprintf(name, sizeof name, "w%u.example", number);
    tlog_signer_make(signer, name, NOTE_COSIGNATURE, (uint8_t)(64 + number));
}

static void add_witness(unsigned number)
{
    struct tlog_signer signer;
    char name[16];

    make_witness(&signer, number);
    snprintf(name, sizeof name, "w%u", number);
    lines_write(&writer, "witness ");
    lines_write(&writer, name);
    lines_write(&writer, " ");
    note_key_write(&writer, &signer.key);
    lines_write(&writer, "\n");
}

/* A log and ${count} witnesses, then ${lines}. */
static enum status read_witnesses(unsigned count, const char *lines)
{
    writer_init(&writer, text, sizeof text);
    lines_write(&writer, "log " LOG "\n");
    for (unsigned i = 0; i < count; i++)
        add_witness(i);
    lines_write(&writer, lines);
    return tlog_policy_read(&policy, &error, writer_slice(&writer));
}

START_TEST(policy_is_read_with_names_addresses_and_quorum)
{
    ck_assert_int_eq(read_text("# who is trusted\n"
                               " \t# and how far\n"
                               "\n"
                               "\tlog  " LOG "\thttps://log.example/ \n"
                               "witness archive " WITNESS "\n"
                               "group one any archive\n"
                               "quorum one\n"),
                     ST_OK);
    ck_assert_uint_eq(policy.logs_count, 1);
    ck_assert_str_eq(policy.logs[0].key.name, "registry.example/kob-log");
    ck_assert(lines_equal(policy.logs[0].url, "https://log.example/"));
    ck_assert_uint_eq(policy.witnesses_count, 1);
    ck_assert_uint_eq(policy.witnesses[0].url.size, 0);
    ck_assert(lines_equal(tlog_policy_name(&policy, 0), "archive"));
    ck_assert_int_eq(policy.quorum, TLOG_POLICY_WITNESSES_MAX);
    ck_assert(lines_equal(tlog_policy_name(&policy, policy.quorum), "one"));
    ck_assert_int_eq(read_text("quorum none\n"), ST_OK);
    ck_assert_int_eq(policy.quorum, TLOG_POLICY_NONE);
}
END_TEST

START_TEST(every_fault_is_told_with_its_line)
{
    static const struct {
        const char *lines;
        enum tlog_policy_fault fault;
        size_t line;
    } rows[] = {
        {"", TLOG_POLICY_QUORUM_MISSING, 1},
        {"\n\n# x\n", TLOG_POLICY_QUORUM_MISSING, 4},
        {"quorum none", TLOG_POLICY_CHARACTER, 1},
        {"\nquorum\r none\n", TLOG_POLICY_CHARACTER, 2},
        {"# \x7f\nquorum none\n", TLOG_POLICY_CHARACTER, 1},
        {"quorum none\nquorum none\n", TLOG_POLICY_QUORUM_AGAIN, 2},
        {"quorum\n", TLOG_POLICY_WORDS, 1},
        {"quorum none none\n", TLOG_POLICY_WORDS, 1},
        {"quorum w\n", TLOG_POLICY_NAME_UNKNOWN, 1},
        {"Quorum none\n", TLOG_POLICY_KEYWORD, 1},
        {"log\n", TLOG_POLICY_WORDS, 1},
        {"log x\n", TLOG_POLICY_KEY, 1},
        {"log " LOG " a b\n", TLOG_POLICY_WORDS, 1},
        {"log " WITNESS "\n", TLOG_POLICY_KEY_ROLE, 1},
        {"log " LOG "\nlog " LOG "\n", TLOG_POLICY_KEY_AGAIN, 2},
        {"log a.example+00000000+BgAA\n", TLOG_POLICY_KEY_TYPE, 1},
        {"witness\n", TLOG_POLICY_WORDS, 1},
        {"witness w\n", TLOG_POLICY_WORDS, 1},
        {"witness none " WITNESS "\n", TLOG_POLICY_NAME, 1},
        {"witness w " LOG "\n", TLOG_POLICY_KEY_ROLE, 1},
        {"witness w " WITNESS " a b\n", TLOG_POLICY_WORDS, 1},
        {"witness w " WITNESS "\nwitness v " WITNESS "\n",
         TLOG_POLICY_KEY_AGAIN, 2},
        {"witness w " WITNESS "\ngroup w any w\n", TLOG_POLICY_NAME_AGAIN, 2},
        {"group\n", TLOG_POLICY_WORDS, 1},
        {"group g\n", TLOG_POLICY_WORDS, 1},
        {"group g any\n", TLOG_POLICY_WORDS, 1},
        {"group none any w\n", TLOG_POLICY_NAME, 1},
        {"group g any w\n", TLOG_POLICY_NAME_UNKNOWN, 1},
        {"group g any g\n", TLOG_POLICY_NAME_UNKNOWN, 1},
        {"group g any none\n", TLOG_POLICY_NAME_UNKNOWN, 1},
        {"witness w " WITNESS "\ngroup g 0 w\n", TLOG_POLICY_THRESHOLD, 2},
        {"witness w " WITNESS "\ngroup g 2 w\n", TLOG_POLICY_THRESHOLD, 2},
        {"witness w " WITNESS "\ngroup g 01 w\n", TLOG_POLICY_THRESHOLD, 2},
        {"witness w " WITNESS "\ngroup g some w\n", TLOG_POLICY_THRESHOLD, 2},
        {"witness w " WITNESS "\ngroup g any w w\n", TLOG_POLICY_MEMBER_AGAIN,
         2},
        {"witness w " WITNESS "\ngroup g any w\ngroup h any w\n",
         TLOG_POLICY_MEMBER_AGAIN, 3}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_fault(rows[i].lines, rows[i].fault, rows[i].line);
}
END_TEST

START_TEST(every_fault_has_a_text_in_two_languages)
{
    for (int i = 0; i < TLOG_POLICY_FAULTS_COUNT; i++) {
        ck_assert_uint_gt(
            strlen(tlog_policy_fault_text((enum tlog_policy_fault)i)), 0);
        ck_assert_uint_gt(
            strlen(tlog_policy_fault_text_az((enum tlog_policy_fault)i)), 0);
    }
}
END_TEST

START_TEST(as_many_of_each_as_promised_are_held_and_no_more)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        ck_assert_int_eq(
            read_witnesses(TLOG_POLICY_WITNESSES_MAX + extra, "quorum none\n"),
            extra == 0 ? ST_OK : ST_FILE_FORMAT);
        ck_assert_int_eq(error.fault,
                         extra == 0 ? TLOG_POLICY_GOOD : TLOG_POLICY_TOO_MANY);
    }
    for (unsigned extra = 0; extra < 2; extra++) {
        writer_init(&writer, text, sizeof text);
        for (unsigned i = 0; i < TLOG_POLICY_LOGS_MAX + extra; i++) {
            struct tlog_signer signer;

            tlog_signer_make(&signer, "a.example", NOTE_ED25519, (uint8_t)i);
            lines_write(&writer, "log ");
            note_key_write(&writer, &signer.key);
            lines_write(&writer, "\n");
        }
        lines_write(&writer, "quorum none\n");
        ck_assert_int_eq(
            tlog_policy_read(&policy, &error, writer_slice(&writer)),
            extra == 0 ? ST_OK : ST_FILE_FORMAT);
    }
    ck_assert_int_eq(error.fault, TLOG_POLICY_TOO_MANY);
    /* Each group holds the one before it. */
    for (unsigned extra = 0; extra < 2; extra++) {
        writer_init(&writer, text, sizeof text);
        add_witness(0);
        for (unsigned i = 0; i < TLOG_POLICY_GROUPS_MAX + extra; i++) {
            char line[64];

            snprintf(line, sizeof line, "group g%u all %c%u\n", i,
                     i == 0 ? 'w' : 'g', i == 0 ? 0 : i - 1);
            lines_write(&writer, line);
        }
        lines_write(&writer, "quorum g31\n");
        ck_assert_int_eq(
            tlog_policy_read(&policy, &error, writer_slice(&writer)),
            extra == 0 ? ST_OK : ST_FILE_FORMAT);
    }
    ck_assert_int_eq(error.fault, TLOG_POLICY_TOO_MANY);
}
END_TEST

START_TEST(policy_above_its_limit_is_too_large)
{
    memset(text, '\n', sizeof text);
    memcpy(text, "quorum none", strlen("quorum none"));
    ck_assert_int_eq(
        tlog_policy_read(&policy, &error, slice_of(text, sizeof text - 1)),
        ST_OK);
    ck_assert_int_eq(
        tlog_policy_read(&policy, &error, slice_of(text, sizeof text)),
        ST_FILE_FORMAT);
    ck_assert_int_eq(error.fault, TLOG_POLICY_TOO_LARGE);
}
END_TEST

/* Judges a checkpoint that the witnesses with these bits signed. */
static enum status judge(uint64_t signers)
{
    struct tlog_signer signer;
    struct checkpoint made = {.size = 9};
    struct writer note_writer;
    struct slice signed_text;

    tlog_log(&signer);
    made.origin = note_key_name(&signer.key);
    writer_init(&note_writer, file.bytes, sizeof file.bytes);
    checkpoint_write(&note_writer, &made);
    signed_text = writer_slice(&note_writer);
    writer_init(&note_writer, file.bytes, sizeof file.bytes);
    checkpoint_sign(&note_writer, &made, &signer.key, &signer.identity);
    for (unsigned i = 0; i < 8; i++) {
        if ((signers >> i & 1) == 0)
            continue;
        make_witness(&signer, i);
        checkpoint_cosign_line(&note_writer, signed_text, &signer.key,
                               &signer.identity, 100 + i);
    }
    ck_assert_int_eq(note_writer.status, ST_OK);
    file.slice = writer_slice(&note_writer);
    return tlog_policy_judge(&verdict, &checkpoint, &policy, file.slice);
}

START_TEST(quorum_holds_exactly_where_its_groups_do)
{
    ck_assert_int_eq(read_witnesses(6, "group x 2 w0 w1 w2\n"
                                       "group y any w3 w4\n"
                                       "group both all x y\n"
                                       "quorum both\n"),
                     ST_OK);
    for (uint64_t signers = 0; signers < 64; signers++) {
        bool x = (signers & 1) + (signers >> 1 & 1) + (signers >> 2 & 1) >= 2;
        bool y = (signers >> 3 & 3) != 0;

        ck_assert_int_eq(judge(signers), ST_OK);
        ck_assert(verdict.satisfied == (x && y));
        ck_assert_uint_eq(verdict.signed_by & 0xffffffff, signers);
        ck_assert_uint_eq(verdict.signed_by >> 32, (uint64_t)x |
                                                       (uint64_t)y << 1 |
                                                       (uint64_t)(x && y) << 2);
        for (unsigned i = 0; i < 6; i++)
            ck_assert_uint_eq(verdict.times_s[i],
                              (signers >> i & 1) != 0 ? 100 + i : 0);
    }
    ck_assert_ptr_eq(verdict.log, &policy.logs[0]);
    ck_assert_uint_eq(checkpoint.size, 9);
}
END_TEST

START_TEST(quorum_may_be_one_witness_or_nobody)
{
    ck_assert_int_eq(read_witnesses(2, "quorum w1\n"), ST_OK);
    ck_assert_int_eq(judge(1), ST_OK);
    ck_assert(!verdict.satisfied);
    ck_assert_int_eq(judge(2), ST_OK);
    ck_assert(verdict.satisfied);
    ck_assert_int_eq(read_witnesses(2, "quorum none\n"), ST_OK);
    ck_assert_int_eq(judge(0), ST_OK);
    ck_assert(verdict.satisfied);
    /* Those that the policy does not know count for nothing. */
    ck_assert_int_eq(judge(0xf0), ST_OK);
    ck_assert_uint_eq(verdict.signed_by, 0);
}
END_TEST

START_TEST(a_known_key_that_signed_wrongly_spoils_the_note)
{
    ck_assert_int_eq(read_witnesses(3, "quorum w0\n"), ST_OK);
    ck_assert_int_eq(judge(5), ST_OK);
    ck_assert(verdict.satisfied);
    /* The last character but the padding is of witness 2's signature. */
    file.bytes[file.slice.size - 8] ^= 1;
    ck_assert_int_eq(
        tlog_policy_judge(&verdict, &checkpoint, &policy, file.slice),
        ST_BAD_SIG);
    ck_assert(!verdict.satisfied);
    /* Without that witness in the policy the same note is good. */
    ck_assert_int_eq(read_witnesses(2, "quorum w0\n"), ST_OK);
    ck_assert_int_eq(
        tlog_policy_judge(&verdict, &checkpoint, &policy, file.slice), ST_OK);
    ck_assert(verdict.satisfied);
}
END_TEST

START_TEST(a_log_must_be_known_and_have_signed)
{
    ck_assert_int_eq(read_text("witness w " WITNESS "\nquorum none\n"), ST_OK);
    tlog_file_read(&file, "log5/checkpoint");
    ck_assert_int_eq(
        tlog_policy_judge(&verdict, &checkpoint, &policy, file.slice),
        ST_ORIGIN);
    ck_assert_int_eq(
        read_text("log " LOG "\nwitness w " WITNESS "\nquorum w\n"), ST_OK);
    ck_assert_int_eq(
        tlog_policy_judge(&verdict, &checkpoint, &policy, file.slice), ST_OK);
    ck_assert(verdict.satisfied);
    ck_assert_uint_eq(verdict.times_s[0], TLOG_TIME_S);
    /* Another keyid on the log's line: a key that nobody knows. */
    ck_assert_ptr_nonnull(strstr((const char *)file.bytes, " cLrE"));
    strstr((char *)file.bytes, " cLrE")[1] = 'd';
    ck_assert_int_eq(
        tlog_policy_judge(&verdict, &checkpoint, &policy, file.slice),
        ST_NO_SUCH);
}
END_TEST

START_TEST(one_log_may_have_two_keys_and_either_will_do)
{
    struct tlog_signer other;

    ck_assert_int_ge(sodium_init(), 0);
    tlog_signer_make(&other, "registry.example/kob-log", NOTE_ED25519, 77);
    writer_init(&writer, text, sizeof text);
    lines_write(&writer, "log ");
    note_key_write(&writer, &other.key);
    lines_write(&writer, "\nlog " LOG "\nquorum none\n");
    ck_assert_int_eq(tlog_policy_read(&policy, &error, writer_slice(&writer)),
                     ST_OK);
    tlog_file_read(&file, "log5/checkpoint");
    ck_assert_int_eq(
        tlog_policy_judge(&verdict, &checkpoint, &policy, file.slice), ST_OK);
    ck_assert_ptr_eq(verdict.log, &policy.logs[1]);
    /* Either, but neither wrongly. */
    writer =
        (struct writer){file.bytes, sizeof file.bytes, file.slice.size, ST_OK};
    note_write_line(&writer, &other.key, text, SIGNATURE_SIZE);
    ck_assert_int_eq(tlog_policy_judge(&verdict, &checkpoint, &policy,
                                       writer_slice(&writer)),
                     ST_BAD_SIG);
}
END_TEST

START_TEST(lineages_of_one_log_have_its_key_under_other_names)
{
    struct tlog_signer one;
    struct note_key key;

    tlog_log(&one);
    key = one.key;
    writer_init(&writer, text, sizeof text);
    for (int i = 0; i < 2; i++) {
        lines_write(&writer, "log ");
        note_key_write(&writer, &key);
        lines_write(&writer, "\n");
        note_key_init(&key, slice_of("registry.example/kob-log/2", 26),
                      NOTE_ED25519, one.key.public_key);
    }
    lines_write(&writer, "quorum none\n");
    ck_assert_int_eq(tlog_policy_read(&policy, &error, writer_slice(&writer)),
                     ST_OK);
    ck_assert_uint_eq(policy.logs_count, 2);
}
END_TEST

SUITE_MAIN("tlog policy", policy_is_read_with_names_addresses_and_quorum,
           every_fault_is_told_with_its_line,
           every_fault_has_a_text_in_two_languages,
           as_many_of_each_as_promised_are_held_and_no_more,
           policy_above_its_limit_is_too_large,
           quorum_holds_exactly_where_its_groups_do,
           quorum_may_be_one_witness_or_nobody,
           a_known_key_that_signed_wrongly_spoils_the_note,
           a_log_must_be_known_and_have_signed,
           one_log_may_have_two_keys_and_either_will_do,
           lineages_of_one_log_have_its_key_under_other_names)
