/*
 * What stands around the replica: the register, peers with a log, a pipeline.
 */
#include <string.h>

#include "tests/lib/log_maker.h"
#include "tests/lib/replica_rig.h"

enum { PLAY_EPOCHS_SIZE = PEER_EPOCHS_MAX * 44 };

/* ---- The register ------------------------------------------------------- */

void lone_looked(struct replica_rig *rig, uint64_t number)
{
    struct replica_event event = {.type = REPLICA_LOOKED, .number = number};

    lone_event(rig, &event);
    lone_work(rig);
    lone_tick(rig, 1);
}

void lone_registered(struct replica_rig *rig)
{
    struct replica_event event = {.type = REPLICA_REGISTERED};

    lone_event(rig, &event);
}

static void play_view(const struct replica_rig *rig, struct register_view *out)
{
    memset(out, 0, sizeof *out);
    if (rig->config.number == 0)
        return;
    out->revision = rig->revision;
    out->value_size = config_size(&rig->config);
    config_encode(out->value, &rig->config);
}

void lone_see(struct replica_rig *rig)
{
    struct register_view view;
    struct replica_event event = {.type = REPLICA_VIEW, .view = &view};

    play_view(rig, &view);
    lone_event(rig, &event);
}

void lone_view(struct replica_rig *rig, const struct config *config)
{
    rig->config = *config;
    rig->revision++;
    lone_see(rig);
}

void lone_restart(struct replica_rig *rig, uint32_t epoch)
{
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    struct config config;

    config_encode(bytes, &rig->config);
    config_succeed(&config, &rig->config,
                   slice_of(bytes, config_size(&rig->config)), CONFIG_RESTART);
    config.epoch = epoch;
    lone_view(rig, &config);
    lone_work(rig);
    lone_forget(rig);
}

struct config lone_proposed(const struct replica_rig *rig)
{
    struct config config;
    enum status status = config_decode(
        &config, slice_of(rig->asked.value, rig->asked.value_size));

    ck_assert_int_eq(status, ST_OK);
    return config;
}

void lone_answer(struct replica_rig *rig, enum register_outcome outcome)
{
    struct register_view view;
    struct replica_event event = {.type = REPLICA_ANSWERED};

    play_view(rig, &view);
    event.answered.token = rig->asked.token;
    event.answered.outcome = outcome;
    event.answered.view = outcome == REGISTER_UNKNOWN ? NULL : &view;
    lone_event(rig, &event);
}

void lone_win(struct replica_rig *rig)
{
    ck_assert_uint_gt(rig->asked_count, 0);
    ck_assert_uint_eq(rig->asked.revision, rig->revision);
    rig->config = lone_proposed(rig);
    rig->revision++;
    lone_answer(rig, REGISTER_WON);
}

void lone_alive(struct replica_rig *rig, char node, bool alive)
{
    struct replica_event event = {.type = REPLICA_ALIVE};

    memcpy(event.alive.node_id, sample_node(node), NODE_ID_SIZE);
    event.alive.alive = alive;
    lone_event(rig, &event);
}

/* ---- Peers -------------------------------------------------------------- */

void lone_hello(const struct replica_rig *rig, struct peer_frame *out,
                const struct rig_log *log, uint64_t size)
{
    static uint8_t bytes[PLAY_EPOCHS_SIZE];
    struct writer space;

    memset(out, 0, sizeof *out);
    writer_init(&space, bytes, sizeof bytes);
    out->type = PEER_HELLO;
    out->hello.version = PEER_VERSION;
    memcpy(out->hello.cluster_id.b, rig->options.cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->hello.lineage.b, rig->options.lineage, LINEAGE_SIZE);
    out->hello.incarnation = 1;
    out->hello.size = size;
    if (size > 0)
        memcpy(out->hello.leaf.b, log->ends[size].leaf, HASH_SIZE);
    out->hello.time = rig->wall_us;
    out->hello.epochs = rig_log_epochs(log, &space, size);
}

void lone_greet(struct replica_rig *rig, char peer, const struct rig_log *log,
                uint64_t size)
{
    struct peer_frame frame;

    lone_link(rig, peer);
    lone_hello(rig, &frame, log, size);
    if (peer == 'Z')
        frame.hello.flags = PEER_ARCHIVE;
    lone_receive(rig, peer, &frame);
}

void lone_append_in(struct replica_rig *rig, char peer,
                    const struct rig_log *log, uint32_t epoch, uint64_t first,
                    uint64_t end, uint64_t committed)
{
    static uint8_t bytes[PEER_ENTRIES_SIZE_MAX];
    struct peer_frame frame = {.type = PEER_APPEND};
    struct writer entries;

    writer_init(&entries, bytes, sizeof bytes);
    rig_log_entries(log, &entries, first, end);
    ck_assert_int_eq(entries.status, ST_OK);
    frame.entries = writer_slice(&entries);
    frame.append.epoch = epoch;
    frame.append.stream = 1;
    frame.append.committed = committed;
    frame.append.previous_size = first;
    memcpy(frame.append.previous_leaf.b, log->ends[first].leaf, HASH_SIZE);
    lone_receive(rig, peer, &frame);
}

void lone_append(struct replica_rig *rig, char peer, const struct rig_log *log,
                 uint64_t first, uint64_t end, uint64_t committed)
{
    lone_append_in(rig, peer, log, log->ends[end].epoch, first, end, committed);
}

void lone_ack(struct replica_rig *rig, char peer, uint64_t size)
{
    struct peer_frame append, frame = {.type = PEER_APPENDED};
    const struct replica *replica = rig->replica;
    enum status status = ST_OK;

    ck_assert(lone_sent(rig, &append, peer, PEER_APPEND));
    frame.appended.epoch = append.append.epoch;
    frame.appended.stream = append.append.stream;
    frame.appended.size = size;
    if (size > 0)
        status =
            replica_log_leaf(&replica->log, frame.appended.leaf.b, size - 1);
    ck_assert_int_eq(status, ST_OK);
    lone_receive(rig, peer, &frame);
}

void lone_ack_all(struct replica_rig *rig, char peer)
{
    lone_ack(rig, peer, rig->replica->peers[lone_peer(rig, peer)].next);
}

void lone_backup(struct replica_rig *rig, const char *members, uint8_t minimum,
                 const struct rig_log *log)
{
    sample_config(&rig->config);
    rig->config.minimum = minimum;
    rig->config.why = CONFIG_ADD;
    rig->config.number = 4;
    for (; *members != '\0'; members++)
        config_admit(&rig->config, sample_node(*members), 1);
    rig->revision = 5;
    lone_start(rig);
    lone_greet(rig, 'A', NULL, 0);
    lone_append_in(rig, 'A', log, 1, 0, log->size, 0);
    lone_work(rig);
    lone_unlink(rig, 'A');
    lone_forget(rig);
}

void lone_silence(struct replica_rig *rig, int64_t ms)
{
    lone_pass(rig, ms);
    lone_work(rig);
    lone_see(rig);
    lone_pass(rig, 200);
}

/* ---- Leading ------------------------------------------------------------ */

void lone_submit(struct replica_rig *rig, size_t count)
{
    static uint8_t bytes[RIG_LOG_MAX][RIG_ENTRY];
    static struct journal_entry entries[RIG_LOG_MAX];
    struct replica_event event = {.type = REPLICA_SUBMITTED};

    ck_assert_uint_le(count, RIG_LOG_MAX);
    for (size_t i = 0; i < count; i++)
        entries[i] =
            log_maker_entry(bytes[i], &rig->end, RIG_ENTRY, rig->epoch, 0);
    event.submitted.entries = entries;
    event.submitted.count = count;
    lone_event(rig, &event);
}

void lone_win_lead(struct replica_rig *rig)
{
    lone_win(rig);
    for (int i = 0; i < 40 && !rig->leads; i++) {
        lone_work(rig);
        lone_tick(rig, 100);
    }
    ck_assert(rig->leads);
}

void lone_lead_alone(struct replica_rig *rig, uint8_t minimum)
{
    rig->options.minimum = minimum;
    lone_start(rig);
    lone_win_lead(rig);
    lone_submit(rig, 1);
    lone_work(rig);
    ck_assert_int_eq(lone_role(rig),
                     minimum == 1 ? REPLICA_PRIMARY : REPLICA_BARRIER);
}

void lone_lead_pair(struct replica_rig *rig)
{
    lone_lead_alone(rig, 2);
    lone_greet(rig, 'B', NULL, 0);
    lone_ack_all(rig, 'B');
    lone_tick(rig, 100);
    lone_win(rig);
    lone_work(rig);
    ck_assert_int_eq(lone_role(rig), REPLICA_PRIMARY);
    lone_tick(rig, 100);
    lone_work(rig);
    lone_forget(rig);
}
