/*
 * fz_envelope.c: commands that somebody signed, whatever stands in them.  What
 * decodes and verifies becomes an entry, with some of its items sealed, from
 * which the signature still verifies, each item opens to what was sent, and is
 * shown without its neighbours.
 *
 * The first byte is a pattern of the items that are sealed; the rest is the
 * body of a COMMAND frame.  The mutator knows how that is built, and signs it.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "protocol/entry.h"
#include "protocol/seal.h"
#include "server/pipeline/decode.h"
#include "tests/lib/mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

/* Those of the published vectors. */
static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {
    0x48, 0x74, 0x76, 0xfe, 0x07, 0xeb, 0xf7, 0x72,
    0x7d, 0x27, 0x15, 0xe5, 0x79, 0xe3, 0xdf, 0x0a};
enum { SIGNER_FILL = 2 };
static const uint8_t seal_key[KEY_SIZE] = {0x5e};

static const struct identity *signer(void)
{
    static struct identity identity;
    static bool made;
    uint8_t seed[SEED_SIZE];

    memset(seed, SIGNER_FILL, sizeof seed);
    if (!made && sodium_init() >= 0)
        identity_init(&identity, seed);
    made = true;
    return &identity;
}

/* Whatever its operation takes is written again as the same bytes. */
static bool check_fields(const struct command_item *item)
{
    static _Alignas(16) uint8_t value[8192];
    static uint8_t again[ENTRY_SIZE_MAX];
    const struct operation_info *operation =
        operation_info(item->clear_part.opcode);
    struct field_error error;
    struct writer writer;

    if (operation == NULL || operation->version != item->clear_part.version ||
        schema_decode(operation->fields, value, &error, item->fields,
                      SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return false;
    INVARIANT(operation->fields->struct_size <= sizeof value);
    writer_init(&writer, again, sizeof again);
    schema_encode(operation->fields, &writer, value);
    INVARIANT(writer.status == ST_OK);
    INVARIANT(slice_equal(writer_slice(&writer), item->fields));
    return true;
}

static void check_work(const struct command *command)
{
    struct work_origin origin = {.session_key = {{0}}};
    struct work *work;
    size_t good = 0;

    for (size_t i = 0; i < command->header.items_count; i++)
        good += check_fields(&command->items[i]);
    memcpy(origin.session_key.b, command->header.key_id, KEY_ID_SIZE);
    work = work_open(command, &origin);
    INVARIANT(work != NULL);
    decode_work(work);
    INVARIANT(work->fault.status == ST_OK ||
              status_is_wire(work->fault.status));
    INVARIANT(IMPLIES(work->fault.status == ST_OK,
                      good == command->header.items_count));
    work_close(work);
}

static void check_paths(const struct command *command)
{
    static uint8_t leaves[ITEMS_MAX][HASH_SIZE];
    uint8_t path[ITEM_PATH_MAX][HASH_SIZE];
    const size_t items_count = command->header.items_count;

    for (size_t i = 0; i < items_count; i++)
        item_leaf_hash(leaves[i], command->items[i].clear,
                       command->items[i].commitment);
    for (size_t i = 0; i < items_count; i += 1 + items_count / 8) {
        size_t count, other = (i + 1) % items_count;

        command_path_make(path, &count, leaves, items_count, i);
        INVARIANT(command_path_check(leaves[i], i, command->signed_bytes, path,
                                     count) == ST_OK);
        INVARIANT(memcmp(leaves[i], leaves[other], HASH_SIZE) == 0 ||
                  command_path_check(leaves[other], i, command->signed_bytes,
                                     path, count) == ST_PROOF);
    }
}

static void check_item(const struct item *item, const struct command_item *sent)
{
    static uint8_t opened[ENTRY_SIZE_MAX];
    struct slice secret;

    INVARIANT(slice_equal(slice_of(item->clear, ITEM_CLEAR_SIZE),
                          slice_of(sent->clear, ITEM_CLEAR_SIZE)));
    INVARIANT(seal_open(&secret, item, seal_key, opened, sizeof opened) ==
              ST_OK);
    INVARIANT(slice_equal(secret, sent->secret));
}

static void check_entry(const struct command *command, uint8_t pattern)
{
    static struct entry_seal seals[ITEMS_MAX];
    static uint8_t bytes[ENTRY_SIZE_MAX];
    const struct entry_place place = {.category = CATEGORY_MIN, .epoch = 1};
    uint8_t hash[HASH_SIZE];
    struct entry entry;
    struct item item;
    size_t size;

    for (size_t i = 0; i < command->header.items_count; i++) {
        seals[i].number = pattern >> i % 8 & 1;
        seals[i].key = seal_key;
    }
    size = entry_size(command, seals);
    INVARIANT(size <= sizeof bytes);
    entry_encode(bytes, size, &place, command, seals);
    INVARIANT(entry_decode(&entry, slice_of(bytes, size)) == ST_OK);
    INVARIANT(entry_verify(&entry, hash, cluster_id, signer()->public_key) ==
              ST_OK);
    INVARIANT(memcmp(hash, command->hash, HASH_SIZE) == 0);
    for (size_t i = 0; i < command->header.items_count; i++) {
        entry_item(&item, &entry, i);
        check_item(&item, &command->items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct command_item items[ITEMS_MAX];
    struct command_policy policy = {0x48, true, true, true, 900, ITEMS_MAX};
    struct command command;

    if (size == 0 ||
        command_decode(&command, items, slice_of(data + 1, size - 1),
                       &policy) != ST_OK)
        return 0;
    command_digest(&command, cluster_id);
    if (command_verify(&command, signer()->public_key) != ST_OK)
        return 0;
    check_work(&command);
    check_paths(&command);
    check_entry(&command, data[0]);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    struct random random = {seed};
    struct mutate_signer signs = {signer(), cluster_id};

    if (size == 0 || size_max < 2 || random_below(&random, 16) == 0)
        return mutate_bytes(&random, data, size, size_max);
    return 1 +
           mutate_command(&random, data + 1, size - 1, size_max - 1, &signs);
}
