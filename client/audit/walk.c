#include "client/audit/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/entry.h"
#include "protocol/files.h"

enum {
    WALK_DIGITS = 20,
    WALK_ROOM_MIN = 64,
    WALK_ZEROS_SIZE = 64 * 1024,
    WALK_ENTRY_INDEX = 8 /* Offset of an entry's index. */
};
/* Bytes hashed in search of a good frame behind a damage, at most: whoever
 * makes a file of plausible lengths shall not keep us for days. */
#define WALK_SEARCH_SIZE_MAX (UINT64_C(1) << 30)
/* As far ahead of its place an index is believed in that search. */
#define WALK_SEARCH_INDEX_MAX (UINT64_C(1) << 32)

struct walk {
    int directory;
    int file; /* Of segment ${at}; -1: not open. */
    uint64_t *firsts;
    uint32_t count;
    uint32_t at;
    uint64_t offset;
    uint64_t file_size;
    uint64_t limit; /* The segment's size, or the file's if it is less. */
    uint64_t left;  /* Unused bytes of the segment before. */
    uint64_t size;
    uint64_t passed;
};

/* ---- The list of files ----------------------------------------------------
 */

static bool walk_parse(uint64_t *first_out, const char *name)
{
    uint64_t first = 0;

    for (int i = 0; i < WALK_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(name[i] - '0');
        if (first > (UINT64_MAX - digit) / 10)
            return false;
        first = first * 10 + digit;
    }
    *first_out = first;
    return strcmp(name + WALK_DIGITS, ".seg") == 0;
}

static int walk_compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

static enum status walk_add(struct walk *walk, size_t *room, uint64_t first)
{
    uint64_t *firsts = walk->firsts;

    if (walk->count == SEGMENTS_MAX)
        return ST_TOO_LARGE;
    if (walk->count == *room) {
        *room = *room == 0 ? WALK_ROOM_MIN : *room * 2;
        firsts = reallocarray(firsts, *room, sizeof *firsts);
    }
    if (firsts == NULL)
        return ST_EXHAUSTED;
    walk->firsts = firsts;
    walk->firsts[walk->count++] = first;
    return ST_OK;
}

/* The names in walk->directory; other files are no part of the log. */
static enum status walk_list(struct walk *walk)
{
    int copy = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *name;
    enum status status = ST_OK;
    size_t room = 0;

    if (names == NULL) {
        status = errno == ENOMEM ? ST_EXHAUSTED : ST_DISK_FAILED;
        if (copy >= 0)
            close(copy);
        return status;
    }
    while (status == ST_OK && (name = readdir(names)) != NULL) {
        uint64_t first;

        if (walk_parse(&first, name->d_name))
            status = walk_add(walk, &room, first);
    }
    closedir(names);
    if (status != ST_OK)
        return status;
    if (walk->count == 0)
        return ST_NO_FILE;
    qsort(walk->firsts, walk->count, sizeof *walk->firsts, walk_compare);
    return ST_OK;
}

void walk_name(const struct walk *walk, char out[WALK_NAME_SIZE],
               uint32_t segment)
{
    REQUIRE(segment < walk->count);
    (void)snprintf(out, WALK_NAME_SIZE, "%020" PRIu64 ".seg",
                   walk->firsts[segment]);
}

static void walk_measure(struct walk *walk)
{
    char name[WALK_NAME_SIZE];
    struct stat about;

    for (uint32_t i = 0; i < walk->count; i++) {
        walk_name(walk, name, i);
        if (fstatat(walk->directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            about.st_size > 0)
            walk->size += (uint64_t)about.st_size;
    }
}

enum status walk_open(struct walk **walk_out, const char *directory)
{
    struct walk *walk = calloc(1, sizeof *walk);
    enum status status;
    int inner;

    if (walk == NULL)
        return ST_EXHAUSTED;
    walk->file = -1;
    walk->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (walk->directory < 0) {
        status =
            errno == ENOENT || errno == ENOTDIR ? ST_NO_FILE : ST_DISK_FAILED;
        goto fail;
    }
    inner = openat(walk->directory, FILE_LOG_DIR,
                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (inner >= 0) {
        close(walk->directory);
        walk->directory = inner;
    } else if (errno != ENOENT && errno != ENOTDIR) {
        status = ST_DISK_FAILED;
        goto fail;
    }
    status = walk_list(walk);
    if (status != ST_OK)
        goto fail;
    walk_measure(walk);
    *walk_out = walk;
    return ST_OK;

fail:
    walk_close(walk);
    return status;
}

void walk_close(struct walk *walk)
{
    if (walk == NULL)
        return;
    if (walk->file >= 0)
        close(walk->file);
    if (walk->directory >= 0)
        close(walk->directory);
    free(walk->firsts);
    free(walk);
}

uint32_t walk_segments_count(const struct walk *walk)
{
    return walk->count;
}

uint64_t walk_size(const struct walk *walk)
{
    return walk->size;
}

uint64_t walk_passed(const struct walk *walk)
{
    return walk->passed + walk->offset;
}

enum status walk_batch_room(struct walk_batch *batch)
{
    batch->bytes = malloc(batch->size);
    batch->frames =
        reallocarray(NULL, batch->frames_max, sizeof *batch->frames);
    return batch->bytes != NULL && batch->frames != NULL ? ST_OK : ST_EXHAUSTED;
}

enum status walk_batch_open(struct walk_batch *batch, const struct walk *walk)
{
    const size_t least = segment_frame_size(ENTRY_FIXED_SIZE);

    memset(batch, 0, sizeof *batch);
    batch->size = WALK_BATCH_SIZE;
    if (walk->size < batch->size)
        batch->size = (size_t)walk->size;
    /* Files may grow under our hands, and any frame must fit. */
    if (batch->size < segment_frame_size(ENTRY_SIZE_MAX))
        batch->size = segment_frame_size(ENTRY_SIZE_MAX);
    batch->frames_max = batch->size / least;
    return walk_batch_room(batch);
}

void walk_batch_close(struct walk_batch *batch)
{
    free(batch->bytes);
    free(batch->frames);
    memset(batch, 0, sizeof *batch);
}

/* ---- Reading --------------------------------------------------------------
 */

/* Fewer bytes than asked for at the end of the file; false if it fails. */
static bool walk_read(int file, uint8_t *out, size_t *size_out, size_t size,
                      uint64_t offset)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got =
            pread(file, out + used, size - used, (off_t)(offset + used));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    *size_out = used;
    return true;
}

static void walk_end(struct walk *walk, struct walk_batch *batch,
                     enum walk_stop stop, uint64_t offset)
{
    batch->stop = stop;
    batch->stop_place = (struct walk_place){walk->at, offset};
}

static int walk_open_file(const struct walk *walk, uint32_t segment,
                          uint64_t *size_out)
{
    char name[WALK_NAME_SIZE];
    struct stat about;
    int file;

    walk_name(walk, name, segment);
    file = openat(walk->directory, name,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file >= 0 && (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))) {
        close(file);
        file = -1;
    }
    if (file >= 0) {
        *size_out = (uint64_t)about.st_size;
        (void)posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return file;
}

/* Opens the next segment; false if the batch has a reason to stop. */
static bool walk_begin(struct walk *walk, struct walk_batch *batch)
{
    size_t got;
    enum status status;

    walk->offset = 0;
    walk->file = walk_open_file(walk, walk->at, &walk->file_size);
    if (walk->file < 0 ||
        !walk_read(walk->file, batch->bytes, &got, SEGMENT_HEADER_SIZE, 0)) {
        walk_end(walk, batch, WALK_UNREADABLE, 0);
        return false;
    }
    if (got < SEGMENT_HEADER_SIZE) {
        walk_end(walk, batch, WALK_TRUNCATED, got);
        return false;
    }
    status = segment_header_decode(&batch->header, slice_of(batch->bytes, got));
    if (status != ST_OK) {
        walk_end(walk, batch, WALK_HEADER, 0);
        return false;
    }
    if (walk->file_size > batch->header.segment_size) {
        walk_end(walk, batch, WALK_TOO_LONG, batch->header.segment_size);
        return false;
    }
    batch->begins = true;
    batch->named = walk->firsts[walk->at];
    batch->left_before = walk->left;
    walk->limit = batch->header.segment_size;
    walk->offset = SEGMENT_HEADER_SIZE;
    return true;
}

/* The first byte from ${offset} on that is not zero; ${limit} if none. */
static bool walk_zeros(int file, uint64_t *end_out, uint64_t offset,
                       uint64_t limit)
{
    uint8_t bytes[WALK_ZEROS_SIZE];
    size_t got;

    while (offset < limit) {
        size_t want = limit - offset < sizeof bytes ? (size_t)(limit - offset)
                                                    : sizeof bytes;

        if (!walk_read(file, bytes, &got, want, offset) || got == 0)
            return false;
        if (bytes[0] != 0 || memcmp(bytes, bytes + 1, got - 1) != 0) {
            for (size_t i = 0; i < got; i++) {
                if (bytes[i] != 0) {
                    *end_out = offset + i;
                    return true;
                }
            }
        }
        offset += got;
    }
    *end_out = limit;
    return true;
}

/* No more frames begin in this segment: what is left must be zeros. */
static void walk_leave(struct walk *walk, struct walk_batch *batch)
{
    uint64_t end = 0;

    if (!walk_zeros(walk->file, &end, walk->offset, walk->file_size)) {
        walk_end(walk, batch, WALK_UNREADABLE, walk->offset);
        return;
    }
    if (end != walk->file_size) {
        walk_end(walk, batch, WALK_NOT_ZERO, end);
        return;
    }
    if (walk->file_size < walk->limit) {
        walk_end(walk, batch, WALK_TRUNCATED, walk->file_size);
        return;
    }
    close(walk->file);
    walk->file = -1;
    walk->left = walk->limit - walk->offset;
    walk->passed += walk->file_size;
    walk_end(walk, batch, WALK_MORE, walk->offset);
    walk->offset = 0;
    walk->at++;
    if (walk->at == walk->count) {
        walk->at--;
        batch->stop = WALK_DONE;
    }
}

/* Takes the frame at ${used} of ${got} bytes that were read; false if there is
 * none, or not all of it. */
static bool walk_take(struct walk *walk, struct walk_batch *batch, size_t *used,
                      size_t got)
{
    const uint8_t *at = batch->bytes + *used;
    const uint64_t left = walk->file_size - walk->offset;
    const size_t here = got - *used;
    size_t size;

    if (left < SEGMENT_FRAME_HEADER_SIZE ||
        (here >= SEGMENT_FRAME_HEADER_SIZE && load_u32(at) == 0)) {
        walk_leave(walk, batch);
        return false;
    }
    if (here < SEGMENT_FRAME_HEADER_SIZE)
        return false;
    size = load_u32(at);
    if (size < ENTRY_FIXED_SIZE || size > ENTRY_SIZE_MAX ||
        load_u32(at + 4) != 0) {
        walk_end(walk, batch, WALK_FRAME, walk->offset);
        return false;
    }
    size = segment_frame_size(size);
    if (size > left) {
        walk_end(walk, batch,
                 walk->file_size < walk->limit ? WALK_TRUNCATED : WALK_FRAME,
                 walk->offset);
        return false;
    }
    if (size > here)
        return false;
    INVARIANT(batch->frames_count < batch->frames_max);
    batch->frames[batch->frames_count++] = (struct walk_frame){
        .bytes = slice_of(at, size), .place = {walk->at, walk->offset}};
    *used += size;
    walk->offset += size;
    return true;
}

void walk_next(struct walk *walk, struct walk_batch *batch)
{
    size_t got = 0, used = 0, want = batch->size;

    batch->frames_count = 0;
    batch->begins = false;
    batch->stop = WALK_MORE;
    if (walk->file < 0 && !walk_begin(walk, batch))
        return;
    if (walk->file_size - walk->offset < want)
        want = (size_t)(walk->file_size - walk->offset);
    if (!walk_read(walk->file, batch->bytes, &got, want, walk->offset) ||
        got < want) {
        walk_end(walk, batch, WALK_UNREADABLE, walk->offset);
        return;
    }
    while (walk_take(walk, batch, &used, got))
        continue;
}

/* ---- Behind a damage ------------------------------------------------------
 */

static bool walk_plausible(const uint8_t *frame, uint64_t index)
{
    const uint8_t *entry = frame + SEGMENT_FRAME_HEADER_SIZE;
    uint64_t found = load_u64(entry + WALK_ENTRY_INDEX);

    return load_u32(frame + 4) == 0 && load_u16(entry) == ENTRY_VERSION &&
           found >= index && found - index < WALK_SEARCH_INDEX_MAX;
}

/* A good frame in the bytes; those of a frame cut by their end do not count.
 * ${*budget} falls by what is hashed; an empty one counts as found. */
static bool walk_search(struct slice bytes, uint64_t index, uint64_t *budget)
{
    for (size_t at = 0; at + ENTRY_FIXED_SIZE < bytes.size; at++) {
        struct slice entry, rest = slice_of(bytes.data + at, bytes.size - at);
        uint32_t size = load_u32(rest.data);

        if (size < ENTRY_FIXED_SIZE || size > ENTRY_SIZE_MAX ||
            !walk_plausible(rest.data, index))
            continue;
        if (*budget < size)
            return true;
        *budget -= size;
        if (segment_frame_decode(&entry, rest) == ST_OK)
            return true;
    }
    return false;
}

enum status walk_goes_on(struct walk *walk, bool *goes_on_out,
                         struct walk_place place, uint64_t index)
{
    enum { OVERLAP = ENTRY_SIZE_MAX + 16 };
    uint64_t size = 0, budget = WALK_SEARCH_SIZE_MAX;
    size_t room = WALK_BATCH_SIZE;
    uint8_t *bytes;
    int file;

    *goes_on_out = place.segment + 1 < walk->count;
    if (*goes_on_out)
        return ST_OK;
    file = walk_open_file(walk, place.segment, &size);
    if (size <= place.offset)
        room = 1;
    else if (size - place.offset < room)
        room = (size_t)(size - place.offset);
    bytes = malloc(room);
    for (uint64_t at = place.offset;
         bytes != NULL && file >= 0 && !*goes_on_out && at < size;) {
        size_t got;

        if (!walk_read(file, bytes, &got, room, at))
            break;
        *goes_on_out = walk_search(slice_of(bytes, got), index, &budget);
        if (got < WALK_BATCH_SIZE)
            break;
        at += WALK_BATCH_SIZE - OVERLAP;
    }
    if (file >= 0)
        close(file);
    if (bytes == NULL)
        return ST_EXHAUSTED;
    free(bytes);
    return ST_OK;
}
