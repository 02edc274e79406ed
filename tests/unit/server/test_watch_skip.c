/* ctest-label: threads
 * A watch of a log in which little is for it. */
#include <stdatomic.h>
#include <time.h>

#include "server/net/home.h"
#include "server/node_private.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

enum { PINGS = 3 * WATCH_SKIP_MAX, PINGS_AT_ONCE = 128, TRIES_MAX = 2000 };

static struct node_fixture fixture;
static struct wire wire, gate;
static struct wire_command command;
static struct wire_answer answer;

/* Entries of a category that is not asked for; gives the index of the first. */
static uint64_t ping_often(void)
{
    uint64_t first = UINT64_MAX;

    node_fixture_login(&fixture, &gate, &fixture.gateway, ROLE_EHIS);
    for (int i = 0; i < PINGS; i += PINGS_AT_ONCE) {
        for (int j = 0; j < PINGS_AT_ONCE; j++)
            wire_send_command(&gate,
                              wire_command_ping(&command, fixture.cluster_id,
                                                &fixture.gateway, "on"));
        for (int j = 0; j < PINGS_AT_ONCE; j++) {
            ck_assert(wire_answer(&gate, &answer));
            if (answer.receipt.index < first)
                first = answer.receipt.index;
        }
    }
    wire_close(&gate);
    return first;
}

/* Gives the index of its grant. */
static uint64_t watch_category(uint8_t category, uint64_t from, uint32_t bytes)
{
    const uint16_t categories = (uint16_t)(1u << (category - 1));
    struct message_credit credit = {.frames = 1, .bytes = bytes};
    struct message_watch body;

    node_fixture_login(&fixture, &wire, &fixture.auditor, ROLE_AUDITOR);
    body.index = node_expect_grant(&fixture, &wire, from, categories);
    wire_send(&wire, MESSAGE_WATCH, &body);
    credit.watch = wire.request_id;
    wire_send(&wire, MESSAGE_CREDIT, &credit);
    node_expect_ping(&wire, slice_of(NULL, 0));
    node_expect_pong(&wire);
    return body.index;
}

/* On the loop's thread: where the watch stands. */
struct stand {
    struct mail mail;
    bool anew; /* Behind one look from the beginning on. */
    atomic_bool done;
    uint64_t next;
};

static void look_at(struct stand *stand, struct connection *connection)
{
    for (int i = 0; i < WATCHES_PER_CONNECTION_MAX; i++) {
        struct connection_watch *watch = &connection->watches[i];

        if (!watch->live)
            continue;
        if (stand->anew) {
            watch->watch.next = 0;
            watching_pump(connection);
        }
        stand->next = watch->watch.next;
    }
}

static void deliver_stand(struct loop *loop, void *context, struct mail *mail)
{
    struct stand *stand = (struct stand *)mail;
    struct net_loop *home = context;

    MAYBE(loop == home->loop);
    for (uint32_t i = 0; i < home->slots_used; i++) {
        if (home->slots[i] != NULL)
            look_at(stand, home->slots[i]);
    }
    atomic_store(&stand->done, true);
}

static uint64_t stands_at(bool anew)
{
    struct stand stand = {.mail.deliver = deliver_stand, .anew = anew};
    const struct timespec pause = {0, 5 * 1000 * 1000};

    loop_post(fixture.node->net->homes[0].loop, &stand.mail);
    while (!atomic_load(&stand.done))
        (void)nanosleep(&pause, NULL);
    return stand.next;
}

/* One loop; gives the index of the first of many pings. */
static uint64_t open_node(void)
{
    node_expect_make(&fixture);
    fixture.options.net.loops = 1;
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    return ping_often();
}

static void close_node(void)
{
    wire_close(&wire);
    node_fixture_remove(&fixture);
}

/* Of a long log the others of the loop would wait for all of it. */
START_TEST(what_is_not_for_a_watch_is_passed_over_a_little_at_a_time)
{
    enum { RARE = 1 };
    int tries = 0;

    (void)open_node();
    (void)watch_category(RARE, 0, ENTRY_SIZE_MAX);
    ck_assert_uint_eq(stands_at(true), WATCH_SKIP_MAX);
    while (stands_at(false) < PINGS && tries < TRIES_MAX)
        tries++;
    ck_assert_int_lt(tries, TRIES_MAX);
    close_node();
}
END_TEST

/* Else each CREDIT would have what lies before it read again. */
START_TEST(an_event_without_credit_is_waited_for_where_it_stands)
{
    enum { PROTECTION = 6 };
    int tries = 0;
    uint64_t first;

    first = open_node();
    const uint64_t rare = watch_category(PROTECTION, first, 1);
    while (stands_at(false) != rare && tries < TRIES_MAX)
        tries++;
    ck_assert_uint_eq(stands_at(false), rare);
    close_node();
}
END_TEST

SUITE_MAIN("watch skip",
           what_is_not_for_a_watch_is_passed_over_a_little_at_a_time,
           an_event_without_credit_is_waited_for_where_it_stands)
