/*
 * etcd_forms.c: everything that is ever said to etcd, said to a real one and to
 * the one in memory; both must answer the same.
 *
 *   etcd_forms ENDPOINT SEED STEPS
 *
 * The etcd must be new and nobody else's: revisions are compared as well.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "server/cluster/etcd_http.h"
#include "server/cluster/etcd_reply.h"
#include "tests/lib/etcd_fake.h"
#include "tests/lib/random.h"

enum { NODES = 3, REQUEST_MS = 10000, TTL_S = 600 };

struct program {
    struct event_base *base;
    struct etcd_http *http;
    struct etcd_fake *fake;
    struct random random;
    /* The newest answers, of the real one and of the other. */
    uint8_t texts[2][ETCD_REPLY_SIZE_MAX];
    size_t sizes[2];
    struct etcd_reply replies[2];
    uint64_t leases[2][NODES];
    uint64_t revision; /* Of the value. */
    uint64_t number;
    uint64_t incarnations[NODES];
    unsigned outcomes[4];
};

static struct program program;
static const uint8_t cluster[CLUSTER_ID_SIZE] = {0x7f, 0x3a};
static uint8_t nodes[NODES][NODE_ID_SIZE] = {{0xaa}, {0xbb}, {0x55}};

__attribute__((noreturn)) static void differ(const char *what)
{
    printf("they differ in %s\n%.*s\n%.*s\n", what, (int)program.sizes[0],
           (const char *)program.texts[0], (int)program.sizes[1],
           (const char *)program.texts[1]);
    exit(1);
}

static struct slice text(int which)
{
    return slice_of(program.texts[which], program.sizes[which]);
}

static uint32_t pick(uint64_t count)
{
    return random_below(&program.random, (uint32_t)count);
}

/* ---- Saying it to both --------------------------------------------------- */

static void answered(void *context, const struct etcd_result *result)
{
    (void)context;
    if (result->end != ETCD_ANSWERED) {
        printf("no answer: %s\n", result->why);
        exit(2);
    }
    memcpy(program.texts[0], result->body.data, result->body.size);
    program.sizes[0] = result->body.size;
    (void)event_base_loopbreak(program.base);
}

static void post_one(int which, const char *path, struct slice body)
{
    struct writer out;

    if (which == 0) {
        if (etcd_http_post(program.http, path, body, REQUEST_MS, NULL,
                           answered) != ST_OK)
            exit(2);
        (void)event_base_dispatch(program.base);
        return;
    }
    writer_init(&out, program.texts[1], sizeof program.texts[1]);
    (void)etcd_fake_post(program.fake, &out, path, body);
    program.sizes[1] = out.used;
}

static void compare_pairs(const struct etcd_reply *a,
                          const struct etcd_reply *b)
{
    if (a->pairs_count != b->pairs_count)
        differ("the number of keys");
    for (size_t i = 0; i < a->pairs_count; i++) {
        if (strcmp(a->pairs[i].key.text, b->pairs[i].key.text) != 0 ||
            a->pairs[i].revision != b->pairs[i].revision ||
            !slice_equal(slice_of(a->pairs[i].value, a->pairs[i].value_size),
                         slice_of(b->pairs[i].value, b->pairs[i].value_size)))
            differ("a key");
    }
}

static const struct etcd_reply *run(const struct etcd_txn *txn)
{
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, body, sizeof body);
    etcd_text_txn(&writer, txn);
    for (int which = 0; which < 2; which++) {
        post_one(which, ETCD_PATH_TXN, writer_slice(&writer));
        if (etcd_reply_txn(&program.replies[which], text(which), txn) != ST_OK)
            differ("an answer that is none");
    }
    if (program.replies[0].succeeded != program.replies[1].succeeded)
        differ("whether it succeeded");
    if (program.replies[0].revision != program.replies[1].revision)
        differ("the revision");
    compare_pairs(&program.replies[0], &program.replies[1]);
    return &program.replies[0];
}

/* ---- Transactions -------------------------------------------------------- */

static void try_probe(void)
{
    struct etcd_txn txn;

    etcd_txn_probe(&txn, cluster, pick(2) == 0 ? NULL : nodes[pick(NODES)]);
    if (run(&txn)->succeeded)
        differ("a compare that cannot hold");
}

static void try_read(void)
{
    struct etcd_txn txn;

    etcd_txn_read(&txn, cluster);
    (void)run(&txn);
}

static void try_incarnation(void)
{
    size_t node = pick(NODES);
    uint64_t before = program.incarnations[node] - (pick(4) == 0 ? 1 : 0);
    struct etcd_txn txn;

    if (before > program.incarnations[node])
        before = 0;
    etcd_txn_incarnation(&txn, cluster, nodes[node], before, before + 1);
    if (run(&txn)->succeeded)
        program.incarnations[node] = before + 1;
}

static void propose(struct register_proposal *proposal)
{
    struct register_answer answer;
    struct etcd_txn txn;

    etcd_txn_cas(&txn, cluster, proposal);
    etcd_reply_cas(&answer, run(&txn), cluster, proposal);
    program.outcomes[answer.outcome]++;
    if (answer.outcome != REGISTER_WON)
        return;
    program.revision = answer.view.revision;
    program.number = proposal->number;
}

static void try_cas(void)
{
    struct register_proposal proposal = {.revision = program.revision,
                                         .number = program.number + 1};

    if (pick(4) == 0)
        proposal.revision = pick(program.revision + 2);
    if (pick(8) == 0 && program.number > 0)
        proposal.number = 1 + pick(program.number);
    proposal.value_size = 1 + pick(REGISTER_VALUE_SIZE_MAX);
    for (size_t i = 0; i < proposal.value_size; i++)
        proposal.value[i] = (uint8_t)pick(256);
    proposal.guard_alive = pick(3) == 0;
    memcpy(proposal.alive, nodes[pick(NODES)], NODE_ID_SIZE);
    proposal.guards_count = pick(3);
    for (size_t i = 0; i < proposal.guards_count; i++) {
        size_t node = pick(NODES);
        memcpy(proposal.guards[i].node_id, nodes[node], NODE_ID_SIZE);
        proposal.guards[i].incarnation =
            program.incarnations[node] + (pick(4) == 0 ? 1 : 0);
    }
    propose(&proposal);
    if (pick(4) == 0)
        propose(&proposal); /* Given again. */
}

/* ---- Leases -------------------------------------------------------------- */

static void compare_status(enum status a, enum status b)
{
    if (a != b)
        differ("a status");
}

static void grant(size_t node)
{
    enum status statuses[2];
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct etcd_lease lease;
    struct writer writer;

    writer_init(&writer, body, sizeof body);
    etcd_text_grant(&writer, TTL_S);
    for (int which = 0; which < 2; which++) {
        post_one(which, ETCD_PATH_GRANT, writer_slice(&writer));
        statuses[which] = etcd_reply_grant(&lease, text(which));
        if (statuses[which] != ST_OK || lease.ttl_s != TTL_S)
            differ("a lease");
        program.leases[which][node] = lease.id;
    }
}

static enum status read_lease_reply(const char *path, struct slice answer)
{
    struct etcd_lease lease;

    if (strcmp(path, ETCD_PATH_KEEPALIVE) == 0)
        return etcd_reply_keepalive(&lease, answer);
    if (strcmp(path, ETCD_PATH_TIME_TO_LIVE) == 0)
        return etcd_reply_time_to_live(&lease, answer);
    if (strcmp(path, ETCD_PATH_REVOKE) == 0)
        return etcd_reply_revoke(answer);
    return etcd_reply_put(answer);
}

static void write_lease_body(struct writer *writer, const char *path,
                             size_t node, uint64_t lease)
{
    struct etcd_key key = etcd_key_alive(cluster, nodes[node]);

    if (strcmp(path, ETCD_PATH_KEEPALIVE) == 0)
        etcd_text_keepalive(writer, lease);
    else if (strcmp(path, ETCD_PATH_TIME_TO_LIVE) == 0)
        etcd_text_time_to_live(writer, lease);
    else if (strcmp(path, ETCD_PATH_REVOKE) == 0)
        etcd_text_revoke(writer, lease);
    else
        etcd_text_put(writer, &key, slice_of("7", 1), lease);
}

static void use_lease(const char *path, size_t node)
{
    uint8_t body[ETCD_BODY_SIZE_MAX];
    enum status statuses[2];
    struct writer writer;

    for (int which = 0; which < 2; which++) {
        uint64_t lease = program.leases[which][node];
        writer_init(&writer, body, sizeof body);
        write_lease_body(&writer, path, node, lease == 0 ? 77 : lease);
        post_one(which, path, writer_slice(&writer));
        statuses[which] = read_lease_reply(path, text(which));
        if (statuses[which] == ST_BAD_FIELD)
            differ("an answer about a lease");
    }
    compare_status(statuses[0], statuses[1]);
}

/* A lease that was revoked stays in use: puts and renewals must find out. */
static void try_lease(void)
{
    static const char *const paths[] = {
        ETCD_PATH_PUT,       ETCD_PATH_PUT,          ETCD_PATH_PUT,
        ETCD_PATH_KEEPALIVE, ETCD_PATH_TIME_TO_LIVE, ETCD_PATH_REVOKE};
    size_t node = pick(NODES);

    if (pick(6) == 0)
        grant(node);
    use_lease(paths[pick(sizeof paths / sizeof paths[0])], node);
}

static void try_range(void)
{
    struct etcd_key key = etcd_key_of(cluster, ETCD_CONFIG);
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;

    writer_init(&writer, body, sizeof body);
    etcd_text_range(&writer, &key);
    for (int which = 0; which < 2; which++) {
        post_one(which, ETCD_PATH_RANGE, writer_slice(&writer));
        if (etcd_reply_range(&program.replies[which], text(which), &key) !=
            ST_OK)
            differ("a range");
    }
    compare_pairs(&program.replies[0], &program.replies[1]);
}

int main(int argc, char **argv)
{
    static void (*const tries[])(void) = {try_cas,   try_cas,   try_cas,
                                          try_lease, try_lease, try_incarnation,
                                          try_probe, try_read,  try_range};
    struct etcd_http_options options = {.endpoints_count = 1,
                                        .connect_ms = REQUEST_MS};
    unsigned long steps;

    (void)signal(SIGPIPE, SIG_IGN);
    if (argc != 4)
        return 3;
    options.endpoints[0] = argv[1];
    program.random = random_stream(strtoull(argv[2], NULL, 10), 0);
    steps = strtoul(argv[3], NULL, 10);
    program.base = event_base_new();
    program.fake = etcd_fake_new();
    if (program.base == NULL ||
        etcd_http_open(&program.http, program.base, &options) != ST_OK)
        return 2;
    for (unsigned long step = 0; step < steps; step++)
        tries[pick(sizeof tries / sizeof tries[0])]();
    printf("%lu steps, revision %" PRIu64
           ": %u won, %u lost, %u rejected, %u of another time\n",
           steps, etcd_fake_revision(program.fake), program.outcomes[0],
           program.outcomes[1], program.outcomes[2], program.outcomes[3]);
    etcd_http_close(program.http);
    event_base_free(program.base);
    if (etcd_fake_refusals(program.fake) != 0)
        differ("a body that the register in memory refuses");
    etcd_fake_free(program.fake);
    return 0;
}
