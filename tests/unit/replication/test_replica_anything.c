/* ctest-timeout: 300
 *
 * A replica among peers, a register and an operator that say anything at all,
 * in any order: it may halt, and it may do nothing; it never breaks a contract,
 * takes its commit back, or changes an entry that it published.
 */
#include <string.h>

#include "tests/lib/random.h"
#include "tests/lib/replica_rig.h"
#include "tests/lib/suite.h"

enum { SEEDS = 200, STEPS = 600, LOGS = 3 };

static struct replica_rig rig;
static struct random dice;
static struct rig_log logs[LOGS];
static uint32_t usual;
/* What was published, and its leaves. */
static uint64_t published;
static uint8_t leaves[RIG_LOG_MAX * 2][HASH_SIZE];

/* Three histories with a common beginning. */
static void make_logs(void)
{
    memset(logs, 0, sizeof logs);
    rig_log_add(&logs[0], 4, 1, 0);
    rig_log_copy(&logs[1], &logs[0], 3);
    rig_log_copy(&logs[2], &logs[0], 4);
    rig_log_add(&logs[0], 4, 1, 0);
    rig_log_add(&logs[0], 4, 3, 0);
    rig_log_add(&logs[1], 5, 2, 1);
    rig_log_add(&logs[2], 3, 4, 2);
    rig_log_add(&logs[2], 3, 5, 2);
}

static char any_peer(void)
{
    return rig.peers[random_below(&dice, (uint32_t)rig.options.peers_count)];
}

static uint64_t any_size(void)
{
    return random_chance(&dice, 20) ? UINT64_MAX : random_below(&dice, 14);
}

static uint32_t any_epoch(void)
{
    uint32_t promised = rig.replica->promised;
    uint32_t kind = random_below(&dice, 1000);

    if (kind < 2)
        return UINT32_MAX - random_below(&dice, 3);
    if (kind < 40 && promised < UINT32_MAX)
        return promised + 1;
    if (kind < 850 && promised > 0)
        return promised;
    return 1 + random_below(&dice, promised / 2 + 1);
}

/* Most of the time the one that this life takes to be right. */
static const struct rig_log *any_log(void)
{
    return &logs[random_chance(&dice, 750) ? usual : random_below(&dice, LOGS)];
}

static void any_leaf(uint8_t *out)
{
    const struct rig_log *log = any_log();

    memcpy(out, log->ends[random_below(&dice, (uint32_t)log->size + 1)].leaf,
           HASH_SIZE);
    if (random_chance(&dice, 200))
        memcpy(out, rig.replica->log.end.leaf, HASH_SIZE);
}

static struct list any_epochs(struct writer *space)
{
    const struct rig_log *log = any_log();

    return rig_log_epochs(log, space,
                          random_below(&dice, (uint32_t)log->size + 1));
}

/* ---- Frames -------------------------------------------------------------- */

static void any_hello(struct peer_frame *frame, struct writer *space, char peer)
{
    const struct rig_log *log = any_log();

    lone_hello(&rig, frame, log, random_below(&dice, (uint32_t)log->size + 1));
    frame->hello.incarnation = 1 + random_below(&dice, 3);
    frame->hello.promised = any_epoch();
    frame->hello.config_number = random_below(&dice, 9);
    frame->hello.committed = any_size();
    frame->hello.flags =
        (uint16_t)((peer == 'Z' ? PEER_ARCHIVE : 0) |
                   (random_chance(&dice, 150) ? PEER_LOST : 0) |
                   (random_chance(&dice, 150) ? PEER_DAMAGED : 0));
    if (random_chance(&dice, 300))
        frame->hello.epochs = any_epochs(space);
    if (random_chance(&dice, 100))
        frame->hello.size = any_size();
}

static void any_append(char peer)
{
    const struct rig_log *log = any_log();
    uint64_t first = random_below(&dice, (uint32_t)log->size);
    uint64_t end =
        first + random_below(&dice, (uint32_t)(log->size - first) + 1);
    uint32_t epoch = any_epoch();

    if (random_chance(&dice, 700) && rig.replica->log.end.size < log->size)
        first =
            rig.replica->log.end.size < end ? rig.replica->log.end.size : first;
    lone_append_in(&rig, peer, log,
                   epoch > log->ends[end].epoch ? epoch : log->ends[end].epoch,
                   first, end, any_size());
}

static void any_fetched(struct peer_frame *frame, struct writer *space,
                        char peer)
{
    const struct rig_log *log = any_log();
    struct peer_frame asked;
    uint64_t first = 0, end = 0;

    frame->fetched.result = (uint8_t)(1 + random_below(&dice, 3));
    if (lone_sent(&rig, &asked, peer, PEER_FETCH)) {
        frame->fetched.token = asked.fetch.token;
        first = asked.fetch.first;
        end = first + asked.fetch.count;
    }
    frame->fetched.first = first;
    if (frame->fetched.result != PEER_FETCH_ENTRIES)
        return;
    if (end > log->size)
        end = log->size;
    if (first < end)
        rig_log_entries(log, space, first, end);
    frame->entries = writer_slice(space);
}

/* The others, by type. */
static void any_fields(struct peer_frame *frame, struct writer *space)
{
    const struct rig_log *log = &logs[usual];

    switch (frame->type) {
    case PEER_APPENDED:
        frame->appended.epoch =
            random_chance(&dice, 700) ? rig.epoch + !rig.epoch : any_epoch();
        frame->appended.stream = random_below(&dice, rig.replica->streams + 2);
        frame->appended.size =
            random_chance(&dice, 600) ? rig.replica->log.end.size : any_size();
        any_leaf(frame->appended.leaf.b);
        if (random_chance(&dice, 600))
            memcpy(frame->appended.leaf.b, rig.replica->log.end.leaf,
                   HASH_SIZE);
        break;
    case PEER_REFUSED:
        frame->refused.reason = (uint8_t)(1 + random_below(&dice, 5));
        frame->refused.epoch = any_epoch();
        frame->refused.stream = random_below(&dice, rig.replica->streams + 2);
        frame->refused.promised = any_epoch();
        frame->refused.size = any_size();
        frame->refused.committed = any_size();
        frame->refused.epochs = any_epochs(space);
        break;
    case PEER_BEACON:
        frame->beacon.epoch = any_epoch();
        frame->beacon.committed = any_size();
        if (frame->beacon.committed <= log->size)
            memcpy(frame->beacon.leaf.b,
                   log->ends[frame->beacon.committed].leaf, HASH_SIZE);
        if (random_chance(&dice, 30))
            any_leaf(frame->beacon.leaf.b);
        frame->beacon.time = (int64_t)random_next(&dice);
        break;
    case PEER_BEACON_OK:
        frame->beacon_ok.epoch = any_epoch();
        frame->beacon_ok.time = INT64_MIN;
        break;
    case PEER_SEALED:
        frame->sealed.epoch = random_chance(&dice, 800)
                                  ? rig.replica->epoch + !rig.replica->epoch
                                  : any_epoch();
        frame->sealed.size = random_below(&dice, (uint32_t)log->size + 1);
        memcpy(frame->sealed.leaf.b, log->ends[frame->sealed.size].leaf,
               HASH_SIZE);
        frame->sealed.epochs =
            random_chance(&dice, 900)
                ? rig_log_epochs(log, space, frame->sealed.size)
                : any_epochs(space);
        break;
    case PEER_FETCH:
        frame->fetch.first = any_size();
        frame->fetch.count = 1 + random_below(&dice, 9);
        break;
    case PEER_SCRUB:
        frame->scrub.end = any_size();
        if (frame->scrub.end <= log->size)
            memcpy(frame->scrub.digest.b, log->ends[frame->scrub.end].leaf,
                   HASH_SIZE);
        break;
    default:
        frame->scrubbed.first = any_size();
        frame->scrubbed.result = (uint8_t)(random_chance(&dice, 20) ? 2 : 1);
        break;
    }
}

static void any_frame(void)
{
    static const enum peer_number rest[] = {
        PEER_APPENDED, PEER_APPENDED, PEER_APPENDED,  PEER_REFUSED,
        PEER_BEACON,   PEER_BEACON,   PEER_BEACON_OK, PEER_SEALED,
        PEER_SEALED,   PEER_FETCH,    PEER_SCRUB,     PEER_SCRUBBED};
    static uint8_t bytes[65536];
    struct peer_frame frame = {.type = PEER_HELLO};
    char peer = any_peer();
    uint32_t kind = random_below(&dice, 100);
    struct writer space;

    writer_init(&space, bytes, sizeof bytes);
    if (kind < 10) {
        any_hello(&frame, &space, peer);
    } else if (kind < 35) {
        any_append(peer);
        return;
    } else if (kind < 45) {
        frame.type = PEER_FETCHED;
        any_fetched(&frame, &space, peer);
    } else if (kind < 48) {
        frame.type = PEER_NEWEPOCH;
        frame.newepoch.epoch = any_epoch();
    } else if (kind < 50) {
        frame.type = PEER_KEYS;
        frame.keys.rows = slice_of("k", 1);
    } else {
        frame.type = rest[random_below(&dice, sizeof rest / sizeof rest[0])];
        any_fields(&frame, &space);
    }
    lone_receive(&rig, peer, &frame);
}

/* ---- The register -------------------------------------------------------- */

/* A lawful successor that somebody else wrote. */
static void another_wrote(void)
{
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    struct config config;
    bool to_self = random_chance(&dice, 400);

    if (rig.config.number == 0 || rig.config.epoch > UINT32_MAX - 9)
        return;
    config_encode(bytes, &rig.config);
    config_succeed(&config, &rig.config,
                   slice_of(bytes, config_size(&rig.config)), CONFIG_RESTART);
    config.epoch += 1 + random_below(&dice, 2);
    if (to_self != (config.primary[0] == (uint8_t)rig.self)) {
        const uint8_t *to = sample_node(config.primary[0] == 'A' ? 'B' : 'A');

        config.why = config_has_member(&config, to) ? CONFIG_PROMOTE
                                                    : CONFIG_PROMOTE_VIA;
        config.phase =
            config.why == CONFIG_PROMOTE ? CONFIG_NORMAL : CONFIG_RECOVERING;
        memcpy(config.primary, to, NODE_ID_SIZE);
    }
    lone_view(&rig, &config);
}

static void register_says(void)
{
    uint32_t kind = random_below(&dice, 100);

    if (kind < 60 && rig.asked_count > 0 && rig.asked.revision == rig.revision)
        lone_win(&rig);
    else if (kind < 70 && rig.asked_count > 0)
        lone_answer(&rig, REGISTER_UNKNOWN);
    else if (kind < 80 && rig.asked_count > 0)
        lone_answer(&rig, REGISTER_REJECTED);
    else if (kind < 90)
        lone_see(&rig);
    else if (kind < 95)
        another_wrote();
    else
        lone_alive(&rig, any_peer(), random_chance(&dice, 300));
}

/* ---- One life ------------------------------------------------------------ */

static void rot_something(void)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset, size = journal_size(rig.journal);

    if (size > 0 && journal_place(rig.journal, file, &offset,
                                  random_below(&dice, (uint32_t)size)) == ST_OK)
        disk_model_rot(rig.model, file, offset + random_below(&dice, 300),
                       random_below(&dice, 8));
}

static void start_again(void)
{
    lone_lose_power(&rig);
    if (random_chance(&dice, 100))
        disk_model_rot(rig.model, "mark", random_below(&dice, 150), 1);
    lone_open(&rig);
    lone_tick(&rig, 1);
    lone_registered(&rig);
    rig.asked_count = 0;
    published = 0;
}

static void step(void)
{
    uint32_t kind = random_below(&dice, 100);

    if (kind < 50)
        any_frame();
    else if (kind < 62)
        lone_jobs(&rig, 1 + random_below(&dice, 4));
    else if (kind < 78)
        lone_tick(&rig, random_below(&dice, 2000));
    else if (kind < 90)
        register_says();
    else if (kind < 94)
        lone_greet(&rig, any_peer(), NULL, 0);
    else if (kind < 98 && rig.leads && rig.end.size < 100)
        lone_submit(&rig, 1 + random_below(&dice, 3));
    else if (kind == 98)
        rot_something();
    else if (kind == 99 && random_chance(&dice, 400))
        start_again();
}

/* I8: what one start published stays what it was; unless it lost entries. */
static void check_published(void)
{
    uint8_t leaf[HASH_SIZE];

    if (rig.replica->lost) {
        published = 0;
        return;
    }
    for (uint64_t i = 0; i < rig.published; i++) {
        if (replica_log_leaf(&rig.replica->log, leaf, i) != ST_OK)
            memset(leaf, 0, HASH_SIZE); /* Rotten now. */
        else if (i < published && leaves[i][0] != 0)
            ck_assert_mem_eq(leaves[i], leaf, HASH_SIZE);
        memcpy(leaves[i], leaf, HASH_SIZE);
    }
    published = rig.published;
}

static void live(uint64_t seed)
{
    static const char selves[] = {'A', 'B', 'B', 'Z'};

    dice = random_stream(seed, 1);
    usual = random_below(&dice, LOGS);
    lone_begin(&rig, selves[random_below(&dice, 4)], "ABZ");
    rig.options.minimum = (uint8_t)(1 + random_below(&dice, 2));
    rig.options.timers.scrub_ms = 500;
    published = 0;
    if (rig.self != 'A') {
        sample_config(&rig.config);
        rig.config.number = 3;
        rig.config.why = CONFIG_ADD;
        rig.config.minimum = rig.options.minimum;
        if (random_chance(&dice, 600))
            config_admit(&rig.config, sample_node('B'), 1);
        if (random_chance(&dice, 400))
            config_admit(&rig.config, sample_node('Z'), 1);
        rig.revision = 2;
    }
    lone_start(&rig);
    for (size_t i = 0; i < STEPS; i++) {
        step();
        if (rig.disk_failed || lone_status(&rig).halt != HALT_NONE)
            break;
        check_published();
        if (rig.sends_count > RIG_SENDS_MAX / 2)
            lone_forget(&rig);
    }
    lone_end(&rig);
}

START_TEST(whatever_others_say_no_contract_breaks)
{
    make_logs();
    for (uint64_t i = 0; i < 10; i++)
        live((uint64_t)_i * 10 + i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica_anything");
    TCase *tcase = tcase_create("replica_anything");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, whatever_others_say_no_contract_breaks, 0,
                        SEEDS / 10);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
