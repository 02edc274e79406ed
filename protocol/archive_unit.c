#include "protocol/archive_unit.h"

#include <string.h>

#include <sodium.h>

#include "protocol/lines.h"
#include "protocol/note.h"

#define ARCHIVE_START "defter-archive-unit 1\n"
#define ARCHIVE_END   "end "

enum { ARCHIVE_END_SIZE = 4 + 2 * HASH_SIZE + 1 };

/* ---- Lines, read --------------------------------------------------------- */

/* Lines are taken one after the other; the first that is not as it should be
 * makes the rest worth nothing. */
struct archive_reader {
    struct slice text;
    bool is_bad;
};

static struct slice archive_take(struct archive_reader *reader,
                                 const char *label)
{
    struct slice line = slice_of("", 0);

    if (!reader->is_bad)
        reader->is_bad = lines_next(&line, &reader->text) != ST_OK ||
                         !lines_take(&line, label);
    return reader->is_bad ? slice_of("", 0) : line;
}

static uint64_t archive_take_number(struct archive_reader *reader,
                                    const char *label, uint64_t max)
{
    struct slice text = archive_take(reader, label);
    uint64_t value = 0;

    if (!reader->is_bad)
        reader->is_bad = lines_read_number(&value, text, max) != ST_OK;
    return reader->is_bad ? 0 : value;
}

static void archive_take_hex(struct archive_reader *reader, const char *label,
                             uint8_t *out, size_t size)
{
    struct slice text = archive_take(reader, label);

    if (!reader->is_bad)
        reader->is_bad = lines_read_hex(out, size, text) != ST_OK;
}

static void archive_take_categories(struct archive_reader *reader,
                                    struct archive_unit *unit, uint64_t entries)
{
    char label[] = "category 0 ";
    uint64_t left = entries;

    for (unsigned i = CATEGORY_MIN; i <= CATEGORY_MAX; i++) {
        label[sizeof label - 3] = (char)('0' + i);
        unit->categories[i] = archive_take_number(reader, label, left);
        left -= unit->categories[i];
    }
    reader->is_bad = reader->is_bad || left != 0;
}

static void archive_take_head(struct archive_reader *reader,
                              struct archive_unit *unit)
{
    uint64_t entries;

    if (!lines_take(&reader->text, ARCHIVE_START))
        reader->is_bad = true;
    unit->number = archive_take_number(reader, "number ", UINT64_MAX);
    archive_take_hex(reader, "cluster ", unit->cluster_id, CLUSTER_ID_SIZE);
    unit->origin = archive_take(reader, "origin ");
    archive_take_hex(reader, "authority ", unit->authority, PUBLIC_KEY_SIZE);
    unit->segment_size =
        (uint32_t)archive_take_number(reader, "segment ", UINT32_MAX);
    unit->first = archive_take_number(reader, "first ", TREE_SIZE_MAX - 1);
    unit->last = archive_take_number(reader, "last ", TREE_SIZE_MAX - 1);
    entries = archive_take_number(reader, "entries ", TREE_SIZE_MAX);
    unit->bytes = archive_take_number(reader, "bytes ", UINT64_MAX);
    unit->size = archive_take_number(reader, "size ", TREE_SIZE_MAX);
    archive_take_hex(reader, "leaf-before ", unit->leaf_before, HASH_SIZE);
    archive_take_hex(reader, "leaf-after ", unit->leaf_after, HASH_SIZE);
    archive_take_hex(reader, "root ", unit->root, HASH_SIZE);
    archive_take_categories(reader, unit, entries);
    if (unit->number == 0 || !note_name_valid(unit->origin) ||
        unit->first > unit->last || unit->last >= unit->size ||
        entries != unit->last - unit->first + 1 ||
        (unit->last >> TILE_HEIGHT) - (unit->first >> TILE_HEIGHT) >=
            ARCHIVE_BUNDLES_MAX)
        reader->is_bad = true;
}

/* ---- Files --------------------------------------------------------------- */

static bool archive_line_read(struct archive_line *line_out, struct slice line)
{
    struct slice hash, size;

    if (!lines_take(&line, "file ") || !lines_split(&hash, &line, ' ') ||
        lines_read_hex(line_out->hash, HASH_SIZE, hash) != ST_OK ||
        !lines_split(&size, &line, ' ') ||
        lines_read_number(&line_out->size, size, UINT64_MAX) != ST_OK)
        return false;
    line_out->path = line;
    return true;
}

bool archive_line_next(struct archive_line *line_out, struct slice *files)
{
    struct slice line;

    if (lines_next(&line, files) != ST_OK)
        return false;
    INVARIANT(archive_line_read(line_out, line));
    return true;
}

/* The lines are those of the unit's files, each once and in their order. */
static bool archive_files_valid(struct archive_unit *unit)
{
    struct slice left = unit->files, line;
    uint8_t bytes[ARCHIVE_PATH_SIZE_MAX];
    struct archive_file file;
    struct archive_line told;
    struct archive_walk walk;
    struct writer writer;

    archive_walk_init(&walk, unit);
    while (archive_walk_next(&walk, &file)) {
        writer_init(&writer, bytes, sizeof bytes);
        archive_path_write(&writer, &file);
        if (lines_next(&line, &left) != ST_OK ||
            !archive_line_read(&told, line) ||
            !slice_equal(told.path, writer_slice(&writer)) ||
            told.size > archive_size_max(file.kind))
            return false;
    }
    return left.size == 0;
}

/* It would stand behind the four that every unit has. */
static bool archive_policy_named(struct slice files)
{
    struct archive_line told;
    struct slice line;

    for (int i = 0; i <= ARCHIVE_POLICY; i++) {
        if (lines_next(&line, &files) != ST_OK ||
            !archive_line_read(&told, line))
            return false;
    }
    return lines_equal(told.path, "policy");
}

enum status archive_unit_read(struct archive_unit *unit_out, struct slice bytes)
{
    struct archive_reader reader = {.text = bytes};
    uint8_t expected[HASH_SIZE], actual[HASH_SIZE];
    struct slice end;

    memset(unit_out, 0, sizeof *unit_out);
    if (bytes.size > ARCHIVE_MANIFEST_SIZE_MAX)
        return ST_TOO_LARGE;
    if (bytes.size < ARCHIVE_END_SIZE || bytes.data[bytes.size - 1] != '\n')
        return ST_FILE_FORMAT;
    end = slice_of(bytes.data + bytes.size - ARCHIVE_END_SIZE,
                   ARCHIVE_END_SIZE - 1);
    reader.text.size -= ARCHIVE_END_SIZE;
    if (!lines_take(&end, ARCHIVE_END) ||
        lines_read_hex(expected, HASH_SIZE, end) != ST_OK)
        return ST_FILE_FORMAT;
    crypto_hash_sha256(actual, reader.text.data, reader.text.size);
    if (memcmp(expected, actual, HASH_SIZE) != 0)
        return ST_CHECKSUM;
    archive_take_head(&reader, unit_out);
    if (reader.is_bad)
        return ST_FILE_FORMAT;
    unit_out->files = reader.text;
    unit_out->has_policy = archive_policy_named(reader.text);
    return archive_files_valid(unit_out) ? ST_OK : ST_FILE_FORMAT;
}

/* ---- Lines, written ------------------------------------------------------ */

static void archive_put_number(struct writer *writer, const char *label,
                               uint64_t value)
{
    lines_write(writer, label);
    lines_write_number(writer, value);
    lines_write(writer, "\n");
}

static void archive_put_hex(struct writer *writer, const char *label,
                            const uint8_t *bytes, size_t size)
{
    lines_write(writer, label);
    lines_write_hex(writer, bytes, size);
    lines_write(writer, "\n");
}

void archive_unit_write(struct writer *writer, const struct archive_unit *unit)
{
    char label[] = "category 0 ";

    REQUIRE(unit->number > 0 && unit->first <= unit->last);
    REQUIRE(unit->last < unit->size && unit->size <= TREE_SIZE_MAX);
    REQUIRE(note_name_valid(unit->origin));
    lines_write(writer, ARCHIVE_START);
    archive_put_number(writer, "number ", unit->number);
    archive_put_hex(writer, "cluster ", unit->cluster_id, CLUSTER_ID_SIZE);
    lines_write(writer, "origin ");
    writer_bytes(writer, unit->origin.data, unit->origin.size);
    lines_write(writer, "\n");
    archive_put_hex(writer, "authority ", unit->authority, PUBLIC_KEY_SIZE);
    archive_put_number(writer, "segment ", unit->segment_size);
    archive_put_number(writer, "first ", unit->first);
    archive_put_number(writer, "last ", unit->last);
    archive_put_number(writer, "entries ", unit->last - unit->first + 1);
    archive_put_number(writer, "bytes ", unit->bytes);
    archive_put_number(writer, "size ", unit->size);
    archive_put_hex(writer, "leaf-before ", unit->leaf_before, HASH_SIZE);
    archive_put_hex(writer, "leaf-after ", unit->leaf_after, HASH_SIZE);
    archive_put_hex(writer, "root ", unit->root, HASH_SIZE);
    for (unsigned i = CATEGORY_MIN; i <= CATEGORY_MAX; i++) {
        label[sizeof label - 3] = (char)('0' + i);
        archive_put_number(writer, label, unit->categories[i]);
    }
}

void archive_line_write(struct writer *writer, const struct archive_line *line)
{
    lines_write(writer, "file ");
    lines_write_hex(writer, line->hash, HASH_SIZE);
    lines_write(writer, " ");
    lines_write_number(writer, line->size);
    lines_write(writer, " ");
    writer_bytes(writer, line->path.data, line->path.size);
    lines_write(writer, "\n");
}

void archive_end_write(struct writer *writer)
{
    struct slice before = writer_slice(writer);
    uint8_t hash[HASH_SIZE];

    crypto_hash_sha256(hash, before.data, before.size);
    archive_put_hex(writer, ARCHIVE_END, hash, HASH_SIZE);
}
