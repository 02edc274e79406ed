#include "server/cluster/etcd_text.h"

#include "tests/lib/etcd_plain.h"
#include "tests/lib/suite.h"

/* A cluster and nodes whose numbers are easy to read. */
static const uint8_t cluster[CLUSTER_ID_SIZE] = {0x7f, 0x3a};
static const uint8_t node_a[NODE_ID_SIZE] = {0xaa};
static const uint8_t node_b[NODE_ID_SIZE] = {0xbb};
static const uint8_t node_z[NODE_ID_SIZE] = {0x55};

#define ALL    "/defter/7f3a0000000000000000000000000000/"
#define NODE_A "aa000000000000000000000000000000"
#define NODE_B "bb000000000000000000000000000000"
#define NODE_Z "55000000000000000000000000000000"

#define COMPARE       "{\"compare\":["
#define SUCCESS       "],\"success\":["
#define FAILURE       "],\"failure\":["
#define END           "]}"
#define COMMA         ","
#define HIST_18       "hist/00000000000000000018"
#define AT_42         "\"mod_revision\":\"42\""
#define NOT_THERE     "\"create_revision\":\"0\""
#define VERSION_NEVER "\"version\":\"999999\""
#define RANGE(key)    "{\"request_range\":{\"key\":<" ALL key ">}}"
#define PUT(key, value) \
    "{\"request_put\":{\"key\":<" ALL key ">,\"value\":<" value ">}}"
#define EQUAL(target, key, field)                                       \
    "{\"target\":\"" target "\",\"result\":\"EQUAL\",\"key\":<" ALL key \
    ">," field "}"

static void expect(const struct writer *writer, const char *plain)
{
    static char expected[2 * ETCD_BODY_SIZE_MAX];
    size_t size = etcd_plain(expected, sizeof expected, plain);

    ck_assert_int_eq(writer->status, ST_OK);
    ck_assert_msg(slice_equal(writer_slice(writer), slice_of(expected, size)),
                  "%.*s\nis not\n%s", (int)writer->used,
                  (const char *)writer->data, expected);
}

/* ${parts} end with NULL. */
static void expect_txn(const struct etcd_txn *txn, const char *const *parts)
{
    static char plain[ETCD_BODY_SIZE_MAX];
    size_t used = 0;
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    for (; *parts != NULL; parts++) {
        ck_assert_uint_lt(used + strlen(*parts), sizeof plain);
        memcpy(plain + used, *parts, strlen(*parts) + 1);
        used += strlen(*parts);
    }
    writer_init(&writer, body, sizeof body);
    etcd_text_txn(&writer, txn);
    expect(&writer, plain);
}

#define EXPECT_TXN(txn, ...) \
    expect_txn(txn, (const char *const[]){__VA_ARGS__, NULL})

static struct register_proposal proposal(uint64_t revision, uint64_t number,
                                         const char *value)
{
    struct register_proposal made = {.revision = revision, .number = number};

    made.value_size = strlen(value);
    memcpy(made.value, value, made.value_size);
    return made;
}

static void guard(struct register_proposal *made,
                  const uint8_t node[NODE_ID_SIZE], uint64_t incarnation)
{
    struct register_guard *added = &made->guards[made->guards_count++];

    memcpy(added->node_id, node, NODE_ID_SIZE);
    added->incarnation = incarnation;
}

START_TEST(the_self_test_compares_what_cannot_hold)
{
    struct etcd_txn txn;

    etcd_txn_probe(&txn, cluster, NULL);
    EXPECT_TXN(&txn, COMPARE, EQUAL("VERSION", "selftest", VERSION_NEVER),
               SUCCESS, PUT("selftest", "x"), FAILURE, END);
    etcd_txn_probe(&txn, cluster, node_b);
    EXPECT_TXN(&txn, COMPARE, EQUAL("VERSION", "selftest", VERSION_NEVER),
               SUCCESS, PUT("selftest", "x"), FAILURE, RANGE("inc/" NODE_B),
               END);
}
END_TEST

START_TEST(a_bootstrap_wants_no_value_there)
{
    struct register_proposal made = proposal(0, 1, "C1");
    struct etcd_txn txn;

    etcd_txn_cas(&txn, cluster, &made);
    EXPECT_TXN(&txn, COMPARE, EQUAL("CREATE", "config", NOT_THERE), SUCCESS,
               PUT("config", "C1"), COMMA,
               PUT("hist/00000000000000000001", "C1"), FAILURE, RANGE("config"),
               END);
}
END_TEST

START_TEST(a_new_member_is_guarded_by_its_incarnation)
{
    struct register_proposal made = proposal(42, 18, "C");
    struct etcd_txn txn;

    guard(&made, node_z, 7);
    etcd_txn_cas(&txn, cluster, &made);
    EXPECT_TXN(&txn, COMPARE, EQUAL("MOD", "config", AT_42), COMMA,
               EQUAL("VALUE", "inc/" NODE_Z, "\"value\":<7>"), COMMA,
               EQUAL("CREATE", HIST_18, NOT_THERE), SUCCESS, PUT("config", "C"),
               COMMA, PUT(HIST_18, "C"), FAILURE, RANGE("config"), COMMA,
               RANGE("inc/" NODE_Z), END);
}
END_TEST

START_TEST(a_promotion_wants_the_old_primary_gone)
{
    struct register_proposal made = proposal(42, 18, "C");
    struct etcd_txn txn;

    guard(&made, node_b, 31);
    made.guard_alive = true;
    memcpy(made.alive, node_a, NODE_ID_SIZE);
    etcd_txn_cas(&txn, cluster, &made);
    EXPECT_TXN(&txn, COMPARE, EQUAL("MOD", "config", AT_42), COMMA,
               EQUAL("CREATE", "alive/" NODE_A, NOT_THERE), COMMA,
               EQUAL("VALUE", "inc/" NODE_B, "\"value\":<31>"), COMMA,
               EQUAL("CREATE", HIST_18, NOT_THERE), SUCCESS, PUT("config", "C"),
               COMMA, PUT(HIST_18, "C"), FAILURE, RANGE("config"), COMMA,
               RANGE("alive/" NODE_A), COMMA, RANGE("inc/" NODE_B), END);
}
END_TEST

START_TEST(a_superseding_no_op_compares_the_revision_only)
{
    struct register_proposal made = proposal(42, 18, "C");
    struct etcd_txn txn;

    etcd_txn_cas(&txn, cluster, &made);
    EXPECT_TXN(&txn, COMPARE, EQUAL("MOD", "config", AT_42), SUCCESS,
               PUT("config", "C"), COMMA, PUT(HIST_18, "C"), FAILURE,
               RANGE("config"), END);
}
END_TEST

START_TEST(an_incarnation_takes_the_place_of_the_one_before)
{
    struct etcd_txn txn;

    etcd_txn_incarnation(&txn, cluster, node_b, 0, 1);
    EXPECT_TXN(&txn, COMPARE, EQUAL("CREATE", "inc/" NODE_B, NOT_THERE),
               SUCCESS, PUT("inc/" NODE_B, "1"), FAILURE, RANGE("inc/" NODE_B),
               END);
    etcd_txn_incarnation(&txn, cluster, node_b, 30, 31);
    EXPECT_TXN(&txn, COMPARE, EQUAL("VALUE", "inc/" NODE_B, "\"value\":<30>"),
               SUCCESS, PUT("inc/" NODE_B, "31"), FAILURE, RANGE("inc/" NODE_B),
               END);
}
END_TEST

START_TEST(a_reading_has_the_value_and_the_living_together)
{
    struct etcd_txn txn;

    etcd_txn_read(&txn, cluster);
    EXPECT_TXN(&txn, COMPARE, SUCCESS, RANGE("config"), COMMA,
               "{\"request_range\":{\"key\":<" ALL "alive/>,",
               "\"range_end\":<" ALL "alive0>,\"limit\":\"16\"}}", FAILURE,
               END);
}
END_TEST

START_TEST(other_bodies_are_as_etcd_wants_them)
{
    struct etcd_key key = etcd_key_of(cluster, ETCD_CONFIG);
    struct etcd_key alive = etcd_key_alive(cluster, node_a);
    struct etcd_key all = etcd_key_all(cluster);
    struct etcd_key want = etcd_key_of(cluster, ETCD_WANT);
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    ck_assert_str_eq(want.text, ALL "want");
#define EXPECT(call, plain)                      \
    do {                                         \
        writer_init(&writer, body, sizeof body); \
        call;                                    \
        expect(&writer, plain);                  \
    } while (0)
    EXPECT(etcd_text_range(&writer, &key), "{\"key\":<" ALL "config>}");
    EXPECT(etcd_text_put(&writer, &alive, slice_of("31", 2), 232),
           "{\"key\":<" ALL "alive/" NODE_A ">,\"value\":<31>,"
           "\"lease\":\"232\"}");
    EXPECT(etcd_text_grant(&writer, 10), "{\"TTL\":\"10\"}");
    EXPECT(etcd_text_keepalive(&writer, 232), "{\"ID\":\"232\"}");
    EXPECT(etcd_text_time_to_live(&writer, 232),
           "{\"ID\":\"232\",\"keys\":true}");
    EXPECT(etcd_text_revoke(&writer, INT64_MAX),
           "{\"ID\":\"9223372036854775807\"}");
    EXPECT(etcd_text_watch(&writer, &all, 43),
           "{\"create_request\":{\"key\":<" ALL ">,\"range_end\":"
           "</defter/7f3a00000000000000000000000000000>,"
           "\"start_revision\":\"43\",\"progress_notify\":true}}");
}
END_TEST

START_TEST(the_greatest_proposal_fits_a_body)
{
    struct register_proposal made = proposal(UINT64_MAX, UINT64_MAX, "");
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct etcd_txn txn;
    struct writer writer;

    made.value_size = REGISTER_VALUE_SIZE_MAX;
    memset(made.value, 0xff, sizeof made.value);
    made.guard_alive = true;
    for (uint8_t i = 0; i < REGISTER_GUARDS_MAX; i++) {
        uint8_t node[NODE_ID_SIZE] = {i};
        guard(&made, node, UINT64_MAX);
    }
    etcd_txn_cas(&txn, cluster, &made);
    writer_init(&writer, body, sizeof body);
    etcd_text_txn(&writer, &txn);
    ck_assert_int_eq(writer.status, ST_OK);
}
END_TEST

SUITE_MAIN("etcd_text", the_self_test_compares_what_cannot_hold,
           a_bootstrap_wants_no_value_there,
           a_new_member_is_guarded_by_its_incarnation,
           a_promotion_wants_the_old_primary_gone,
           a_superseding_no_op_compares_the_revision_only,
           an_incarnation_takes_the_place_of_the_one_before,
           a_reading_has_the_value_and_the_living_together,
           other_bodies_are_as_etcd_wants_them,
           the_greatest_proposal_fits_a_body)
