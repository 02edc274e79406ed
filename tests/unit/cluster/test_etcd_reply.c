#include "server/cluster/etcd_reply.h"

#include <stdlib.h>

#include "tests/lib/etcd_plain.h"
#include "tests/lib/suite.h"

static const uint8_t cluster[CLUSTER_ID_SIZE] = {0x7f, 0x3a};
static const uint8_t node_a[NODE_ID_SIZE] = {0xaa};
static const uint8_t node_b[NODE_ID_SIZE] = {0xbb};

#define ALL    "/defter/7f3a0000000000000000000000000000/"
#define NODE_A "aa000000000000000000000000000000"
#define NODE_B "bb000000000000000000000000000000"

/* As etcd 3.4 writes them. */
#define HEADER                                                    \
    "\"header\":{\"cluster_id\":\"15118495548433857066\","        \
    "\"member_id\":\"13668033151171901709\",\"revision\":\"50\"," \
    "\"raft_term\":\"2\"}"
#define PAIR(key, mod, value)                           \
    "{\"key\":<" ALL key ">,\"create_revision\":\"2\"," \
    "\"mod_revision\":\"" mod "\",\"version\":\"1\",\"value\":<" value ">}"
#define RANGE(pairs)                                         \
    "{\"response_range\":{\"header\":{\"revision\":\"50\"}," \
    "\"kvs\":[" pairs "],\"count\":\"1\"}}"
#define NOTHING "{\"response_range\":{\"header\":{\"revision\":\"50\"}}}"
#define WAS_PUT "{\"response_put\":{\"header\":{\"revision\":\"50\"}}}"

static const char won[] =
    "{" HEADER ",\"succeeded\":true,\"responses\":[" WAS_PUT "," WAS_PUT "]}";
static const char lost[] = "{" HEADER ",\"responses\":[" RANGE(
    PAIR("config", "43", "D")) "," NOTHING
                               "," RANGE(PAIR("inc/" NODE_B, "9", "31")) "]}";

static struct etcd_reply reply;

/* The text with every <text> encoded, in memory of exactly its size. */
static struct slice text_of(const char *plain)
{
    static char out[4 * ETCD_REPLY_SIZE_MAX];
    static uint8_t *exact;
    size_t size = etcd_plain(out, sizeof out, plain);

    free(exact);
    exact = malloc(size + 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, out, size);
    return slice_of(exact, size);
}

static struct register_proposal promotion(void)
{
    struct register_proposal made = {.token = 5,
                                     .revision = 42,
                                     .number = 18,
                                     .value = "C",
                                     .value_size = 1,
                                     .guards_count = 1,
                                     .guard_alive = true};

    memcpy(made.alive, node_a, NODE_ID_SIZE);
    memcpy(made.guards[0].node_id, node_b, NODE_ID_SIZE);
    made.guards[0].incarnation = 31;
    return made;
}

static enum status read_promotion(struct slice text)
{
    struct register_proposal made = promotion();
    struct etcd_txn txn;

    etcd_txn_cas(&txn, cluster, &made);
    return etcd_reply_txn(&reply, text, &txn);
}

static struct register_answer judge(const char *plain)
{
    struct register_proposal made = promotion();
    struct register_answer answer = {.token = 0};

    ck_assert_int_eq(read_promotion(text_of(plain)), ST_OK);
    etcd_reply_cas(&answer, &reply, cluster, &made);
    ck_assert_uint_eq(answer.token, 5);
    return answer;
}

static void expect_view(const struct register_view *view, uint64_t revision,
                        const char *value)
{
    ck_assert_uint_eq(view->revision, revision);
    ck_assert_uint_eq(view->value_size, strlen(value));
    ck_assert_mem_eq(view->value, value, strlen(value));
}

START_TEST(a_proposal_that_succeeded_stands_at_the_revision_of_the_answer)
{
    struct register_answer answer = judge(won);

    ck_assert_int_eq(answer.outcome, REGISTER_WON);
    expect_view(&answer.view, 50, "C");
}
END_TEST

START_TEST(a_revision_that_moved_on_is_lost_and_shows_the_newest_value)
{
    struct register_answer answer = judge(lost);

    ck_assert_int_eq(answer.outcome, REGISTER_LOST);
    expect_view(&answer.view, 43, "D");
}
END_TEST

START_TEST(the_own_value_that_stands_already_is_won)
{
    struct register_answer answer = judge("{" HEADER ",\"responses\":[" RANGE(
        PAIR("config", "43", "C")) "," NOTHING "," NOTHING "]}");

    ck_assert_int_eq(answer.outcome, REGISTER_WON);
    expect_view(&answer.view, 43, "C");
}
END_TEST

START_TEST(a_guard_that_failed_is_rejected_and_settles_nothing)
{
    struct register_answer answer =
        judge("{" HEADER
              ",\"responses\":[" RANGE(PAIR("config", "42", "B")) "," RANGE(
                  PAIR("alive/" NODE_A, "12", "7")) "," NOTHING "]}");

    ck_assert_int_eq(answer.outcome, REGISTER_REJECTED);
    expect_view(&answer.view, 42, "B");
}
END_TEST

START_TEST(a_register_that_went_back_leaves_the_outcome_unknown)
{
    struct register_answer answer = judge("{" HEADER ",\"responses\":[" RANGE(
        PAIR("config", "41", "B")) "," NOTHING "," NOTHING "]}");

    ck_assert_int_eq(answer.outcome, REGISTER_UNKNOWN);
    answer = judge("{" HEADER ",\"responses\":[" NOTHING "," NOTHING "," NOTHING
                   "]}");
    ck_assert_int_eq(answer.outcome, REGISTER_UNKNOWN);
}
END_TEST

START_TEST(zeros_may_be_written_out_and_new_fields_added)
{
    ck_assert_int_eq(
        judge("{" HEADER ",\"new\":{\"a\":[1]},"
              "\"succeeded\":false,\"responses\":[" RANGE(
                  PAIR("config", "43",
                       "D")) ","
                             "{\"response_range\":{\"kvs\":[],\"more\":false,"
                             "\"count\":\"0\",\"x\":null}}," NOTHING "]}")
            .outcome,
        REGISTER_LOST);
}
END_TEST

START_TEST(every_truncation_of_an_answer_is_an_error)
{
    static const char *const texts[] = {won, lost};

    for (size_t i = 0; i < 2; i++) {
        struct slice whole = text_of(texts[i]);
        uint8_t *copy = malloc(whole.size);
        size_t size = whole.size;
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole.data, size);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = malloc(cut + 1);
            ck_assert_ptr_nonnull(exact);
            memcpy(exact, copy, cut);
            ck_assert_int_eq(read_promotion(slice_of(exact, cut)),
                             ST_BAD_FIELD);
            free(exact);
        }
        ck_assert_int_eq(read_promotion(slice_of(copy, size)), ST_OK);
        free(copy);
    }
}
END_TEST

/* None of these may be taken for a failure that was answered. */
START_TEST(answers_of_another_form_are_refused)
{
    static const char *const texts[] = {
        "", "null", "[]", "\"x\"", "{}", "{" HEADER "}",
        "{" HEADER ",\"succeeded\":\"true\"}",
        "{" HEADER ",\"succeeded\":1,\"responses\":[" WAS_PUT "," WAS_PUT "]}",
        "{" HEADER ",\"succeeded\":true,\"responses\":[" WAS_PUT "]}",
        "{" HEADER ",\"succeeded\":true,\"responses\":[" WAS_PUT "," NOTHING
        "]}",
        "{" HEADER ",\"succeeded\":true,\"responses\":[" WAS_PUT "," WAS_PUT
        "," WAS_PUT "]}",
        "{" HEADER ",\"succeeded\":true,\"responses\":{}}",
        "{\"header\":7,\"succeeded\":true,\"responses\":[" WAS_PUT "," WAS_PUT
        "]}",
        "{\"succeeded\":true,\"responses\":[" WAS_PUT "," WAS_PUT "]}",
        /* Numbers that are none. */
        "{\"header\":{\"revision\":50},\"succeeded\":true,\"responses\":"
        "[" WAS_PUT "," WAS_PUT "]}",
        "{\"header\":{\"revision\":\"-1\"},\"succeeded\":true,\"responses\":"
        "[" WAS_PUT "," WAS_PUT "]}",
        "{\"header\":{\"revision\":\"050\"},\"succeeded\":true,\"responses\":"
        "[" WAS_PUT "," WAS_PUT "]}",
        "{\"header\":{\"revision\":\"\"},\"succeeded\":true,\"responses\":"
        "[" WAS_PUT "," WAS_PUT "]}",
        "{\"header\":{\"revision\":\"9223372036854775808\"},"
        "\"succeeded\":true,\"responses\":[" WAS_PUT "," WAS_PUT "]}",
        "{\"header\":{\"revision\":\"99999999999999999999999999\"},"
        "\"succeeded\":true,\"responses\":[" WAS_PUT "," WAS_PUT "]}",
        /* A key that was not asked for, twice, too new, or without a time. */
        "{" HEADER
        ",\"responses\":[" RANGE(PAIR("other", "43", "D")) "," NOTHING
                                                           "," NOTHING "]}",
        "{" HEADER ",\"responses\":[" RANGE(PAIR("config", "43", "D") "," PAIR(
            "config", "43", "D")) "," NOTHING "," NOTHING "]}",
        "{" HEADER
        ",\"responses\":[" RANGE(PAIR("config", "51", "D")) "," NOTHING
                                                            "," NOTHING "]}",
        "{" HEADER
        ",\"responses\":[" RANGE(PAIR("config", "0", "D")) "," NOTHING
                                                           "," NOTHING "]}",
        "{" HEADER
        ",\"responses\":[{\"response_range\":{\"kvs\":[{}]}}," NOTHING
        "," NOTHING "]}",
        "{" HEADER ",\"responses\":[{\"response_range\":{\"kvs\":[7]}}," NOTHING
        "," NOTHING "]}",
        "{" HEADER
        ",\"responses\":[{\"response_range\":{\"more\":true}}," NOTHING
        "," NOTHING "]}",
        "{" HEADER ",\"responses\":[7," NOTHING "," NOTHING "]}",
        /* Two answers, or something behind one. */
        "{" HEADER ",\"responses\":[" NOTHING "," NOTHING "," NOTHING "]}{}",
        "{" HEADER ",\"responses\":[" NOTHING "," NOTHING "," NOTHING "]}x",
        /* Errors. */
        "{\"error\":\"etcdserver: request timed out\",\"code\":14}",
        "{\"error\":\"x\"," HEADER ",\"succeeded\":true,\"responses\":[" WAS_PUT
        "," WAS_PUT "]}",
        "{\"code\":5,\"message\":\"x\",\"details\":[]}"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(read_promotion(text_of(texts[i])) == ST_BAD_FIELD,
                      "taken: %s", texts[i]);
}
END_TEST

START_TEST(base64_of_another_alphabet_or_without_padding_is_refused)
{
    static const char *const values[] = {
        "_w==", "/w", "/w=", "/x==", "/w==x", "/ w=", "/w==\\u0000"};
    struct etcd_key key = etcd_key_of(cluster, ETCD_CONFIG);
    char text[512];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int size = snprintf(text, sizeof text,
                            "{" HEADER ",\"kvs\":[{\"key\":<" ALL "config>,"
                            "\"mod_revision\":\"4\",\"value\":\"%s\"}]}",
                            values[i]);
        ck_assert_int_lt(size, (int)sizeof text);
        ck_assert_msg(etcd_reply_range(&reply, text_of(text), &key) ==
                          ST_BAD_FIELD,
                      "taken: %s", values[i]);
    }
}
END_TEST

START_TEST(a_value_over_the_limit_is_refused)
{
    struct etcd_key key = etcd_key_of(cluster, ETCD_CONFIG);
    char text[4096];

    for (size_t size = REGISTER_VALUE_SIZE_MAX;
         size <= REGISTER_VALUE_SIZE_MAX + 1; size++) {
        size_t used =
            (size_t)snprintf(text, sizeof text,
                             "{" HEADER ",\"kvs\":[{\"key\":<" ALL "config>,"
                             "\"mod_revision\":\"4\",\"value\":<");
        memset(text + used, 'v', size);
        memcpy(text + used + size, ">}]}", 5);
        ck_assert_int_eq(etcd_reply_range(&reply, text_of(text), &key),
                         size > REGISTER_VALUE_SIZE_MAX ? ST_BAD_FIELD : ST_OK);
    }
    ck_assert_int_eq(etcd_reply_range(&reply, text_of("{" HEADER "}"), &key),
                     ST_OK);
    ck_assert_uint_eq(reply.pairs_count, 0);
}
END_TEST

START_TEST(json_that_nests_without_end_is_refused)
{
    size_t size = ETCD_REPLY_SIZE_MAX;
    uint8_t *text = malloc(size);

    ck_assert_ptr_nonnull(text);
    memset(text, '[', size);
    ck_assert_int_eq(read_promotion(slice_of(text, size)), ST_BAD_FIELD);
    for (size_t i = 0; i + 5 <= size; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    ck_assert_int_eq(read_promotion(slice_of(text, size)), ST_BAD_FIELD);
    free(text);
}
END_TEST

START_TEST(a_reading_tells_who_has_an_alive_key)
{
    struct register_alive alive;
    struct register_view view;
    struct etcd_txn txn;

    etcd_txn_read(&txn, cluster);
    ck_assert_int_eq(
        etcd_reply_txn(
            &reply,
            text_of("{" HEADER ",\"succeeded\":true,\"responses\":[" RANGE(PAIR(
                "config", "43",
                "D")) "," RANGE(PAIR("alive/" NODE_A, "44",
                                     "7") "," PAIR("alive/" NODE_B, "45",
                                                   "31") "," PAIR("alive/"
                                                                  "stranger",
                                                                  "46",
                                                                  "1")) "]}"),
            &txn),
        ST_OK);
    etcd_reply_view(&view, &reply, cluster);
    expect_view(&view, 43, "D");
    etcd_reply_alive(&alive, &reply, cluster);
    ck_assert_uint_eq(alive.count, 2);
    ck_assert_mem_eq(alive.nodes[0], node_a, NODE_ID_SIZE);
    ck_assert_mem_eq(alive.nodes[1], node_b, NODE_ID_SIZE);
}
END_TEST

START_TEST(an_incarnation_is_a_number_as_this_program_writes_it)
{
    static const struct {
        const char *value;
        enum status status;
        uint64_t number;
    } table[] = {{"31", ST_OK, 31},
                 {"18446744073709551615", ST_OK, UINT64_MAX},
                 {"18446744073709551616", ST_BAD_FIELD, 0},
                 {"031", ST_BAD_FIELD, 0},
                 {"0", ST_BAD_FIELD, 0},
                 {"", ST_BAD_FIELD, 0},
                 {"3 1", ST_BAD_FIELD, 0},
                 {"-1", ST_BAD_FIELD, 0}};
    struct etcd_txn txn;
    char text[1024];
    uint64_t number;

    etcd_txn_probe(&txn, cluster, node_b);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int size = snprintf(text, sizeof text,
                            "{" HEADER ",\"responses\":[" RANGE(
                                "{\"key\":<" ALL "inc/" NODE_B ">,"
                                "\"mod_revision\":\"4\",\"value\":<%s>}") "]}",
                            table[i].value);
        ck_assert_int_lt(size, (int)sizeof text);
        ck_assert_int_eq(etcd_reply_txn(&reply, text_of(text), &txn), ST_OK);
        ck_assert_int_eq(
            etcd_reply_incarnation(&number, &reply, cluster, node_b),
            table[i].status);
        if (table[i].status == ST_OK)
            ck_assert_uint_eq(number, table[i].number);
    }
}
END_TEST

START_TEST(a_lease_without_a_time_to_live_is_gone)
{
    struct etcd_lease lease;

    ck_assert_int_eq(
        etcd_reply_grant(&lease, text_of("{" HEADER ",\"ID\":\"4111120325366622"
                                         "473\",\"TTL\":\"10\"}")),
        ST_OK);
    ck_assert_uint_eq(lease.id, 4111120325366622473u);
    ck_assert_uint_eq(lease.ttl_s, 10);
    ck_assert_int_eq(etcd_reply_grant(&lease, text_of("{" HEADER "}")),
                     ST_BAD_FIELD);
    ck_assert_int_eq(etcd_reply_keepalive(
                         &lease, text_of("{\"result\":{" HEADER
                                         ",\"ID\":\"7\",\"TTL\":\"2\"}}\n")),
                     ST_OK);
    ck_assert_int_eq(etcd_reply_keepalive(&lease, text_of("{\"result\":{" HEADER
                                                          ",\"ID\":\"7\"}}\n")),
                     ST_NO_SUCH);
    ck_assert_int_eq(
        etcd_reply_keepalive(&lease, text_of("{" HEADER ",\"ID\":\"7\"}")),
        ST_BAD_FIELD);
    ck_assert_int_eq(
        etcd_reply_time_to_live(
            &lease, text_of("{" HEADER ",\"ID\":\"7\",\"TTL\":\"-1\"}")),
        ST_NO_SUCH);
    ck_assert_int_eq(
        etcd_reply_time_to_live(
            &lease, text_of("{" HEADER ",\"ID\":\"7\",\"TTL\":\"--1\"}")),
        ST_BAD_FIELD);
    ck_assert_int_eq(
        etcd_reply_put(text_of("{\"error\":\"etcdserver: requested lease not "
                               "found\",\"code\":5}")),
        ST_NO_SUCH);
    ck_assert_int_eq(etcd_reply_put(text_of("{\"error\":\"x\",\"code\":-5}")),
                     ST_BAD_FIELD);
    ck_assert_int_eq(etcd_reply_put(text_of("{\"error\":\"x\",\"code\":5.5}")),
                     ST_BAD_FIELD);
    ck_assert_int_eq(etcd_reply_put(text_of("{" HEADER "}")), ST_OK);
    ck_assert_int_eq(etcd_reply_revoke(text_of("{" HEADER "}")), ST_OK);
}
END_TEST

START_TEST(a_watch_tells_what_changed_and_when_it_ends)
{
    struct etcd_watch watch;

#define WATCH(text) etcd_reply_watch(&watch, text_of(text), cluster)
    ck_assert_int_eq(WATCH("{\"result\":{" HEADER ",\"created\":true}}"),
                     ST_OK);
    ck_assert(watch.created && !watch.canceled);
    ck_assert_uint_eq(watch.revision, 50);
    ck_assert_int_eq(WATCH("{\"result\":{" HEADER ",\"events\":[{\"kv\":" PAIR(
                         "config", "50", "D") "}]}}"),
                     ST_OK);
    ck_assert(watch.config_changed && !watch.alive_changed);
    ck_assert_int_eq(WATCH("{\"result\":{" HEADER ",\"events\":[{\"kv\":" PAIR(
                         "hist/1", "50", "D") "},{\"type\":\"DELETE\",\"kv\":{"
                                              "\"key\":<" ALL "alive/" NODE_A
                                              ">,\"mod_revision\":\"4\"}}]}}"),
                     ST_OK);
    ck_assert(!watch.config_changed && watch.alive_changed);
    ck_assert_int_eq(WATCH("{\"result\":{\"header\":{\"raft_term\":\"2\"},"
                           "\"canceled\":true,\"compact_revision\":\"3\"}}"),
                     ST_OK);
    ck_assert(watch.canceled);
    ck_assert_int_eq(WATCH("{\"error\":{\"message\":\"x\"}}"), ST_BAD_FIELD);
    ck_assert_int_eq(WATCH("{\"result\":{" HEADER ",\"events\":[7]}}"),
                     ST_BAD_FIELD);
    ck_assert_int_eq(WATCH("{\"result\":{" HEADER ",\"events\":[{}]}}"),
                     ST_BAD_FIELD);
    ck_assert_int_eq(
        WATCH("{\"result\":{" HEADER ",\"events\":[{\"type\":"
              "\"OTHER\",\"kv\":" PAIR("config", "50", "D") "}]}}"),
        ST_BAD_FIELD);
    ck_assert_int_eq(WATCH("{\"result\":{" HEADER ",\"events\":[{\"kv\":{"
                           "\"key\":</elsewhere>}}]}}"),
                     ST_BAD_FIELD);
}
END_TEST

START_TEST(what_an_error_says_is_printable_and_short)
{
    char out[ERROR_TEXT_SIZE_MAX + 1];
    char text[512];

    etcd_reply_error(out, text_of("{\"error\":\"a\\u001b[2J\",\"code\":3}"));
    ck_assert_str_eq(out, "a?[2J");
    etcd_reply_error(out, text_of("{\"error\":{\"message\":\"stream\"}}"));
    ck_assert_str_eq(out, "stream");
    etcd_reply_error(out, text_of("<html>"));
    ck_assert_str_eq(out, "not an answer of etcd");
    (void)snprintf(text, sizeof text, "{\"message\":\"%0200d\"}", 7);
    etcd_reply_error(out, text_of(text));
    ck_assert_uint_eq(strlen(out), ERROR_TEXT_SIZE_MAX);
}
END_TEST

SUITE_MAIN("etcd_reply",
           a_proposal_that_succeeded_stands_at_the_revision_of_the_answer,
           a_revision_that_moved_on_is_lost_and_shows_the_newest_value,
           the_own_value_that_stands_already_is_won,
           a_guard_that_failed_is_rejected_and_settles_nothing,
           a_register_that_went_back_leaves_the_outcome_unknown,
           zeros_may_be_written_out_and_new_fields_added,
           every_truncation_of_an_answer_is_an_error,
           answers_of_another_form_are_refused,
           base64_of_another_alphabet_or_without_padding_is_refused,
           a_value_over_the_limit_is_refused,
           json_that_nests_without_end_is_refused,
           a_reading_tells_who_has_an_alive_key,
           an_incarnation_is_a_number_as_this_program_writes_it,
           a_lease_without_a_time_to_live_is_gone,
           a_watch_tells_what_changed_and_when_it_ends,
           what_an_error_says_is_printable_and_short)
