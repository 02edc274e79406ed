/*
 * fz_note.c: the texts of a published log, as anybody may have written them.
 * What is read in one form is written again as the same bytes, and nothing
 * counts as signed that its signer did not write.
 *
 * The first byte chooses: 0 a note with a checkpoint, 1 a key, 2 a policy, by
 * which a good checkpoint is judged, 3 a proof, 4 a request to a witness, 5 the
 * path of a tile, 6 a bundle, 7 two sizes of a log, between which tiles are
 * told.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "protocol/lines.h"
#include "protocol/tiles.h"
#include "protocol/tlog_proof.h"
#include "protocol/witness_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fuzz_log[] = "registry.example/kob-log+70bac4ee+"
                               "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
static const char fuzz_witness[] =
    "witness.example/archive-1+b5bca02d+"
    "BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";

/* The only checkpoint that the keys above are known to have signed. */
static const char fuzz_text[] =
    "registry.example/kob-log\n5\n"
    "GqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCw=\n";
static const char fuzz_note[] =
    "registry.example/kob-log\n5\n"
    "GqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCw=\n"
    "\n"
    "\xe2\x80\x94 registry.example/kob-log cLrE7sB/4GTklwssKXXxhSHV1oANpQQpuqR8"
    "u2Hnx+IHaxPc+m+sAmbKA8pHcWsqQpH16/SX0IGUXfyN3oR0ElHiwgU=\n"
    "\xe2\x80\x94 witness.example/archive-1 "
    "tbygLQAAAABlU/EAIxBYW7UIciebzFT68DIb"
    "HGzNgYUTCy/B3tHQUEWCECTW5Y0BM7PRf1hP0ZUu04StNW2TyVObyRANTEiO71IyBA==\n";

enum { FUZZ_TILES_MAX = 64 };

static uint8_t written[TLOG_PROOF_SIZE_MAX];

/* A writer into a buffer that holds whatever was read. */
static struct writer write_again(void)
{
    struct writer writer;

    writer_init(&writer, written, sizeof written);
    return writer;
}

/* A quorum of one witness over the log above. */
static const struct tlog_policy *fuzz_policy(void)
{
    static char text[512];
    static struct tlog_policy policy;
    struct tlog_policy_error error;

    if (policy.logs_count > 0)
        return &policy;
    (void)snprintf(text, sizeof text, "log %s\nwitness w %s\nquorum w\n",
                   fuzz_log, fuzz_witness);
    INVARIANT(tlog_policy_read(&policy, &error, slice_of(text, strlen(text))) ==
              ST_OK);
    return &policy;
}

static struct note_key fuzz_key(const char *text)
{
    struct note_key key;

    INVARIANT(note_key_read(&key, slice_of(text, strlen(text))) == ST_OK);
    return key;
}

static void check_note(struct slice input)
{
    struct note_key log_key = fuzz_key(fuzz_log);
    struct note_key witness_key = fuzz_key(fuzz_witness);
    struct checkpoint checkpoint;
    struct note note;
    uint64_t time_s;

    if (note_read(&note, input) != ST_OK)
        return;
    INVARIANT(note.count >= 1 && note.count <= NOTE_SIGNATURES_MAX);
    INVARIANT(note.text.size > 0);
    if (note_verify(&note, &log_key) == ST_OK)
        INVARIANT(lines_equal(note.text, fuzz_text));
    if (checkpoint_cosigned(&time_s, &note, &witness_key) == ST_OK)
        INVARIANT(lines_equal(note.text, fuzz_text));
    if (checkpoint_read(&checkpoint, note.text) != ST_OK)
        return;
    INVARIANT(checkpoint.size <= TREE_SIZE_MAX);
    if (note_name_valid(checkpoint.origin)) {
        struct writer writer = write_again();

        /* Extension lines are read and not written. */
        checkpoint_write(&writer, &checkpoint);
        INVARIANT(writer.used <= note.text.size);
        INVARIANT(memcmp(written, note.text.data, writer.used) == 0);
    }
}

static void check_key(struct slice input)
{
    struct writer writer = write_again();
    struct note_key key;

    if (note_key_read(&key, input) != ST_OK)
        return;
    note_key_write(&writer, &key);
    INVARIANT(slice_equal(writer_slice(&writer), input));
}

static void check_policy(struct slice input)
{
    static struct tlog_policy policy;
    struct tlog_policy_verdict verdict;
    struct tlog_policy_error error;
    struct checkpoint checkpoint;
    enum status status = tlog_policy_read(&policy, &error, input);

    INVARIANT(tlog_policy_fault_text(error.fault) != NULL);
    INVARIANT(tlog_policy_fault_text_az(error.fault) != NULL);
    INVARIANT((status == ST_OK) == (error.fault == TLOG_POLICY_GOOD));
    INVARIANT(error.line >= 1 && error.line <= input.size + 1);
    if (status != ST_OK)
        return;
    if (policy.quorum != TLOG_POLICY_NONE)
        INVARIANT(tlog_policy_name(&policy, policy.quorum).size > 0);
    status = tlog_policy_judge(&verdict, &checkpoint, &policy,
                               slice_of(fuzz_note, strlen(fuzz_note)));
    if (status == ST_OK)
        INVARIANT(policy.quorum == TLOG_POLICY_NONE || !verdict.satisfied ||
                  verdict.signed_by != 0);
}

static void check_proof(struct slice input)
{
    static struct tlog_proof proof;
    struct note_key log_key = fuzz_key(fuzz_log);
    struct writer writer = write_again();
    struct tlog_policy_verdict verdict;
    struct checkpoint checkpoint;
    uint8_t leaf[HASH_SIZE];

    if (tlog_proof_read(&proof, input) != ST_OK)
        return;
    tlog_proof_write(&writer, &proof);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    tree_leaf_hash(leaf, slice_of("entry-2", 7));
    if (tlog_proof_verify(&checkpoint, &proof, leaf, &log_key) == ST_OK)
        INVARIANT(proof.index == 2 && checkpoint.size == 5);
    if (tlog_proof_judge(&verdict, &checkpoint, &proof, leaf, fuzz_policy()) ==
        ST_OK)
        INVARIANT(verdict.satisfied && proof.index == 2);
}

static void check_request(struct slice input)
{
    static struct witness_request request;
    struct note_key log_key = fuzz_key(fuzz_log);
    struct writer writer = write_again();
    struct witness_state state = {3, {0}}, next;
    uint8_t leaves[3][HASH_SIZE];

    if (witness_request_read(&request, input) != ST_OK)
        return;
    witness_request_write(&writer, &request);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    tree_leaf_hash(leaves[0], slice_of("entry-0", 7));
    tree_leaf_hash(leaves[1], slice_of("entry-1", 7));
    tree_leaf_hash(leaves[2], slice_of("entry-2", 7));
    tree_root_of(state.root, leaves, 3);
    if (witness_judge(&next, &state, &request, &log_key, 1) == WITNESS_SIGNS)
        INVARIANT(next.size == 5 && lines_equal(request.note.text, fuzz_text));
    else
        INVARIANT(memcmp(&next, &state, sizeof next) == 0);
}

static void check_path(struct slice input)
{
    struct writer writer = write_again();
    struct tile tile;

    if (tiles_path_read(&tile, input) != ST_OK)
        return;
    tiles_path_write(&writer, &tile);
    INVARIANT(slice_equal(writer_slice(&writer), input));
}

/* A hash that says which it is. */
static enum status hash_read(void *context, uint8_t out[HASH_SIZE],
                             unsigned level, uint64_t index)
{
    (void)context;
    memset(out, 0, HASH_SIZE);
    store_u64(out, index);
    store_u64(out + 8, level);
    return ST_OK;
}

static void check_tile(const struct tile *tile)
{
    const struct tree_source source = {NULL, hash_read};
    struct writer writer = write_again();
    struct tile again;

    tiles_path_write(&writer, tile);
    INVARIANT(writer.used <= TILE_PATH_SIZE_MAX);
    INVARIANT(tiles_path_read(&again, writer_slice(&writer)) == ST_OK);
    INVARIANT(again.level == tile->level && again.index == tile->index &&
              again.width == tile->width);
    if (tile->level == TILE_ENTRIES)
        return;
    writer = write_again();
    INVARIANT(tiles_write(&writer, tile, &source) == ST_OK);
    INVARIANT(writer.used == tile->width * (size_t)HASH_SIZE);
    INVARIANT(load_u64(written) == tile->index << TILE_HEIGHT);
}

/* Each tile that the newer log has and the older has not, once and in order. */
static void check_walk(struct slice input)
{
    struct tile tile, last = {0, 0, 0};
    struct tiles_walk walk;
    uint64_t older, newer;

    if (input.size < 16)
        return;
    older = load_u64(input.data) % (TREE_SIZE_MAX + 1);
    newer = load_u64(input.data + 8) % (TREE_SIZE_MAX - older + 1) + older;
    tiles_walk_init(&walk, older, newer);
    for (int left = FUZZ_TILES_MAX; left > 0; left--) {
        if (!tiles_walk_next(&walk, &tile))
            return;
        INVARIANT(tile.width == tiles_width(newer, tile.level, tile.index));
        INVARIANT(tile.width > tiles_width(older, tile.level, tile.index));
        INVARIANT(last.width == 0 || tile.level == last.level
                      ? last.width == 0 || tile.index == last.index + 1
                      : last.level == TILE_ENTRIES || tile.level > last.level);
        check_tile(&tile);
        last = tile;
    }
}

static void check_bundle(struct slice input)
{
    struct writer writer = write_again();
    struct slice bundle = input, entry;
    enum status status;

    if (input.size > sizeof written)
        return;
    while ((status = tiles_bundle_next(&entry, &bundle)) == ST_OK)
        tiles_bundle_append(&writer, entry);
    INVARIANT(writer.status == ST_OK);
    INVARIANT(memcmp(written, input.data, writer.used) == 0);
    INVARIANT((status == ST_END) == (writer.used == input.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input;

    if (size < 1 || sodium_init() < 0)
        return 0;
    input = slice_of(data + 1, size - 1);
    switch (data[0] % 8) {
    case 0:
        check_note(input);
        break;
    case 1:
        check_key(input);
        break;
    case 2:
        check_policy(input);
        break;
    case 3:
        check_proof(input);
        break;
    case 4:
        check_request(input);
        break;
    case 5:
        check_path(input);
        break;
    case 6:
        check_bundle(input);
        break;
    case 7:
        check_walk(input);
        break;
    }
    return 0;
}
