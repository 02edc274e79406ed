#include "protocol/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/audit/walk.h"
#include "client/program/file.h"
#include "client/program/program.h"
#include "client/program/say.h"
#include "protocol/entry.h"
#include "protocol/tree.h"

/* Which entries are shown, and whether whole. */
struct range {
    uint64_t from;
    uint64_t left;
    bool full;
    bool refused; /* Something that was shown is not as it has to be. */
};

static void write_line(void *context, struct slice name, struct slice value)
{
    (void)context;
    printf("  %.*s: ", (int)name.size, (const char *)name.data);
    say_text(stdout, value, false);
    putchar('\n');
}

static void show_entry(struct range *range, struct slice bytes,
                       const char *where, uint64_t offset)
{
    uint8_t leaf[HASH_SIZE];
    struct dump dump;
    struct entry entry;

    if (entry_view(&entry, bytes) != ST_OK)
        range->refused = true;
    printf("%s %" PRIu64 "\n", where, offset);
    dump_init(&dump, NULL, write_line);
    dump.full = range->full;
    dump_entry(&dump, bytes);
    tree_leaf_hash(leaf, bytes);
    dump_hex(&dump, "leaf", leaf, HASH_SIZE);
}

/* False when enough was shown. */
static bool show_frame(struct range *range, const struct walk_frame *frame,
                       const char *name)
{
    struct slice bytes;
    struct entry entry;
    enum status status = segment_frame_decode(&bytes, frame->bytes);

    if (status != ST_OK) {
        range->refused = true;
        printf("%s %" PRIu64 "\n  error: %s\n", name, frame->place.offset,
               status_info(status)->english);
        bytes = slice_of(frame->bytes.data + SEGMENT_FRAME_HEADER_SIZE,
                         frame->bytes.size - SEGMENT_FRAME_HEADER_SIZE -
                             SEGMENT_FRAME_TRAILER_SIZE);
    }
    if (entry_view(&entry, bytes) == ST_OK && entry.place.index < range->from)
        return true;
    if (range->left == 0)
        return false;
    range->left--;
    show_entry(range, bytes, name, frame->place.offset);
    return true;
}

static int dump_log(struct walk *walk, struct range *range)
{
    struct walk_batch batch;
    char name[WALK_NAME_SIZE];
    bool more = true;

    if (walk_batch_open(&batch, walk) != ST_OK) {
        walk_batch_close(&batch);
        return program_fail(EXIT_USAGE, "out of memory");
    }
    do {
        walk_next(walk, &batch);
        for (size_t i = 0; more && i < batch.frames_count; i++) {
            walk_name(walk, name, batch.frames[i].place.segment);
            more = show_frame(range, &batch.frames[i], name);
        }
    } while (more && batch.stop == WALK_MORE);
    if (more && batch.stop != WALK_DONE) {
        walk_name(walk, name, batch.stop_place.segment);
        printf("%s %" PRIu64 "\n  error: no more entries can be read here\n",
               name, batch.stop_place.offset);
    }
    more = more && batch.stop != WALK_DONE;
    walk_batch_close(&batch);
    return more || range->refused ? EXIT_REFUSED : EXIT_GOOD;
}

/* One segment, wherever it lies, or the bytes of one entry (genesis.entry). */
static int dump_file(const char *path, struct range *range)
{
    uint8_t *bytes = malloc(SEGMENT_SIZE);
    struct segment_header header;
    size_t size, at = SEGMENT_HEADER_SIZE;
    enum status status;
    bool more = true;

    if (bytes == NULL)
        return program_fail(EXIT_USAGE, "out of memory");
    status = file_read(bytes, &size, path, SEGMENT_SIZE, false);
    if (status == ST_OK && size <= ENTRY_SIZE_MAX) {
        show_entry(range, slice_of(bytes, size), path, 0);
    } else if (status == ST_OK) {
        status = segment_header_decode(&header, slice_of(bytes, size));
        while (status == ST_OK && more) {
            struct walk_frame frame = {.place = {0, at}};
            struct slice entry;

            status =
                segment_frame_decode(&entry, slice_of(bytes + at, size - at));
            if (status != ST_OK)
                break;
            frame.bytes = slice_of(bytes + at, segment_frame_size(entry.size));
            more = show_frame(range, &frame, path);
            at += frame.bytes.size;
        }
        /* A full segment ends without a word of zeros. */
        if (status == ST_END ||
            (status == ST_AGAIN && size - at < SEGMENT_FRAME_HEADER_SIZE))
            status = ST_OK;
    }
    free(bytes);
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s, offset %zu: %s", path, at,
                            status_info(status)->english);
    return range->refused ? EXIT_REFUSED : EXIT_GOOD;
}

static bool take_number(uint64_t *out, const char *text)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

int dump_run(struct program *program, int argc, char **argv)
{
    struct range range = {.from = 0, .left = UINT64_MAX};
    struct stat about;
    struct walk *walk;
    enum status status;
    int code;

    (void)program;
    if (argc > 1 && strcmp(argv[1], "--full") == 0) {
        range.full = true;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    if (argc < 2 || argc > 4 ||
        (argc > 2 && !take_number(&range.from, argv[2])) ||
        (argc > 3 && !take_number(&range.left, argv[3])))
        return program_usage(argv[0]);
    if (stat(argv[1], &about) != 0)
        return program_fail(EXIT_USAGE, "%s: %s", argv[1], strerror(errno));
    if (S_ISREG(about.st_mode))
        return dump_file(argv[1], &range);
    if (!S_ISDIR(about.st_mode))
        return program_fail(EXIT_USAGE, "%s: neither a file nor a directory",
                            argv[1]);
    status = walk_open(&walk, argv[1]);
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", argv[1],
                            status == ST_NO_FILE
                                ? "no log lies there"
                                : status_info(status)->english);
    code = dump_log(walk, &range);
    walk_close(walk);
    return code;
}
