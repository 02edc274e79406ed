#include "replication/halt.h"
#include "replication/need.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static const uint8_t halt_magic[8] = "DFTHALT";

static const char halt_directory[] = "divergent";

const char *halt_text(uint32_t cause)
{
    switch ((enum replica_halt)cause) {
    case HALT_NONE:
        return "for no reason";
    case HALT_COMMITTED_CONFLICT:
        return "there are two histories of committed entries";
    case HALT_LINEAGE:
        return "a node of this cluster has another history";
    case HALT_EQUIVOCATION:
        return "there are two certificates of one number";
    case HALT_REPLAY:
        return "an entry does not apply here";
    case HALT_KEYS:
        return "one number stands for two seal keys";
    case HALT_TAIL:
        return "what it inherited is damaged, and no other node has it";
    case HALT_KEPT:
        break;
    }
    return "an earlier start did, and nobody knows why";
}

/* ---- Bytes -------------------------------------------------------------- */

static void halt_sum(uint8_t out[HALT_SUM_SIZE], const uint8_t *data,
                     size_t size)
{
    uint8_t hash[HASH_SIZE];
    const int result =
        crypto_generichash(hash, sizeof hash, data, size, NULL, 0);

    ENSURE(result == 0);
    memcpy(out, hash, HALT_SUM_SIZE);
}

size_t halt_encode(uint8_t *out, const struct halt_note *note)
{
    uint8_t sum[HALT_SUM_SIZE];
    struct writer writer;

    REQUIRE(note->cause != 0);
    REQUIRE(note->evidence.size <= HALT_EVIDENCE_SIZE_MAX);
    writer_init(&writer, out, HALT_SIZE_MAX);
    writer_bytes(&writer, halt_magic, sizeof halt_magic);
    writer_u32(&writer, note->cause);
    writer_u32(&writer, (uint32_t)note->evidence.size);
    writer_u64(&writer, note->index);
    writer_i64(&writer, note->time_us);
    INVARIANT(writer.used == HALT_FIXED_SIZE);
    if (note->evidence.size > 0)
        writer_bytes(&writer, note->evidence.data, note->evidence.size);
    halt_sum(sum, out, writer.used);
    writer_bytes(&writer, sum, sizeof sum);
    ENSURE(writer.status == ST_OK);
    return writer.used;
}

enum status halt_decode(struct halt_note *out, struct slice input)
{
    uint8_t sum[HALT_SUM_SIZE];
    struct reader reader;
    uint32_t size;

    memset(out, 0, sizeof *out);
    if (input.size < HALT_FIXED_SIZE + HALT_SUM_SIZE ||
        input.size > HALT_SIZE_MAX ||
        memcmp(input.data, halt_magic, sizeof halt_magic) != 0)
        return ST_FILE_FORMAT;
    halt_sum(sum, input.data, input.size - HALT_SUM_SIZE);
    if (memcmp(sum, input.data + input.size - HALT_SUM_SIZE, sizeof sum) != 0)
        return ST_CHECKSUM;
    reader_init(&reader,
                slice_of(input.data + sizeof halt_magic,
                         input.size - sizeof halt_magic - HALT_SUM_SIZE));
    out->cause = reader_u32(&reader);
    size = reader_u32(&reader);
    out->index = reader_u64(&reader);
    out->time_us = reader_i64(&reader);
    out->evidence = reader_bytes(&reader, reader_left(&reader));
    if (reader_end(&reader) != ST_OK || out->evidence.size != size ||
        out->cause == 0)
        return ST_FILE_FORMAT;
    return ST_OK;
}

/* ---- The file ----------------------------------------------------------- */

enum status halt_load(struct halt_note *out, uint8_t *buffer, struct disk *disk)
{
    struct disk_file *file;
    enum status status = disk_open(disk, &file, HALT_FILE);
    size_t size;

    memset(out, 0, sizeof *out);
    if (status != ST_OK)
        return status;
    status = disk_read(file, &size, buffer, HALT_SIZE_MAX + 1, 0);
    disk_close(file);
    if (status != ST_OK)
        return status;
    return halt_decode(out, slice_of(buffer, size));
}

enum status halt_cause(uint32_t *cause_out, struct disk *disk)
{
    uint8_t *bytes = malloc(HALT_SIZE_MAX + 1);
    struct halt_note note;
    enum status status;

    NEED(bytes != NULL);
    status = halt_load(&note, bytes, disk);
    free(bytes);
    *cause_out = status == ST_OK        ? note.cause
                 : status == ST_NO_FILE ? 0
                                        : UINT32_MAX;
    return status == ST_DISK_FAILED ? status : ST_OK;
}

enum status halt_keep(struct disk *disk, const struct halt_note *note)
{
    uint8_t *bytes = malloc(HALT_SIZE_MAX + 1);
    struct halt_note kept;
    enum status status;

    NEED(bytes != NULL);
    status = halt_load(&kept, bytes, disk);
    if (status == ST_NO_FILE || status == ST_FILE_FORMAT ||
        status == ST_CHECKSUM)
        status =
            disk_replace(disk, HALT_FILE, "", bytes, halt_encode(bytes, note));
    free(bytes);
    return status;
}

/* The number behind "halted-"; no disk holds so many that it is too large. */
static void halt_visit(void *context, const char *name)
{
    static const char prefix[] = HALT_FILE "-";
    uint64_t *next = context;
    uint64_t number = 0;

    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return;
    for (const char *at = name + sizeof prefix - 1; *at >= '0' && *at <= '9';
         at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (number >= *next && number < UINT64_MAX / 2)
        *next = number + 1;
}

enum status halt_clear(struct disk *disk, char *name_out)
{
    uint64_t number = 1;
    struct disk_file *file;
    enum status status = disk_open(disk, &file, HALT_FILE);

    if (status != ST_OK)
        return status;
    disk_close(file);
    status = disk_list(disk, halt_directory, &number, halt_visit);
    if (status == ST_NO_FILE)
        status = disk_make_directory(disk, halt_directory);
    (void)snprintf(name_out, DISK_NAME_SIZE_MAX, "%s/" HALT_FILE "-%" PRIu64,
                   halt_directory, number);
    if (status == ST_OK)
        status = disk_rename(disk, HALT_FILE, name_out);
    if (status == ST_OK)
        status = disk_sync_directory(disk, halt_directory);
    if (status == ST_OK)
        status = disk_sync_directory(disk, "");
    return status;
}
