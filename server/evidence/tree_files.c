#include "server/evidence/tree_files.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "replication/need.h"

/* Levels of the tree in one file's step. */
enum { FILES_STEP = 8, FILES_WIDTH = 1 << FILES_STEP };
static_assert(FILES_STEP * TREE_FILES_LEVELS >= 62, "all of the tree");
static_assert((int)TREE_FILES_OFFER_MAX >= (int)GROUP_ENTRIES_MAX,
              "a group is offered at once");

/*
 * A tree that grows, and what it adds to the files.
 * Invariant: pending hashes of a level follow those that are written.
 */
struct files_writer {
    struct tree tree;
    uint64_t first[TREE_FILES_LEVELS];
    size_t count[TREE_FILES_LEVELS];
    uint8_t hashes[TREE_FILES_LEVELS][FILES_WIDTH][HASH_SIZE];
};

struct tree_files {
    struct disk *disk;
    struct disk_file *levels[TREE_FILES_LEVELS];
    pthread_mutex_t lock; /* Guards writer. */
    struct files_writer writer;
    atomic_uint_fast64_t size; /* All hashes below are written. */
    atomic_bool damaged;
};

/* ---- Writing ------------------------------------------------------------ */

static void writer_begin(struct files_writer *writer, const struct tree *tree)
{
    writer->tree = *tree;
    for (unsigned i = 0; i < TREE_FILES_LEVELS; i++) {
        writer->first[i] = tree->size >> (FILES_STEP * i);
        writer->count[i] = 0;
    }
}

static void writer_add(struct files_writer *writer, unsigned file,
                       const uint8_t hash[HASH_SIZE])
{
    INVARIANT(writer->count[file] < FILES_WIDTH);
    memcpy(writer->hashes[file][writer->count[file]++], hash, HASH_SIZE);
}

/* As tree_append(), and each complete subtree of a level of the files is kept
 * where it comes by. */
static void writer_append(struct files_writer *writer,
                          const uint8_t leaf[HASH_SIZE])
{
    struct tree *tree = &writer->tree;
    uint8_t hash[HASH_SIZE];
    unsigned level = 0;

    REQUIRE(tree->size < TREE_SIZE_MAX);
    memcpy(hash, leaf, HASH_SIZE);
    writer_add(writer, 0, hash);
    for (uint64_t size = tree->size; (size & 1) != 0; size >>= 1) {
        tree_node_hash(hash, tree->hashes[level], hash);
        level++;
        if (level % FILES_STEP == 0)
            writer_add(writer, level / FILES_STEP, hash);
    }
    memcpy(tree->hashes[level], hash, HASH_SIZE);
    tree->size++;
}

/* What cannot be written is damage, to be mended later: the tree goes on. */
static void writer_flush(struct files_writer *writer, struct tree_files *files)
{
    for (unsigned i = 0; i < TREE_FILES_LEVELS; i++) {
        if (writer->count[i] == 0)
            continue;
        if (disk_write(files->levels[i], writer->hashes[i],
                       writer->count[i] * HASH_SIZE,
                       writer->first[i] * HASH_SIZE) != ST_OK)
            atomic_store(&files->damaged, true);
        writer->first[i] += writer->count[i];
        writer->count[i] = 0;
    }
}

/* With the lock held. */
static void files_publish(struct tree_files *files)
{
    writer_flush(&files->writer, files);
    atomic_store_explicit(&files->size, files->writer.tree.size,
                          memory_order_release);
}

/* ---- Reading ------------------------------------------------------------ */

static enum status files_read(void *context, uint8_t out[HASH_SIZE],
                              unsigned level, uint64_t index)
{
    struct tree_files *files = context;
    unsigned rest = level % FILES_STEP;
    size_t count = (size_t)1 << rest;
    uint8_t hashes[FILES_WIDTH / 2][HASH_SIZE];
    enum status status;

    REQUIRE(level / FILES_STEP < TREE_FILES_LEVELS);
    status = disk_read_all(files->levels[level / FILES_STEP], hashes,
                           count * HASH_SIZE, (index << rest) * HASH_SIZE);
    if (status == ST_OK)
        tree_root_of(out, (const uint8_t(*)[HASH_SIZE])hashes, count);
    return status;
}

struct tree_source tree_files_source(struct tree_files *files)
{
    return (struct tree_source){.context = files, .read = files_read};
}

/* The edge of the first ${size} entries, as the files have it. */
static enum status files_edge(struct tree_files *files, struct tree *out,
                              uint64_t size)
{
    enum status status = ST_OK;
    uint64_t end = size;

    out->size = size;
    for (unsigned level = 0; status == ST_OK && end > 0; level++) {
        if ((size >> level & 1) == 0)
            continue;
        end -= (uint64_t)1 << level;
        status = files_read(files, out->hashes[level], level, end >> level);
        /* What is left begins at 0 and is made of larger subtrees. */
    }
    return status;
}

uint64_t tree_files_size(const struct tree_files *files)
{
    return atomic_load_explicit(&files->size, memory_order_acquire);
}

void tree_files_edge(struct tree_files *files, struct tree *out)
{
    (void)pthread_mutex_lock(&files->lock);
    *out = files->writer.tree;
    (void)pthread_mutex_unlock(&files->lock);
}

enum status tree_files_root(struct tree_files *files, uint8_t out[HASH_SIZE],
                            uint64_t size)
{
    const struct tree_source source = tree_files_source(files);
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    uint8_t edge_root[HASH_SIZE];
    struct tree edge;
    struct tree tree;
    size_t count;
    enum status status;

    tree_files_edge(files, &edge);
    if (size > edge.size)
        return ST_NO_SUCH;
    tree_root(&edge, edge_root);
    status = files_edge(files, &tree, size);
    if (status != ST_OK)
        return status;
    tree_root(&tree, out);
    status = tree_consistency_make(proof, &count, &source, size, edge.size);
    if (status == ST_OK)
        status =
            tree_consistency_check(size, out, edge.size, edge_root,
                                   (const uint8_t(*)[HASH_SIZE])proof, count);
    return status;
}

/* ---- Opening ------------------------------------------------------------ */

static enum status open_level(struct tree_files *files, unsigned level)
{
    char name[DISK_NAME_SIZE_MAX];
    enum status status;

    (void)snprintf(name, sizeof name, TREE_FILES_DIRECTORY "/%02u", level);
    status = disk_open(files->disk, &files->levels[level], name);
    if (status == ST_NO_FILE)
        status = disk_create(files->disk, &files->levels[level], name);
    return status;
}

/* Whether the log's entry before the anchor is in the anchor's tree. */
static bool open_holds_entry(struct tree_files *files, struct journal *journal,
                             const struct tree_anchor *anchor)
{
    const struct tree_source source = tree_files_source(files);
    uint8_t *buffer = malloc(JOURNAL_READ_SIZE);
    uint8_t proof[PROOF_HASHES_MAX][HASH_SIZE];
    uint64_t index = anchor->size - 1;
    uint8_t leaf[HASH_SIZE];
    struct slice entry;
    size_t count;
    enum status status;

    NEED(buffer != NULL);
    status = journal_read_entry(journal, &entry, buffer, index);
    if (status == ST_OK) {
        entry_leaf_hash(leaf, entry);
        status =
            tree_inclusion_make(proof, &count, &source, index, anchor->size);
    }
    if (status == ST_OK)
        status =
            tree_inclusion_check(leaf, index, anchor->size, anchor->root,
                                 (const uint8_t(*)[HASH_SIZE])proof, count);
    free(buffer);
    return status == ST_OK;
}

/* Whether the files lead to the anchor's root, and it is this log's. */
static bool open_is_good(struct tree_files *files, struct tree *out,
                         struct journal *journal,
                         const struct tree_anchor *anchor)
{
    uint8_t root[HASH_SIZE];

    if (anchor->size == 0 || anchor->size > TREE_SIZE_MAX ||
        files_edge(files, out, anchor->size) != ST_OK)
        return false;
    tree_root(out, root);
    return memcmp(root, anchor->root, HASH_SIZE) == 0 &&
           open_holds_entry(files, journal, anchor);
}

/* What stands behind the tree is of another one, or of a crash. */
static enum status open_trim(struct tree_files *files)
{
    enum status status = ST_OK;

    for (unsigned i = 0; i < TREE_FILES_LEVELS && status == ST_OK; i++) {
        uint64_t wanted = files->writer.first[i] * HASH_SIZE;
        uint64_t size;

        status = disk_size(files->levels[i], &size);
        if (status == ST_OK && size > wanted)
            status = disk_truncate(files->levels[i], wanted);
    }
    return status;
}

enum status tree_files_open(struct tree_files **files_out, bool *anchored_out,
                            struct disk *disk, struct journal *journal,
                            const struct tree_anchor *anchor)
{
    struct tree tree;
    struct tree_files *files = calloc(1, sizeof *files);
    enum status status;

    NEED(files != NULL);
    NEED(pthread_mutex_init(&files->lock, NULL) == 0);
    files->disk = disk;
    status = disk_make_directory(disk, TREE_FILES_DIRECTORY);
    for (unsigned i = 0; i < TREE_FILES_LEVELS && status == ST_OK; i++)
        status = open_level(files, i);
    if (status != ST_OK)
        goto fail;
    *anchored_out = open_is_good(files, &tree, journal, anchor);
    if (!*anchored_out)
        tree_init(&tree);
    writer_begin(&files->writer, &tree);
    atomic_store(&files->size, tree.size);
    status = open_trim(files);
    if (status != ST_OK)
        goto fail;
    *files_out = files;
    return ST_OK;
fail:
    tree_files_close(files);
    ENSURE(status != ST_OK);
    return status;
}

void tree_files_close(struct tree_files *files)
{
    if (files == NULL)
        return;
    for (unsigned i = 0; i < TREE_FILES_LEVELS; i++)
        disk_close(files->levels[i]);
    (void)pthread_mutex_destroy(&files->lock);
    free(files);
}

/* ---- Growing ------------------------------------------------------------ */

void tree_files_offer(struct tree_files *files, uint64_t first,
                      const uint8_t (*leaves)[HASH_SIZE], size_t count)
{
    REQUIRE(count <= TREE_FILES_OFFER_MAX);
    if (pthread_mutex_trylock(&files->lock) != 0)
        return;
    if (files->writer.tree.size == first) {
        for (size_t i = 0; i < count; i++)
            writer_append(&files->writer, leaves[i]);
        files_publish(files);
    }
    (void)pthread_mutex_unlock(&files->lock);
}

/* The next leaf hashes of the log, at most FILES_WIDTH. */
static enum status read_leaves(struct journal_cursor *cursor,
                               uint8_t (*leaves)[HASH_SIZE], size_t *count_out,
                               uint64_t count_max)
{
    size_t count = 0;
    enum status status = ST_OK;
    struct slice entry;

    while (count < FILES_WIDTH && count < count_max) {
        status = journal_cursor_next(cursor, &entry);
        if (status != ST_OK)
            break;
        entry_leaf_hash(leaves[count++], entry);
    }
    *count_out = count;
    return status == ST_CHAIN_BROKEN ? ST_END : status;
}

enum status tree_files_catch_up(struct tree_files *files,
                                struct journal *journal, uint64_t size,
                                uint64_t count_max)
{
    uint64_t at = tree_files_size(files);
    struct journal_cursor *cursor;
    uint8_t leaves[FILES_WIDTH][HASH_SIZE];
    enum status status;
    size_t count = 1;

    if (at >= size)
        return ST_OK;
    if (size - at > count_max)
        size = at + count_max;
    status = journal_cursor_open(&cursor, journal, at);
    if (status != ST_OK)
        return status;
    while (status == ST_OK && at < size && count > 0) {
        status = read_leaves(cursor, leaves, &count, size - at);
        (void)pthread_mutex_lock(&files->lock);
        /* Else others were offered meanwhile: all the better. */
        if (files->writer.tree.size == at) {
            for (size_t i = 0; i < count; i++)
                writer_append(&files->writer, leaves[i]);
            files_publish(files);
            at += count;
        } else {
            at = size;
        }
        (void)pthread_mutex_unlock(&files->lock);
    }
    journal_cursor_close(cursor);
    return status;
}

/* ---- Mending ------------------------------------------------------------ */

bool tree_files_damaged(const struct tree_files *files)
{
    return atomic_load(&files->damaged);
}

void tree_files_doubt(struct tree_files *files)
{
    atomic_store(&files->damaged, true);
}

/* All hashes of the first ${size} entries, over what stands there. */
static enum status mend_to(struct tree_files *files,
                           struct files_writer *writer, struct journal *journal,
                           uint64_t size)
{
    uint8_t leaves[FILES_WIDTH][HASH_SIZE];
    struct journal_cursor *cursor;
    enum status status = journal_cursor_open(&cursor, journal, 0);
    size_t count;

    if (status != ST_OK)
        return status;
    while (status == ST_OK && writer->tree.size < size) {
        status = read_leaves(cursor, leaves, &count, size - writer->tree.size);
        for (size_t i = 0; i < count; i++)
            writer_append(writer, leaves[i]);
        writer_flush(writer, files);
    }
    journal_cursor_close(cursor);
    return status;
}

enum status tree_files_mend(struct tree_files *files, struct journal *journal)
{
    struct files_writer *writer = calloc(1, sizeof *writer);
    uint8_t expected[HASH_SIZE];
    uint8_t found[HASH_SIZE];
    struct tree tree;
    enum status status;

    NEED(writer != NULL);
    /* Before anything is written: what is found damaged from now on counts. */
    atomic_store(&files->damaged, false);
    tree_files_edge(files, &tree);
    tree_root(&tree, expected);
    writer_begin(writer, &(struct tree){.size = 0});
    status = mend_to(files, writer, journal, tree.size);
    if (status == ST_OK) {
        tree_root(&writer->tree, found);
        if (memcmp(expected, found, HASH_SIZE) != 0)
            status = ST_PROOF;
        else if (atomic_load(&files->damaged))
            status = ST_DISK_FAILED;
    }
    if (status != ST_OK)
        atomic_store(&files->damaged, true);
    free(writer);
    return status;
}
