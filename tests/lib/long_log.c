#include "tests/lib/long_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/checkpoint.h"
#include "protocol/command_build.h"
#include "protocol/segment.h"

enum { LOG_INDEX_OFFSET = 8, LOG_TIME_OFFSET = 16, LOG_PREVIOUS_OFFSET = 24 };

struct writing {
    struct long_log *log;
    const struct long_log_options *options;
    uint8_t *segment;
    struct segment_header header;
    size_t used;
    uint64_t attested;
    int64_t log_time;
    uint8_t command[ENTRY_SIZE_MAX];
    size_t command_size;
};

static void flush(const struct writing *writing)
{
    const uint32_t size = writing->options->segment_size;
    char path[256];
    FILE *file;

    if (writing->options->directory == NULL)
        return;
    (void)snprintf(path, sizeof path, "%s/%020llu.seg",
                   writing->options->directory,
                   (unsigned long long)writing->header.first_index);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(writing->segment, size, 1, file) != 1 ||
        fclose(file) != 0)
        abort();
}

static void begin(struct writing *writing)
{
    const struct long_log *log = writing->log;

    memset(writing->segment, 0, writing->options->segment_size);
    writing->header =
        (struct segment_header){.first_index = log->tree.size,
                                .segment_size = writing->options->segment_size};
    memcpy(writing->header.previous, log->leaf, HASH_SIZE);
    segment_header_encode(writing->segment, &writing->header);
    writing->used = SEGMENT_HEADER_SIZE;
}

static void put(struct writing *writing, struct slice entry)
{
    struct long_log *log = writing->log;
    const size_t size = segment_frame_size(entry.size);

    if (size > writing->options->segment_size - writing->used) {
        flush(writing);
        begin(writing);
    }
    segment_frame_encode(writing->segment + writing->used, entry);
    writing->used += size;
    entry_leaf_hash(log->leaf, entry);
    tree_append(&log->tree, log->leaf);
}

/* A command of the node's, as an entry at the log's end. */
static struct slice compose(struct writing *writing, uint16_t opcode,
                            size_t items, struct slice fields)
{
    static uint8_t body_bytes[ENTRY_SIZE_MAX];
    static struct command_item parsed[ITEMS_MAX];
    static struct entry_seal seals[ITEMS_MAX];
    static const uint8_t key[KEY_SIZE] = {1};
    const struct signed_log *head = &writing->log->head;
    struct command_header header = {
        .idem = {1}, .signed_at = ++writing->log_time, .ttl_s = TTL_S_DEFAULT};
    struct command_policy policy = {.env_tag = head->cluster_id[0],
                                    .system = true,
                                    .ttl_s_max = TTL_S_MAX,
                                    .items_max = ITEMS_MAX};
    struct entry_place place = {.category = operation_info(opcode)->category,
                                .epoch = 1,
                                .index = writing->log->tree.size,
                                .log_time = writing->log_time};
    struct item_clear clear = {.opcode = opcode, .version = 1};
    struct command_build build;
    struct command command;
    struct slice body;

    memcpy(place.previous, writing->log->leaf, HASH_SIZE);
    command_build_begin(&build, body_bytes, sizeof body_bytes, &header);
    for (size_t i = 0; i < items; i++) {
        bool open = operation_info(opcode)->seal == SEAL_OPEN;
        uint8_t salt[SALT_SIZE] = {(uint8_t)i};

        command_build_item(&build, &clear, salt, fields);
        seals[i].number = open ? 0 : (UINT64_C(1) << 32) + 1;
        seals[i].key = key;
    }
    if (command_build_sign(&build, &body, head->cluster_id, &head->node) !=
            ST_OK ||
        command_decode(&command, parsed, body, &policy) != ST_OK)
        abort();
    command_digest(&command, head->cluster_id);
    writing->command_size = entry_size(&command, seals);
    entry_encode(writing->command, writing->command_size, &place, &command,
                 seals);
    return slice_of(writing->command, writing->command_size);
}

static void attest(struct writing *writing)
{
    struct op_system_attest fields = {.first = writing->attested,
                                      .last = writing->log->tree.size - 1};
    uint8_t bytes[256];
    struct writer writer;

    writing->attested = writing->log->tree.size;
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_op_system_attest, &writer, &fields);
    put(writing,
        compose(writing, OPCODE_SYSTEM_ATTEST, 1, writer_slice(&writer)));
    writing->command_size = 0;
}

/* The command once more: what was signed does not name its place. */
static void again(struct writing *writing)
{
    static const uint8_t fields[4096];

    if (writing->command_size == 0)
        (void)compose(writing, OPCODE_SYSTEM_SECRET, writing->options->items,
                      slice_of(fields, writing->options->fields_size));
    store_u64(writing->command + LOG_INDEX_OFFSET, writing->log->tree.size);
    store_u64(writing->command + LOG_TIME_OFFSET,
              (uint64_t)++writing->log_time);
    memcpy(writing->command + LOG_PREVIOUS_OFFSET, writing->log->leaf,
           HASH_SIZE);
    put(writing, slice_of(writing->command, writing->command_size));
}

void long_log_make(struct long_log *log, const struct long_log_options *options)
{
    struct writing *writing = calloc(1, sizeof *writing);

    REQUIRE(options->fields_size <= 4096);
    if (writing == NULL)
        abort();
    memset(log, 0, sizeof *log);
    tree_init(&log->tree);
    signed_log_init(&log->head);
    REQUIRE(options->size >= log->head.count);
    *writing = (struct writing){
        .log = log, .options = options, .log_time = log->head.log_time};
    writing->segment = malloc(options->segment_size);
    if (writing->segment == NULL)
        abort();
    begin(writing);
    for (size_t i = 0; i < log->head.count; i++)
        put(writing,
            slice_of(log->head.entries[i].bytes, log->head.entries[i].size));
    while (log->tree.size < options->size) {
        if (log->tree.size - writing->attested >= LONG_LOG_ATTESTED)
            attest(writing);
        else
            again(writing);
    }
    flush(writing);
    free(writing->segment);
    free(writing);
}

void long_log_checkpoint(const struct long_log *log, const char *path)
{
    uint8_t bytes[LONG_LOG_CHECKPOINT_SIZE_MAX];
    struct checkpoint checkpoint = {.origin = slice_of("test", 4),
                                    .size = log->tree.size};
    struct note_key key;
    struct writer writer;
    FILE *file = fopen(path, "wb");

    tree_root(&log->tree, checkpoint.root);
    note_key_init(&key, checkpoint.origin, NOTE_ED25519,
                  log->head.authority.public_key);
    writer_init(&writer, bytes, sizeof bytes);
    checkpoint_sign(&writer, &checkpoint, &key, &log->head.authority);
    if (writer.status != ST_OK || file == NULL ||
        fwrite(bytes, 1, writer.used, file) != writer.used || fclose(file) != 0)
        abort();
}
