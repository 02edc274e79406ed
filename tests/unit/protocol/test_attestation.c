/* Attestations as those read them who have nothing else of the chain. */
#include "protocol/attestation.h"

#include <string.h>

#include <sodium.h>

#include "protocol/tree.h"
#include "tests/lib/signed_log.h"
#include "tests/lib/suite.h"

enum { LEAVES_MAX = 70 };

static struct signed_log chain;
static struct attestation attestation;

/* The log's last entry. */
static struct slice last(void)
{
    return slice_of(chain.entries[chain.count - 1].bytes,
                    chain.entries[chain.count - 1].size);
}

static void attest(uint64_t first, uint64_t last_index)
{
    struct op_system_attest fields = {.first = first, .last = last_index};
    uint8_t refusals[16];
    struct writer writer;

    writer_init(&writer, refusals, sizeof refusals);
    fields.refusals = list_begin(&writer);
    signed_log_add(&chain, &chain.node, OPCODE_SYSTEM_ATTEST, 0, &fields,
                   ST_OK);
}

static void fill(uint8_t (*leaves)[HASH_SIZE], size_t count)
{
    for (size_t i = 0; i < count; i++)
        crypto_hash_sha256(leaves[i], (const uint8_t *)&i, 1);
}

/* Worked out with another program. */
START_TEST(the_leaf_of_an_outcome_is_as_documented)
{
    static const uint8_t golden[HASH_SIZE] = {
        0xf6, 0x73, 0xad, 0x1d, 0x8d, 0x62, 0x26, 0xc9, 0x5c, 0xff, 0x2e,
        0xbb, 0xbe, 0x97, 0x84, 0x61, 0x6a, 0xd4, 0xcb, 0x87, 0xa9, 0x1c,
        0xde, 0x78, 0x64, 0xae, 0x52, 0xcd, 0xdc, 0x17, 0x84, 0x7f};
    uint8_t result[HASH_SIZE], leaf[HASH_SIZE];

    memset(result, 0x5a, sizeof result);
    attestation_leaf(leaf, 1000, 3, ST_NO_DUTY, result);
    ck_assert_mem_eq(leaf, golden, HASH_SIZE);
}
END_TEST

START_TEST(every_leaf_of_every_tree_leads_to_the_root)
{
    uint8_t leaves[LEAVES_MAX][HASH_SIZE], used[LEAVES_MAX][HASH_SIZE];
    static struct attestation_path paths[LEAVES_MAX];
    uint8_t root[HASH_SIZE], got[HASH_SIZE];
    size_t positions[LEAVES_MAX];

    fill(leaves, LEAVES_MAX);
    for (size_t count = 1; count <= LEAVES_MAX; count++) {
        tree_root_of(root, (const uint8_t(*)[HASH_SIZE])leaves, count);
        memcpy(used, leaves, sizeof leaves);
        for (size_t i = 0; i < count; i++)
            positions[i] = i;
        attestation_paths_make(paths, positions, count, used, count);
        for (size_t i = 0; i < count; i++) {
            attestation_path_root(got, &paths[i], leaves[i]);
            ck_assert_mem_eq(got, root, HASH_SIZE);
            ck_assert_int_eq(paths[i].lefts >> paths[i].count, 0);
        }
    }
}
END_TEST

START_TEST(another_side_leads_elsewhere)
{
    uint8_t leaves[LEAVES_MAX][HASH_SIZE], leaf[HASH_SIZE];
    uint8_t root[HASH_SIZE], got[HASH_SIZE];
    struct attestation_path path;
    size_t position = 42;

    fill(leaves, LEAVES_MAX);
    memcpy(leaf, leaves[position], HASH_SIZE);
    tree_root_of(root, (const uint8_t(*)[HASH_SIZE])leaves, LEAVES_MAX);
    attestation_paths_make(&path, &position, 1, leaves, LEAVES_MAX);
    for (size_t i = 0; i < path.count; i++) {
        path.lefts ^= (uint16_t)(1u << i);
        attestation_path_root(got, &path, leaf);
        ck_assert_mem_ne(got, root, HASH_SIZE);
        path.lefts ^= (uint16_t)(1u << i);
    }
    attestation_path_root(got, &path, leaf);
    ck_assert_mem_eq(got, root, HASH_SIZE);
}
END_TEST

START_TEST(an_attestation_of_entries_before_it_reads)
{
    signed_log_init(&chain);
    signed_log_ping(&chain);
    signed_log_attest(&chain);
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_OK);
    ck_assert_uint_eq(attestation.stated.first, 0);
    ck_assert_uint_eq(attestation.stated.last, 2);
    ck_assert_uint_eq(attestation.entry.place.index, 3);
}
END_TEST

START_TEST(one_of_itself_or_of_no_entries_is_none)
{
    signed_log_init(&chain);
    attest(0, 2); /* Its own index. */
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_ENTRY_FORMED);
    attest(2, 1);
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_ENTRY_FORMED);
    attest(2, 2);
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_OK);
}
END_TEST

START_TEST(another_operation_is_none)
{
    signed_log_init(&chain);
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_ENTRY_FORMED);
    signed_log_ping(&chain);
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_ENTRY_FORMED);
}
END_TEST

/* Others were refused as entries, and perhaps never compared. */
START_TEST(one_that_is_not_as_a_node_writes_it_is_none)
{
    enum {
        CARRIER = 58,
        HEADER = 64,
        FLAGS = HEADER + 2,
        COUNTER = HEADER + 56,
        CLEAR = ENTRY_PREFIX_SIZE + COMMAND_HEADER_SIZE + SIGNATURE_SIZE,
        DUTY = CLEAR + 8,
        CLEAR_END = CLEAR + ITEM_CLEAR_SIZE
    };
    static const struct {
        size_t from;
        size_t end;
    } parts[] = {{CARRIER, CARRIER + 2},
                 {FLAGS, FLAGS + 2},
                 {COUNTER, COUNTER + 8},
                 {DUTY, CLEAR_END}};
    uint8_t *bytes;

    signed_log_init(&chain);
    signed_log_attest(&chain);
    bytes = chain.entries[chain.count - 1].bytes;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (size_t bit = 8 * parts[i].from; bit < 8 * parts[i].end; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert_int_eq(attestation_read(&attestation, last()),
                             ST_ENTRY_FORMED);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    /* The realm stands in the entry and in the header. */
    bytes[3] = bytes[HEADER + 6] = REALM_REGISTRY;
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_ENTRY_FORMED);
    bytes[3] = bytes[HEADER + 6] = REALM_SYSTEM;
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_OK);
}
END_TEST

/* Nodes refuse those, whoever signed them. */
START_TEST(one_that_came_too_late_or_too_early_is_none)
{
    enum { LOG_TIME_OFFSET = 16 };
    uint8_t *bytes;
    int64_t made;

    signed_log_init(&chain);
    signed_log_attest(&chain);
    bytes = chain.entries[chain.count - 1].bytes;
    made = (int64_t)load_u64(bytes + LOG_TIME_OFFSET);
    store_u64(bytes + LOG_TIME_OFFSET,
              (uint64_t)(made + (TTL_S_DEFAULT + SKEW_S) * INT64_C(1000000)));
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_OK);
    store_u64(
        bytes + LOG_TIME_OFFSET,
        (uint64_t)(made + (TTL_S_DEFAULT + SKEW_S) * INT64_C(1000000) + 1));
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_ENTRY_FORMED);
    store_u64(bytes + LOG_TIME_OFFSET,
              (uint64_t)(made - SKEW_S * INT64_C(1000000) - 1));
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_ENTRY_FORMED);
}
END_TEST

/* A flip is not read, or it changes what was signed, or where it stands. */
START_TEST(every_flipped_bit_and_every_truncation_is_refused_or_seen)
{
    uint8_t bytes[SIGNED_LOG_ENTRY_SIZE_MAX], hash[HASH_SIZE];
    uint8_t leaf[HASH_SIZE], changed[HASH_SIZE];
    size_t size;

    signed_log_init(&chain);
    signed_log_attest(&chain);
    size = last().size;
    memcpy(bytes, last().data, size);
    entry_leaf_hash(leaf, slice_of(bytes, size));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        entry_leaf_hash(changed, slice_of(bytes, size));
        ck_assert_mem_ne(changed, leaf, HASH_SIZE);
        if (attestation_read(&attestation, slice_of(bytes, size)) == ST_OK &&
            bit / 8 >= 64)
            ck_assert_int_eq(entry_verify(&attestation.entry, hash,
                                          chain.cluster_id,
                                          chain.node.public_key),
                             ST_BAD_SIG);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t less = 0; less < size; less++)
        ck_assert_int_eq(attestation_read(&attestation, slice_of(bytes, less)),
                         ST_ENTRY_FORMED);
}
END_TEST

START_TEST(only_what_was_done_with_this_result_is_shown)
{
    uint8_t leaves[2][HASH_SIZE], hash[HASH_SIZE];
    struct attestation_path path;
    size_t position = 1;

    signed_log_init(&chain);
    signed_log_ping(&chain);
    chain.attested = 1;
    signed_log_attest(&chain);
    ck_assert_int_eq(attestation_read(&attestation, last()), ST_OK);
    signed_log_outcome(&chain, leaves[0], 1);
    signed_log_outcome(&chain, leaves[1], 2);
    attestation_paths_make(&path, &position, 1, leaves, 2);
    crypto_hash_sha256(hash, chain.entries[2].result,
                       chain.entries[2].result_size);
    ck_assert_int_eq(attestation_shows(&attestation, &path, 2, hash), ST_OK);
    ck_assert_int_eq(attestation_shows(&attestation, &path, 1, hash), ST_PROOF);
    ck_assert_int_eq(attestation_shows(&attestation, &path, 3, hash), ST_PROOF);
    ck_assert_int_eq(attestation_shows(&attestation, &path, 0, hash), ST_PROOF);
    hash[0] ^= 1;
    ck_assert_int_eq(attestation_shows(&attestation, &path, 2, hash), ST_PROOF);
}
END_TEST

SUITE_MAIN("attestation", the_leaf_of_an_outcome_is_as_documented,
           every_leaf_of_every_tree_leads_to_the_root,
           another_side_leads_elsewhere,
           an_attestation_of_entries_before_it_reads,
           one_of_itself_or_of_no_entries_is_none, another_operation_is_none,
           one_that_is_not_as_a_node_writes_it_is_none,
           one_that_came_too_late_or_too_early_is_none,
           every_flipped_bit_and_every_truncation_is_refused_or_seen,
           only_what_was_done_with_this_result_is_shown)
