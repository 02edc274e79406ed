/* fuzz-runs: 100
 * ctest-timeout: 300
 *
 * fz_audit.c: a log directory as anybody may have written it.  The verifier
 * says something about it, and a report can be written.
 *
 * The first byte steers: bit 0, the rest is the whole file, otherwise it
 * follows a good genesis as entries of u16 size and bytes; bit 1, they are made
 * to fit: checksums, index, previous and the commitments of open items, so that
 * what they say is judged as well.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "protocol/segment.h"
#include "tests/lib/signed_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FUZZ_SEGMENT_SIZE = SEGMENT_HEADER_SIZE + 64 * 1024,
    FUZZ_WHOLE = 1,
    FUZZ_FIT = 2,
    FUZZ_INDEX = 8,
    FUZZ_PREVIOUS = 24
};

static char directory[] = "/tmp/defter-fuzz-XXXXXX";
static char path[64];
static struct signed_log genesis;
static uint8_t file[FUZZ_SEGMENT_SIZE];

static void end(void)
{
    (void)unlink(path);
    (void)rmdir(directory);
}

static void begin(void)
{
    static bool begun;

    if (begun)
        return;
    begun = true;
    if (sodium_init() < 0 || mkdtemp(directory) == NULL)
        abort();
    (void)snprintf(path, sizeof path, "%s/%020d.seg", directory, 0);
    (void)atexit(end);
    signed_log_init(&genesis);
}

/* Commitments of open items as their data want them. */
static void fit_items(uint8_t *entry, size_t size)
{
    struct reader reader;
    struct item item;

    reader_init(&reader,
                slice_of(entry + ENTRY_FIXED_SIZE, size - ENTRY_FIXED_SIZE));
    while (reader_left(&reader) > 0 && item_take(&item, &reader) == ST_OK) {
        if (item.seal_key == 0)
            item_commitment(entry + (item.commitment - entry), item.data);
    }
}

static size_t put(size_t used, const uint8_t *bytes, size_t size)
{
    segment_frame_encode(file + used, slice_of(bytes, size));
    return used + segment_frame_size(size);
}

static void fill(const uint8_t *data, size_t size, bool fit)
{
    static uint8_t entry[ENTRY_SIZE_MAX];
    struct segment_header header = {.segment_size = FUZZ_SEGMENT_SIZE};
    uint8_t leaf[HASH_SIZE];
    uint64_t index = genesis.count;
    size_t used = SEGMENT_HEADER_SIZE;

    segment_header_encode(file, &header);
    for (size_t i = 0; i < genesis.count; i++)
        used = put(used, genesis.entries[i].bytes, genesis.entries[i].size);
    memcpy(leaf, genesis.leaf, HASH_SIZE);
    while (size > 2) {
        size_t length = load_u16(data);

        data += 2;
        size -= 2;
        length = length < size ? length : size;
        if (length > ENTRY_SIZE_MAX || length == 0 ||
            segment_frame_size(length) > FUZZ_SEGMENT_SIZE - used)
            break;
        memcpy(entry, data, length);
        if (fit && length >= ENTRY_FIXED_SIZE) {
            store_u64(entry + FUZZ_INDEX, index++);
            memcpy(entry + FUZZ_PREVIOUS, leaf, HASH_SIZE);
            fit_items(entry, length);
            entry_leaf_hash(leaf, slice_of(entry, length));
        }
        used = put(used, entry, length);
        data += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct verify_options options = {
        .directory = directory, .no_signatures = true, .threads = 1};
    struct report report;
    uint8_t steer;
    int out;

    if (size == 0)
        return 0;
    begin();
    steer = data[0];
    memset(file, 0, sizeof file);
    if ((steer & FUZZ_WHOLE) != 0)
        memcpy(file, data + 1, size - 1 < sizeof file ? size - 1 : sizeof file);
    else
        fill(data + 1, size - 1, (steer & FUZZ_FIT) != 0);
    out = open(path, O_WRONLY | O_CREAT, 0600);
    if (out < 0 || pwrite(out, file, sizeof file, 0) != sizeof file)
        abort();
    close(out);

    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL || verify_log(&report, &options) != ST_OK ||
        report.verdict == REPORT_GOOD) /* Nothing covers its end. */
        abort();
    report_write_text(&report, nowhere);
    report_write_json(&report, nowhere);
    return 0;
}
