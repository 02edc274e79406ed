#include "client/audit/hidden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct report report;
static uint8_t bytes[128];

static void open_report(void)
{
    memset(&report, 0, sizeof report);
    report.kind = REPORT_LOG;
}

/* ${fields} NULL: sealed. */
static void done(uint64_t index, uint16_t opcode, const void *fields,
                 uint64_t person)
{
    const struct operation_info *operation = operation_info(opcode);
    struct authority_act act = {.index = index,
                                .operation = operation,
                                .log_time = (int64_t)index * 1000000};
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    if (fields != NULL)
        schema_encode(operation->fields, &writer, fields);
    act.fields = writer_slice(&writer);
    hidden_done(&report, &act, person);
}

static void decide(uint64_t index, uint16_t opcode, uint32_t seal,
                   uint64_t person)
{
    struct op_access_seal_approve in = {.seal = seal, .basis = {{7}}};

    done(index, opcode, &in, person); /* The three are alike. */
}

static char *written(void (*write)(const struct report *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    write(&report, out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static void holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no '%s' in\n%s", part, text);
}

START_TEST(a_seal_shows_who_proposed_decided_and_lifted_it)
{
    char *text, *json;

    open_report();
    done(10, OPCODE_ACCESS_SEAL_PROPOSE, NULL, 5);
    done(11, OPCODE_ACCESS_SEAL_PROPOSE, NULL, 5);
    decide(12, OPCODE_ACCESS_SEAL_APPROVE, 1, 6);
    decide(13, OPCODE_ACCESS_SEAL_REFUSE, 2, 7);
    decide(20, OPCODE_ACCESS_SEAL_LIFT, 1, 8);
    ck_assert_uint_eq(report.hidden_count, 2);
    ck_assert_int_eq(report.hidden[0].state, REPORT_HIDING_LIFTED);
    ck_assert_int_eq(report.hidden[1].state, REPORT_HIDING_REFUSED);
    text = written(report_write_text);
    holds(text, "hidden by 1  proposed by person 5, entry 10, 1970-01-01T");
    holds(text, "approved by person 6, entry 12");
    holds(text, "lifted by person 8, entry 20");
    holds(text, "hidden by 2  proposed by person 5, entry 11");
    holds(text, "refused by person 7, entry 13");
    holds(text, "sealed in entry 10");
    json = written(report_write_json);
    holds(json, "\"seal\":1,\"basis\":\"07");
    holds(json, "\"state\":\"lifted\",\"proposed\":{\"index\":10,");
    holds(json, "\"person\":6}");
    holds(json, "\"hidden_seals\":2,");
    free(text);
    free(json);
}
END_TEST

START_TEST(a_seal_that_nobody_decided_says_so)
{
    char *json;

    open_report();
    json = written(report_write_json);
    holds(json, "\"hidden\":[],\"hidden_seals\":0,");
    free(json);
    done(10, OPCODE_ACCESS_SEAL_PROPOSE, NULL, 5);
    json = written(report_write_json);
    holds(json, "\"state\":\"proposed\"");
    ck_assert_ptr_null(strstr(json, "\"decided\""));
    ck_assert_ptr_null(strstr(json, "\"lifted\""));
    free(json);
}
END_TEST

START_TEST(more_seals_than_are_kept_are_counted)
{
    char *text;

    open_report();
    for (uint64_t i = 0; i < REPORT_HIDDEN_MAX + 3; i++)
        done(10 + i, OPCODE_ACCESS_SEAL_PROPOSE, NULL, 5);
    ck_assert_uint_eq(report.hidden_count, REPORT_HIDDEN_MAX + 3);
    /* What is about one of them changes no other. */
    decide(500, OPCODE_ACCESS_SEAL_APPROVE, REPORT_HIDDEN_MAX + 1, 6);
    decide(501, OPCODE_ACCESS_SEAL_APPROVE, REPORT_HIDDEN_MAX + 9, 6);
    for (size_t i = 0; i < REPORT_HIDDEN_MAX; i++)
        ck_assert_int_eq(report.hidden[i].state, REPORT_HIDING_PROPOSED);
    text = written(report_write_text);
    holds(text, "hidden by    3 more");
    free(text);
}
END_TEST

START_TEST(fields_that_cannot_be_read_tell_nothing)
{
    open_report();
    done(10, OPCODE_ACCESS_SEAL_PROPOSE, NULL, 5);
    done(11, OPCODE_ACCESS_SEAL_APPROVE, NULL, 6);
    done(12, OPCODE_ACCESS_SEAL_LIFT, NULL, 6);
    ck_assert_int_eq(report.hidden[0].state, REPORT_HIDING_PROPOSED);
    ck_assert(!hidden_is_about(OPCODE_ACCESS_SEAL_LIST));
    ck_assert(!hidden_is_about(OPCODE_ACCESS_LIST));
}
END_TEST

SUITE_MAIN("hidden", a_seal_shows_who_proposed_decided_and_lifted_it,
           a_seal_that_nobody_decided_says_so,
           more_seals_than_are_kept_are_counted,
           fields_that_cannot_be_read_tell_nothing)
