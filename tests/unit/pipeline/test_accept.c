/* ctest-label: threads */
#include "tests/lib/suite.h"

#include <string.h>

#include "protocol/entry.h"
#include "tests/lib/pipeline_host.h"

/* A backup with genesis alone, which is offered one entry after that. */
static struct pipeline_host host;
static uint8_t bytes[ENTRY_SIZE_MAX];
static uint8_t rows[KEYRING_ROW_SIZE * 4];

static const uint8_t key[KEY_SIZE] = {1, 2, 3};
static const uint8_t other_key[KEY_SIZE] = {3, 2, 1};

#define EPOCH  UINT32_C(5)
#define NUMBER (UINT64_C(5) << 32 | 1)
enum { INDEX = 1, UNKNOWN_OPCODE = 0xfff0 };

/* What differs from a good entry. */
struct offer {
    uint16_t opcode;      /* 0: system.secret, which is sealed. */
    uint64_t seal_number; /* 0: NUMBER; UINT64_MAX: open. */
    const uint8_t *seal_key;
    int64_t ahead; /* Of the clock. */
};

/* The entry; ${bytes_out} has ENTRY_SIZE_MAX bytes. */
static struct journal_entry make(const struct offer *offer)
{
    static struct rig_command command;
    struct op_system_secret secret = {.secret = {{7}}};
    struct op_system_ping ping = {.text = slice_of("p", 1)};
    struct op_password_set password = {.username = slice_of("n", 1)};
    uint16_t opcode = offer->opcode != 0 ? offer->opcode : OPCODE_SYSTEM_SECRET;
    struct entry_place place = {
        .category = 6,
        .epoch = EPOCH,
        .index = INDEX,
        .log_time = host.rig.wall + offer->ahead,
    };
    struct entry_seal seal = {
        .number = offer->seal_number == 0            ? NUMBER
                  : offer->seal_number == UINT64_MAX ? 0
                                                     : offer->seal_number,
        .key = offer->seal_key != NULL ? offer->seal_key : key,
    };
    struct journal_end end = journal_end(host.rig.journal);
    struct journal_entry entry;

    memcpy(place.previous, end.leaf, HASH_SIZE);
    rig_begin(&host.rig, &command);
    rig_item(&host.rig, &command, opcode, 0, 0,
             opcode == OPCODE_SYSTEM_PING    ? (void *)&ping
             : opcode == OPCODE_PASSWORD_SET ? (void *)&password
                                             : (void *)&secret);
    struct work *work = rig_finish(&host.rig, &command, &host.rig.node);
    size_t size = entry_size(&work->command, &seal);
    entry_encode(bytes, size, &place, &work->command, &seal);
    work_close(work);
    entry.bytes = slice_of(bytes, size);
    entry_leaf_hash(entry.leaf, entry.bytes);
    return entry;
}

static struct slice row_bytes(uint64_t number, const uint8_t *of,
                              uint64_t first_index)
{
    store_u64(rows, number);
    store_u64(rows + 8, 0);
    store_u64(rows + 16, first_index);
    rows[24] = KEYRING_CLUSTER;
    memcpy(rows + 25, of, KEY_SIZE);
    return slice_of(rows, KEYRING_ROW_SIZE);
}

static enum status accept_stated(const struct journal_entry *entry,
                                 const struct slice *keys, uint64_t stated)
{
    struct storage_job job = {
        .type = STORAGE_APPEND,
        .entries = entry,
        .entries_count = entry != NULL ? 1 : 0,
        .keys = keys,
        .keys_count = keys != NULL ? 1 : 0,
        .verify_keys = true,
        .stated = stated,
    };

    return pipeline_accept(host.pipeline, &job);
}

static enum status accept(const struct journal_entry *entry,
                          const struct slice *keys)
{
    return accept_stated(entry, keys, 0);
}

static enum status offer(const struct offer *what, const struct slice *keys)
{
    struct journal_entry entry = make(what);

    return accept(&entry, keys);
}

/* As an earlier entry brought it, which is not in the log any more. */
static enum status accept_before(struct slice keys)
{
    struct keyring_row row;
    uint8_t found[KEY_SIZE];

    ck_assert_int_eq(keyring_rows_take(&row, found, &keys), ST_OK);
    keyring_take(host.rig.keyring);
    enum status status = keyring_accept(host.rig.keyring, &row, found);
    keyring_commit(host.rig.keyring);
    keyring_leave(host.rig.keyring);
    return status;
}

static enum status known(uint64_t number)
{
    uint8_t found[KEY_SIZE];

    return keyring_key(host.rig.keyring, found, number);
}

START_TEST(good_entries_are_taken_with_the_keys_that_they_use_first)
{
    pipeline_host_open(&host);
    struct slice keys = row_bytes(NUMBER, key, INDEX);
    ck_assert_int_eq(offer(&(struct offer){0}, &keys), ST_OK);
    ck_assert_int_eq(known(NUMBER), ST_OK);
    /* Once more, and then without the row. */
    ck_assert_int_eq(offer(&(struct offer){0}, &keys), ST_OK);
    ck_assert_int_eq(offer(&(struct offer){0}, NULL), ST_OK);
    ck_assert_int_eq(
        offer(&(struct offer){OPCODE_SYSTEM_PING, UINT64_MAX, NULL, 0}, NULL),
        ST_OK);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(bad_entries_are_refused_and_leave_no_key)
{
    static const struct {
        struct offer offer;
        enum status status;
    } bad[] = {
        /* Open though it must be sealed; sealed though it must be open. */
        {{.seal_number = UINT64_MAX}, ST_ENTRY_FORMED},
        {{.opcode = OPCODE_SYSTEM_PING}, ST_ENTRY_FORMED},
        {{.opcode = UNKNOWN_OPCODE, .seal_number = UINT64_MAX},
         ST_ENTRY_FORMED},
        {{.ahead = 61 * RIG_SECOND}, ST_EARLY},
        {{.seal_number = NUMBER + 1}, ST_KEY_MISSING},
        {{.seal_key = other_key}, ST_SEAL},
    };

    pipeline_host_open(&host);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct slice keys = row_bytes(NUMBER, key, INDEX);

        ck_assert_int_eq(offer(&bad[i].offer, &keys), bad[i].status);
        ck_assert_int_eq(known(NUMBER), ST_KEY_MISSING);
    }
    struct slice keys = row_bytes(NUMBER, key, INDEX);
    ck_assert_int_eq(offer(&(struct offer){.ahead = 59 * RIG_SECOND}, &keys),
                     ST_OK);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(bytes_that_are_no_entry_are_refused)
{
    pipeline_host_open(&host);
    struct slice keys = row_bytes(NUMBER, key, INDEX);
    struct journal_entry good = make(&(struct offer){0});
    struct journal_entry entry = good;
    entry.bytes.size--;
    ck_assert_int_eq(accept(&entry, &keys), ST_ENTRY_FORMED);
    entry.bytes.size = 0;
    ck_assert_int_eq(accept(&entry, &keys), ST_ENTRY_FORMED);
    /* An index that no number of the keyring's holds. */
    bytes[15] = 0xff;
    ck_assert_int_eq(accept(&good, &keys), ST_ENTRY_FORMED);
    ck_assert_int_eq(known(NUMBER), ST_KEY_MISSING);
    /* Two entries that do not follow each other. */
    struct journal_entry both[2];
    both[0] = both[1] = make(&(struct offer){0});
    struct storage_job job = {.type = STORAGE_APPEND,
                              .entries = both,
                              .entries_count = 2,
                              .verify_keys = true};
    ck_assert_int_eq(pipeline_accept(host.pipeline, &job), ST_ENTRY_FORMED);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_sealed_byte_that_was_changed_is_refused)
{
    pipeline_host_open(&host);
    struct journal_entry entry = make(&(struct offer){0});
    struct slice keys = row_bytes(NUMBER, key, INDEX);
    bytes[entry.bytes.size - 1] ^= 1;
    ck_assert_int_eq(accept(&entry, &keys), ST_SEAL);
    ck_assert_int_eq(known(NUMBER), ST_KEY_MISSING);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(rows_that_are_none_or_of_another_epoch_are_refused)
{
    pipeline_host_open(&host);
    struct slice keys = row_bytes(NUMBER, key, INDEX);
    keys.size--;
    ck_assert_int_eq(offer(&(struct offer){0}, &keys), ST_SEAL);
    keys = row_bytes(NUMBER - (UINT64_C(1) << 32), key, INDEX);
    ck_assert_int_eq(
        offer(&(struct offer){.seal_number = NUMBER - (UINT64_C(1) << 32)},
              &keys),
        ST_SEAL);
    ck_assert_int_eq(known(NUMBER), ST_KEY_MISSING);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(rows_of_entries_that_did_not_come_with_them_are_not_kept)
{
    pipeline_host_open(&host);
    struct slice keys = row_bytes(NUMBER, key, 0);
    ck_assert_int_eq(offer(&(struct offer){0}, &keys), ST_KEY_MISSING);
    ck_assert_int_eq(known(NUMBER), ST_KEY_MISSING);
    keys = row_bytes(INT64_MAX, key, INDEX + 1);
    ck_assert_int_eq(
        offer(&(struct offer){OPCODE_SYSTEM_PING, UINT64_MAX, NULL, 0}, &keys),
        ST_OK);
    ck_assert_int_eq(known(INT64_MAX), ST_KEY_MISSING);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_number_that_stands_for_other_bytes_here_has_diverged)
{
    pipeline_host_open(&host);
    struct slice keys = row_bytes(NUMBER, key, INDEX);
    ck_assert_int_eq(accept_before(keys), ST_OK);
    keys = row_bytes(NUMBER, other_key, INDEX);
    ck_assert_int_eq(offer(&(struct offer){.seal_key = other_key}, &keys),
                     ST_DIVERGED);
    ck_assert_int_eq(known(NUMBER), ST_OK);
    pipeline_host_close(&host);
}
END_TEST

/* Sealed under a key that an act can be about. */
static const struct offer of_person = {.opcode = OPCODE_PASSWORD_SET};

START_TEST(a_destroyed_key_is_not_missing)
{
    enum { ACT = 1000 }; /* It is not applied yet: the state shows none. */
    const uint64_t number = NUMBER;

    pipeline_host_open(&host);
    keyring_bury(host.rig.keyring, &number, 1, ACT);
    ck_assert_int_eq(offer(&of_person, NULL), ST_OK);
    pipeline_host_close(&host);
}
END_TEST

/* Only the primary could ever open the entry. */
START_TEST(a_tombstone_in_the_place_of_a_live_key_is_refused)
{
    enum { ACT = 1000 };
    static const uint8_t zeros[KEY_SIZE];
    struct journal_entry entry;
    struct slice keys;

    pipeline_host_open(&host);
    keys = row_bytes(NUMBER, zeros, INDEX);
    rows[24] = KEYRING_TOMBSTONE;
    for (uint64_t act = 0; act <= ACT; act += ACT / 2) {
        store_u64(rows + 8, act);
        ck_assert_int_eq(offer(&of_person, &keys), ST_SEAL);
    }
    ck_assert_int_eq(known(NUMBER), ST_KEY_MISSING);
    /* An entry that is long committed, as the other node says: it is taken. */
    entry = make(&of_person);
    ck_assert_int_eq(accept_stated(&entry, &keys, ACT), ST_SEAL);
    ck_assert_int_eq(accept_stated(&entry, &keys, ACT + 1), ST_OK);
    ck_assert_int_eq(known(NUMBER), ST_ERASED);
    pipeline_host_close(&host);
}
END_TEST

/* What a tombstone of an act that the log lost is answered with in a lineage
 * that was forced on ${forced} entries. */
static enum status offer_lost(const struct offer *what, uint64_t stated,
                              uint64_t forced)
{
    static const uint8_t zeros[KEY_SIZE];
    struct journal_entry entry;
    struct slice keys;
    enum status status;

    pipeline_host_open_forced(&host, NULL, forced);
    entry = make(what);
    keys = row_bytes(NUMBER, zeros, INDEX);
    rows[24] = KEYRING_TOMBSTONE;
    store_u64(rows + 8, KEYRING_ACT_LOST);
    status = accept_stated(&entry, &keys, stated);
    ck_assert_int_eq(known(NUMBER),
                     status == ST_OK ? ST_ERASED : ST_KEY_MISSING);
    ck_assert_uint_eq(host.lost, status == ST_OK ? 1 : 0);
    pipeline_host_close(&host);
    return status;
}

START_TEST(a_tombstone_of_a_lost_act_is_taken_for_a_committed_entry_only)
{
    ck_assert_int_eq(offer_lost(&of_person, 0, INDEX + 1), ST_SEAL);
    ck_assert_int_eq(offer_lost(&of_person, INDEX, INDEX + 1), ST_SEAL);
    ck_assert_int_eq(offer_lost(&of_person, INDEX + 1, INDEX + 1), ST_OK);
}
END_TEST

START_TEST(a_tombstone_of_a_lost_act_is_taken_below_a_forced_lineage_only)
{
    ck_assert_int_eq(offer_lost(&of_person, INDEX + 1, 0), ST_SEAL);
    ck_assert_int_eq(offer_lost(&of_person, INDEX + 1, INDEX), ST_SEAL);
    ck_assert_int_eq(offer_lost(&of_person, INDEX + 1, INDEX + 1), ST_OK);
}
END_TEST

START_TEST(a_tombstone_in_the_place_of_the_cluster_s_key_is_refused)
{
    ck_assert_int_eq(offer_lost(&(struct offer){0}, INDEX + 1, INDEX + 1),
                     ST_SEAL);
}
END_TEST

START_TEST(keys_of_entries_that_never_came_to_be_make_way)
{
    uint64_t stray = UINT64_C(4) << 32 | 9;

    pipeline_host_open(&host);
    /* Shipped in epoch 4 for an entry that epoch 5 has in its place. */
    struct slice keys = row_bytes(stray, other_key, INDEX);
    ck_assert_int_eq(accept_before(keys), ST_OK);
    keys = row_bytes(NUMBER, key, INDEX);
    ck_assert_int_eq(offer(&(struct offer){0}, &keys), ST_OK);
    ck_assert_int_eq(known(stray), ST_KEY_MISSING);
    ck_assert_int_eq(known(NUMBER), ST_OK);
    /* Where the log is cut, keys go with it. */
    pipeline_truncate_keys(host.pipeline, INDEX + 1);
    ck_assert_int_eq(known(NUMBER), ST_OK);
    pipeline_truncate_keys(host.pipeline, INDEX);
    ck_assert_int_eq(known(NUMBER), ST_KEY_MISSING);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_node_that_leads_takes_no_entries_of_others)
{
    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    ck_assert_int_eq(
        offer(&(struct offer){OPCODE_SYSTEM_PING, UINT64_MAX, NULL, 0}, NULL),
        ST_WRONG_STATE);
    struct storage_job own = {.type = STORAGE_APPEND};
    ck_assert_int_eq(pipeline_accept(host.pipeline, &own), ST_OK);
    pipeline_host_follow(&host);
    ck_assert_int_eq(
        offer(&(struct offer){OPCODE_SYSTEM_PING, UINT64_MAX, NULL, 0}, NULL),
        ST_OK);
    pipeline_host_close(&host);
}
END_TEST

SUITE_MAIN("accept", good_entries_are_taken_with_the_keys_that_they_use_first,
           bad_entries_are_refused_and_leave_no_key,
           bytes_that_are_no_entry_are_refused,
           a_sealed_byte_that_was_changed_is_refused,
           rows_that_are_none_or_of_another_epoch_are_refused,
           rows_of_entries_that_did_not_come_with_them_are_not_kept,
           a_number_that_stands_for_other_bytes_here_has_diverged,
           a_destroyed_key_is_not_missing,
           a_tombstone_in_the_place_of_a_live_key_is_refused,
           a_tombstone_of_a_lost_act_is_taken_for_a_committed_entry_only,
           a_tombstone_of_a_lost_act_is_taken_below_a_forced_lineage_only,
           a_tombstone_in_the_place_of_the_cluster_s_key_is_refused,
           keys_of_entries_that_never_came_to_be_make_way,
           a_node_that_leads_takes_no_entries_of_others)
