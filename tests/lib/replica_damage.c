#include "tests/lib/replica_damage.h"

#include <string.h>

struct replica_rig damage_rig;
struct rig_log damage_log_a, damage_log_b;

/* B is in sync under A, has ${size} entries and knows ${committed} of them to
 * be committed. */
void damage_begin(size_t size, uint64_t committed)
{
    struct sample_config pair;

    lone_begin(&damage_rig, 'B', "ABZ");
    memset(&damage_log_a, 0, sizeof damage_log_a);
    memset(&damage_log_b, 0, sizeof damage_log_b);
    sample_config_pair(&pair);
    damage_rig.config = pair.config;
    config_remove_member(&damage_rig.config, sample_node('B'));
    config_add_member(&damage_rig.config, sample_node('B'), 1);
    damage_rig.revision = 5;
    lone_start(&damage_rig);
    rig_log_add(&damage_log_a, size, 1, 0);
    lone_greet(&damage_rig, 'A', NULL, 0);
    lone_append(&damage_rig, 'A', &damage_log_a, 0, size, committed);
    lone_work(&damage_rig);
    lone_tick(&damage_rig, 100);
    lone_work(&damage_rig);
    ck_assert_uint_eq(lone_status(&damage_rig).committed, committed);
    lone_forget(&damage_rig);
}

/* The frame of entry ${index} rots where it lies. */
void damage_rot(uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(damage_rig.journal, file, &offset, index),
                     ST_OK);
    disk_model_rot(damage_rig.model, file, offset + 100, 3);
}

void damage_restart(void)
{
    lone_lose_power(&damage_rig);
    lone_start(&damage_rig);
}

void damage_fetch(char peer, uint64_t first, uint32_t count)
{
    struct peer_frame frame = {.type = PEER_FETCH};

    frame.fetch.token = 77;
    frame.fetch.first = first;
    frame.fetch.count = count;
    lone_receive(&damage_rig, peer, &frame);
}

void damage_newepoch(char peer, uint32_t epoch)
{
    struct peer_frame frame = {.type = PEER_NEWEPOCH};

    frame.newepoch.epoch = epoch;
    lone_receive(&damage_rig, peer, &frame);
}

/* What ${peer} was asked for last, from ${log}. */
void damage_give(char peer, const struct rig_log *log)
{
    static uint8_t bytes[PEER_ENTRIES_SIZE_MAX];
    struct peer_frame asked, frame = {.type = PEER_FETCHED};
    struct writer entries;

    ck_assert(lone_sent(&damage_rig, &asked, peer, PEER_FETCH));
    writer_init(&entries, bytes, sizeof bytes);
    rig_log_entries(log, &entries, asked.fetch.first,
                    asked.fetch.first + asked.fetch.count);
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = asked.fetch.first;
    frame.fetched.result = PEER_FETCH_ENTRIES;
    frame.entries = writer_slice(&entries);
    lone_receive(&damage_rig, peer, &frame);
}

void damage_give_nothing(char peer, enum peer_fetch_result result)
{
    struct peer_frame asked, frame = {.type = PEER_FETCHED};

    ck_assert(lone_sent(&damage_rig, &asked, peer, PEER_FETCH));
    frame.fetched.token = asked.fetch.token;
    frame.fetched.first = asked.fetch.first;
    frame.fetched.result = (uint8_t)result;
    lone_receive(&damage_rig, peer, &frame);
}

/* The last entry rots, which was acknowledged. */
void damage_begin_lost(void)
{
    damage_begin(6, 3);
    damage_rot(5);
    damage_restart();
    ck_assert_int_eq(lone_role(&damage_rig), REPLICA_LOST);
    ck_assert_uint_eq(lone_status(&damage_rig).lost_to, 6);
}
