/*
 * The register in memory, driven through the texts that etcd is driven by.
 */
#include "tests/lib/etcd_fake_calls.h"

#include "tests/lib/etcd_plain.h"
#include "tests/lib/suite.h"

static const uint8_t cluster[CLUSTER_ID_SIZE] = {0x7f, 0x3a};
static const uint8_t node_a[NODE_ID_SIZE] = {0xaa};
static const uint8_t node_b[NODE_ID_SIZE] = {0xbb};

static struct register_answer propose(struct etcd_fake *fake,
                                      const struct register_proposal *proposal)
{
    struct register_answer answer;

    etcd_fake_cas(fake, &answer, cluster, proposal);
    ck_assert_uint_eq(etcd_fake_refusals(fake), 0);
    return answer;
}

static struct register_proposal make(uint64_t revision, uint64_t number,
                                     const char *value)
{
    struct register_proposal made = {.revision = revision, .number = number};

    made.value_size = strlen(value);
    memcpy(made.value, value, made.value_size);
    return made;
}

static size_t count_alive(struct etcd_fake *fake)
{
    struct register_alive alive;
    struct register_view view;

    etcd_fake_read(fake, &view, &alive, cluster);
    return alive.count;
}

START_TEST(of_two_proposals_on_one_revision_one_wins)
{
    struct etcd_fake *fake = etcd_fake_new();
    struct register_proposal first = make(0, 1, "one");
    struct register_proposal second = make(0, 1, "two");
    struct register_answer answer;

    answer = propose(fake, &first);
    ck_assert_int_eq(answer.outcome, REGISTER_WON);
    ck_assert_uint_eq(answer.view.revision, 2);
    answer = propose(fake, &second);
    ck_assert_int_eq(answer.outcome, REGISTER_LOST);
    ck_assert_uint_eq(answer.view.revision, 2);
    ck_assert_mem_eq(answer.view.value, "one", 3);
    /* Given again, as after a time-out, the winner is told that it won. */
    ck_assert_int_eq(propose(fake, &first).outcome, REGISTER_WON);
    etcd_fake_free(fake);
}
END_TEST

START_TEST(a_guard_of_an_incarnation_holds_until_the_node_starts_again)
{
    struct etcd_fake *fake = etcd_fake_new();
    struct register_proposal proposal = make(0, 1, "one");

    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_WON);
    ck_assert_uint_eq(etcd_fake_registered(fake, cluster, node_b), 0);
    ck_assert(etcd_fake_register(fake, cluster, node_b, 0, 30));
    ck_assert(!etcd_fake_register(fake, cluster, node_b, 0, 31));
    ck_assert(etcd_fake_register(fake, cluster, node_b, 30, 31));
    ck_assert_uint_eq(etcd_fake_registered(fake, cluster, node_b), 31);
    proposal = make(2, 2, "two");
    proposal.guards_count = 1;
    memcpy(proposal.guards[0].node_id, node_b, NODE_ID_SIZE);
    proposal.guards[0].incarnation = 30;
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_REJECTED);
    proposal.guards[0].incarnation = 31;
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_WON);
    etcd_fake_free(fake);
}
END_TEST

START_TEST(an_alive_key_holds_a_promotion_off_until_its_lease_is_gone)
{
    struct etcd_fake *fake = etcd_fake_new();
    struct register_proposal proposal = make(0, 1, "one");
    uint64_t lease = etcd_fake_live(fake, cluster, node_a, 0, 2), next;

    proposal.guard_alive = true;
    memcpy(proposal.alive, node_a, NODE_ID_SIZE);
    ck_assert_uint_eq(count_alive(fake), 1);
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_REJECTED);
    etcd_fake_advance(fake, 1500);
    ck_assert_uint_eq(etcd_fake_live(fake, cluster, node_a, lease, 2), lease);
    etcd_fake_advance(fake, 1999);
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_REJECTED);
    etcd_fake_change_leader(fake);
    etcd_fake_advance(fake, 1999);
    ck_assert_uint_eq(count_alive(fake), 1);
    etcd_fake_advance(fake, 1);
    ck_assert_uint_eq(count_alive(fake), 0);
    /* It comes back with another lease, and goes with that one too. */
    next = etcd_fake_live(fake, cluster, node_a, lease, 2);
    ck_assert_uint_ne(next, lease);
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_REJECTED);
    etcd_fake_advance(fake, 2000);
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_WON);
    etcd_fake_free(fake);
}
END_TEST

START_TEST(a_restored_copy_is_seen_by_the_revision_that_went_back)
{
    struct etcd_fake *fake = etcd_fake_new(), *older;
    struct register_proposal proposal = make(0, 1, "one");

    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_WON);
    older = etcd_fake_copy(fake);
    proposal = make(2, 2, "two");
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_WON);
    proposal = make(3, 3, "three");
    ck_assert_int_eq(propose(older, &proposal).outcome, REGISTER_UNKNOWN);
    ck_assert_int_eq(propose(fake, &proposal).outcome, REGISTER_WON);
    ck_assert_uint_eq(etcd_fake_revision(older), 2);
    etcd_fake_free(older);
    etcd_fake_free(fake);
}
END_TEST

START_TEST(what_etcd_would_let_pass_is_refused)
{
    static const char *const bodies[] = {
        "{}",
        "{\"compares\":[],\"success\":[],\"failure\":[]}",
        "{\"compare\":[],\"success\":[],\"failure\":[],\"x\":1}",
        "{\"compare\":[],\"compare\":[],\"success\":[],\"failure\":[]}",
        "{\"compare\":[],\"success\":[],\"failure\":[]} ",
        "{\"compare\":[{\"target\":\"MOD\",\"result\":\"EQUAL\",\"key\":<k>,"
        "\"mod_rev\":\"3\"}],\"success\":[],\"failure\":[]}",
        "{\"compare\":[{\"target\":\"MOD\",\"key\":<k>,\"mod_revision\":\"3\"}]"
        ",\"success\":[],\"failure\":[]}",
        "{\"compare\":[{\"target\":\"MOD\",\"result\":\"EQUAL\",\"key\":\"aw\","
        "\"mod_revision\":\"3\"}],\"success\":[],\"failure\":[]}",
        "{\"compare\":[],\"success\":[{\"request_put\":{\"key\":<k>,\"value\":"
        "<v>}},{\"request_put\":{\"key\":<k>,\"value\":<w>}}],\"failure\":[]}",
        "{\"compare\":[],\"success\":[{\"request_delete\":{\"key\":<k>}}],"
        "\"failure\":[]}"};
    struct etcd_fake *fake = etcd_fake_new();
    char text[1024];

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        size_t size = etcd_plain(text, sizeof text, bodies[i]);
        uint8_t answer[1024];
        struct writer out;
        writer_init(&out, answer, sizeof answer);
        ck_assert_uint_eq(
            etcd_fake_post(fake, &out, "/v3/kv/txn", slice_of(text, size)),
            400);
        ck_assert_msg(etcd_fake_refusals(fake) == i + 1, "taken: %s",
                      bodies[i]);
    }
    ck_assert_uint_eq(etcd_fake_revision(fake), 1);
    etcd_fake_free(fake);
}
END_TEST

SUITE_MAIN("etcd_fake", of_two_proposals_on_one_revision_one_wins,
           a_guard_of_an_incarnation_holds_until_the_node_starts_again,
           an_alive_key_holds_a_promotion_off_until_its_lease_is_gone,
           a_restored_copy_is_seen_by_the_revision_that_went_back,
           what_etcd_would_let_pass_is_refused)
