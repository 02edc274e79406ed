/* fuzz-runs: 30 plain
 * ctest-timeout: 300
 *
 * fz_replica.c: frames of peers to the replica of a node, which follows or
 * leads.  It drops who breaks the rules, it may halt, and whatever comes it
 * breaks no contract, takes no commit back, and starts again from its disk.
 *
 * The first byte chooses: even, B follows A; odd, A leads with B.  Then come
 * the parts of mutate_parts(): u8 what, u8 a frame's type, the frame's body.
 */
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "tests/lib/mutate.h"
#include "tests/lib/replica_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

enum { ENTRIES = 6, COMMITTED = 4, PARTS_MAX = 200, LONG_MS = 5000 };

static struct replica_rig rig;
static struct rig_log log_a;

/* In sync under A with six entries, of which four are committed. */
static void begin_backup(void)
{
    struct sample_config pair;

    lone_begin(&rig, 'B', "ABZ");
    sample_config_pair(&pair);
    rig.config = pair.config;
    rig.config.base_size = 1;
    for (size_t i = 0; i < rig.config.members_count; i++)
        rig.config.members[i].incarnation = 1;
    rig.revision = 5;
    lone_start(&rig);
    lone_greet(&rig, 'A', NULL, 0);
    lone_append(&rig, 'A', &log_a, 0, ENTRIES, COMMITTED);
    lone_work(&rig);
}

static void begin_primary(void)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_pair(&rig);
}

/* An event, by the low bits of ${what}; the fourth chooses the peer. */
static void happen(uint8_t what, uint8_t type, struct slice body)
{
    const char peer = rig.peers[what >> 4 & 1];

    switch (what & 15) {
    case 0:
        lone_tick(&rig, type);
        break;
    case 1:
        lone_tick(&rig, LONG_MS);
        break;
    case 2:
        lone_link(&rig, peer);
        break;
    case 3:
        lone_unlink(&rig, peer);
        break;
    case 4:
        lone_jobs(&rig, type);
        break;
    case 5:
        lone_greet(&rig, peer, &log_a, type % (ENTRIES + 1));
        break;
    default:
        lone_receive_bytes(&rig, peer, type, body);
        break;
    }
    if ((what & 0x40) != 0)
        lone_work(&rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t published;

    if (size < 1 || sodium_init() < 0)
        return 0;
    if (log_a.size == 0)
        rig_log_add(&log_a, ENTRIES, 1, 0);
    if (data[0] % 2 == 0)
        begin_backup();
    else
        begin_primary();
    data++;
    size--;
    for (int left = PARTS_MAX; left > 0 && size > 2; left--) {
        size_t part = (size_t)load_u16(data) + 1;

        if (part > size - 2)
            part = size - 2;
        if (part >= 2)
            happen(data[2], data[3], slice_of(data + 4, part - 2));
        lone_forget(&rig);
        data += 2 + part;
        size -= 2 + part;
    }
    lone_work(&rig);
    published = rig.published;
    lone_stop(&rig);
    INVARIANT(lone_try_open(&rig) == ST_OK);
    INVARIANT(journal_size(rig.journal) >= published ||
              rig.report.found != JOURNAL_CLEAN);
    lone_end(&rig);
    return 0;
}

/* By the schema of a frame's type, what follows it kept. */
static size_t change(struct random *random, uint8_t *part, size_t size,
                     size_t size_max, void *context)
{
    const struct peer_info *info;
    struct peer_frame frame;
    size_t fixed = size;

    MAYBE(context == NULL);
    if (size_max > FRAME_BODY_SIZE_MAX)
        size_max = FRAME_BODY_SIZE_MAX;
    if (size < 2 || random_below(random, 8) == 0) {
        uint32_t count;
        const struct peer_info *peers = peer_list(&count);

        part[0] = (uint8_t)random_next(random);
        part[1] = peers[random_below(random, count)].number;
        size = fixed = 2;
    }
    info = peer_info(part[1]);
    if (info == NULL || size > size_max || random_below(random, 4) == 0)
        return mutate_bytes(random, part, size < size_max ? size : size_max,
                            size_max);
    if (peer_decode(&frame, part[1], slice_of(part + 2, size - 2)) == ST_OK)
        fixed = size - frame.entries.size;
    if (fixed != size)
        return mutate_bytes(random, part, size, size_max);
    return 2 + mutate_fields(random, part + 2, size - 2, size_max - 2,
                             info->schema);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    struct random random = {seed};

    return mutate_parts(&random, data, size, size_max, change, NULL);
}
