/*
 * cosign_fake.h: the rest of a node, for the tests of server/cosign: a log of
 * leaves in memory, the newest note of it, and what was called.
 */
#ifndef DEFTER_TESTS_UNIT_COSIGN_COSIGN_FAKE_H
#define DEFTER_TESTS_UNIT_COSIGN_COSIGN_FAKE_H

#include <string.h>

#include "protocol/peer.h"
#include "protocol/tree.h"
#include "server/cosign/cosign_calls.h"
#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

enum { FAKE_LEAVES = 64, FAKE_SENT_MAX = 64, FAKE_TIME_S = 1786957200 };

struct fake_sent {
    bool all;
    uint8_t node; /* First byte of its number. */
    uint8_t type;
    uint64_t size;
    size_t bytes_size;
    uint8_t bytes[2048];
};

static struct tlog_signer fake_log;
static uint8_t fake_leaves[FAKE_LEAVES][HASH_SIZE];
static uint8_t fake_note[EVIDENCE_NOTE_SIZE_MAX];
static size_t fake_note_size;
static struct fake_sent fake_sent[FAKE_SENT_MAX];
static size_t fake_sent_count;
static char fake_said[4096];
static int64_t fake_now_ms;
static enum status fake_take_status, fake_begin_status;
static size_t fake_taken, fake_begun, fake_added;
static uint64_t fake_added_size, fake_begun_size;
static uint8_t fake_added_line[512];
static size_t fake_added_line_size;
static bool fake_enrolled;
static struct identity fake_cosigner;

static inline uint8_t *fake_node(uint8_t number)
{
    static uint8_t nodes[8][NODE_ID_SIZE];

    memset(nodes[number], number, NODE_ID_SIZE);
    return nodes[number];
}

/* The log's own note of ${size} entries, with lines behind it. */
static inline struct slice fake_write(uint8_t *out, size_t room, uint64_t size,
                                      const char *lines)
{
    struct checkpoint made = {note_key_name(&fake_log.key), size, {0}};
    struct writer writer;

    tree_root_of(made.root, (const uint8_t(*)[HASH_SIZE])fake_leaves,
                 (size_t)size);
    writer_init(&writer, out, room);
    checkpoint_sign(&writer, &made, &fake_log.key, &fake_log.identity);
    writer_bytes(&writer, lines, strlen(lines));
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

static inline void fake_publish(uint64_t size)
{
    fake_note_size = fake_write(fake_note, sizeof fake_note, size, "").size;
}

static inline enum status fake_on_note(void *context, uint8_t *out,
                                       size_t *size_out)
{
    MAYBE(context == NULL);
    memcpy(out, fake_note, fake_note_size);
    *size_out = fake_note_size;
    return fake_note_size == 0 ? ST_NO_SUCH : ST_OK;
}

static inline enum status fake_on_take(void *context, struct slice note)
{
    MAYBE(context == NULL);
    ck_assert_uint_gt(note.size, 0);
    fake_taken++;
    return fake_take_status;
}

static inline enum status fake_on_add(void *context, uint64_t size,
                                      struct slice line)
{
    MAYBE(context == NULL);
    fake_added++;
    fake_added_size = size;
    ck_assert_uint_le(line.size, sizeof fake_added_line);
    memcpy(fake_added_line, line.data, line.size);
    fake_added_line_size = line.size;
    return ST_OK;
}

static inline enum status fake_on_begin(void *context, uint64_t size,
                                        const uint8_t root[HASH_SIZE],
                                        int64_t time_s)
{
    uint8_t own[HASH_SIZE];

    MAYBE(context == NULL);
    ck_assert_int_eq(time_s, FAKE_TIME_S);
    tree_root_of(own, (const uint8_t(*)[HASH_SIZE])fake_leaves, (size_t)size);
    ck_assert_mem_eq(own, root, HASH_SIZE);
    fake_begun++;
    fake_begun_size = size;
    return fake_begin_status;
}

static inline enum status fake_on_between(void *context,
                                          uint8_t (*hashes_out)[HASH_SIZE],
                                          size_t *count_out, uint64_t older,
                                          uint64_t newer)
{
    struct tree_leaves all = {(const uint8_t(*)[HASH_SIZE])fake_leaves,
                              FAKE_LEAVES};
    struct tree_source source = {&all, tree_leaves_read};

    MAYBE(context == NULL);
    return tree_consistency_make(hashes_out, count_out, &source, older, newer);
}

static inline bool fake_on_key(void *context, const uint8_t *node_id,
                               uint8_t key_out[PUBLIC_KEY_SIZE])
{
    MAYBE(context == NULL);
    memcpy(key_out, fake_cosigner.public_key, PUBLIC_KEY_SIZE);
    return fake_enrolled && node_id[0] == 2;
}

static inline void fake_on_send(void *context, const uint8_t *node_id,
                                const struct peer_frame *frame)
{
    struct fake_sent *sent = &fake_sent[fake_sent_count++];
    struct slice bytes = frame->type == PEER_CHECKPOINT ? frame->checkpoint.note
                                                        : frame->cosigned.line;

    MAYBE(context == NULL);
    ck_assert_uint_le(fake_sent_count, FAKE_SENT_MAX);
    *sent = (struct fake_sent){.all = node_id == NULL,
                               .type = (uint8_t)frame->type,
                               .bytes_size = bytes.size};
    if (node_id != NULL)
        sent->node = node_id[0];
    if (frame->type == PEER_COSIGNED)
        sent->size = frame->cosigned.size;
    ck_assert_uint_le(bytes.size, sizeof sent->bytes);
    memcpy(sent->bytes, bytes.data, bytes.size);
}

static inline int64_t fake_on_wall(void *context)
{
    MAYBE(context == NULL);
    return FAKE_TIME_S;
}

static inline int64_t fake_on_boot(void *context)
{
    MAYBE(context == NULL);
    return fake_now_ms;
}

static inline void fake_on_say(void *context, enum cluster_level level,
                               const char *line)
{
    size_t used = strlen(fake_said);

    MAYBE(context == NULL);
    MAYBE(level == CLUSTER_NOTE);
    (void)snprintf(fake_said + used, sizeof fake_said - used, "%s\n", line);
}

static const struct cosign_calls fake_calls = {
    .note = fake_on_note,
    .note_witnessed = fake_on_note,
    .take_note = fake_on_take,
    .add_cosignature = fake_on_add,
    .cosign_begin = fake_on_begin,
    .consistency_between = fake_on_between,
    .cosigner_key = fake_on_key,
    .send = fake_on_send,
    .wall_s = fake_on_wall,
    .boot_ms = fake_on_boot,
    .say = fake_on_say,
};

static inline void fake_begin(void)
{
    uint8_t seed[SEED_SIZE] = {9};

    tlog_log(&fake_log);
    identity_init(&fake_cosigner, seed);
    for (unsigned i = 0; i < FAKE_LEAVES; i++)
        tlog_leaf(fake_leaves[i], i);
    fake_note_size = fake_sent_count = fake_taken = fake_begun = fake_added = 0;
    fake_said[0] = '\0';
    fake_now_ms = 1000000;
    fake_take_status = fake_begin_status = ST_OK;
    fake_enrolled = true;
}

#endif
