#include "server/evidence/evidence_state.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "server/evidence/checkpoint_files.h"

static const uint8_t state_magic[SLOTS_MAGIC_SIZE] = "DFTEVID";

static_assert((int)EVIDENCE_STATE_BODY_SIZE <= (int)SLOTS_BODY_SIZE_MAX,
              "a state fits its slot");

void evidence_state_origin(uint8_t out[HASH_SIZE], const char *origin)
{
    crypto_hash_sha256(out, (const uint8_t *)origin, strlen(origin));
}

/* ---- Bytes -------------------------------------------------------------- */

static void state_write_head(struct writer *writer,
                             const struct evidence_head *head)
{
    writer_u64(writer, head->size);
    writer_bytes(writer, head->root, HASH_SIZE);
    writer_u64(writer, (uint64_t)head->time_s);
}

void evidence_state_encode(uint8_t *out, const struct evidence_value *value)
{
    struct writer writer;

    writer_init(&writer, out, EVIDENCE_STATE_BODY_SIZE);
    writer_bytes(&writer, value->origin, HASH_SIZE);
    state_write_head(&writer, &value->signed_here);
    state_write_head(&writer, &value->witnessed);
    state_write_head(&writer, &value->cosigned);
    state_write_head(&writer, &value->seen);
    writer_u32(&writer, value->contradicted ? 1 : 0);
    writer_u32(&writer, 0);
    ENSURE(writer.status == ST_OK);
    ENSURE(writer.used == EVIDENCE_STATE_BODY_SIZE);
}

static bool state_read_head(struct reader *reader, struct evidence_head *out)
{
    out->size = reader_u64(reader);
    reader_copy(reader, out->root, HASH_SIZE);
    out->time_s = (int64_t)reader_u64(reader);
    return out->size > 0 ||
           (sodium_is_zero(out->root, HASH_SIZE) && out->time_s == 0);
}

enum status evidence_state_decode(struct evidence_value *out, struct slice body)
{
    struct reader reader;
    uint32_t contradicted;
    uint32_t reserved;
    bool good;

    reader_init(&reader, body);
    reader_copy(&reader, out->origin, HASH_SIZE);
    good = state_read_head(&reader, &out->signed_here);
    good = state_read_head(&reader, &out->witnessed) && good;
    good = state_read_head(&reader, &out->cosigned) && good;
    good = state_read_head(&reader, &out->seen) && good;
    contradicted = reader_u32(&reader);
    reserved = reader_u32(&reader);
    out->contradicted = contradicted != 0;
    if (reader_end(&reader) != ST_OK || !good || contradicted > 1 ||
        reserved != 0)
        return ST_FILE_FORMAT;
    return ST_OK;
}

/* ---- The file ----------------------------------------------------------- */

static enum status state_create(struct disk *disk,
                                const uint8_t origin[HASH_SIZE])
{
    struct evidence_value value = {.contradicted = false};
    uint8_t body[EVIDENCE_STATE_BODY_SIZE];

    memcpy(value.origin, origin, HASH_SIZE);
    evidence_state_encode(body, &value);
    return slots_create(disk, EVIDENCE_STATE_FILE, state_magic,
                        slice_of(body, sizeof body));
}

static enum status state_read(struct evidence_state *state, struct disk *disk)
{
    uint8_t body[SLOTS_BODY_SIZE_MAX];
    size_t body_size;
    enum status status = slots_open(&state->slots, body, &body_size, disk,
                                    EVIDENCE_STATE_FILE, state_magic);

    if (status == ST_OK)
        status =
            evidence_state_decode(&state->value, slice_of(body, body_size));
    if (status == ST_CHECKSUM || status == ST_FILE_FORMAT)
        status = ST_LOST;
    if (status != ST_OK)
        slots_close(&state->slots);
    return status;
}

/* The state last, because it says that there is something to be moved. */
static enum status state_set_aside(struct disk *disk,
                                   const uint8_t origin[HASH_SIZE])
{
    static const char *const names[] = {
        FILE_CHECKPOINT, FILE_CHECKPOINT_WITNESSED, FILE_CHECKPOINT_CONTRADICTS,
        EVIDENCE_STATE_FILE};
    enum status status = ST_OK;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char newer[DISK_NAME_SIZE_MAX];

        (void)snprintf(newer, sizeof newer, "%s.%02x%02x%02x%02x", names[i],
                       origin[0], origin[1], origin[2], origin[3]);
        status = disk_rename(disk, names[i], newer);
        if (status != ST_OK && status != ST_NO_FILE)
            return status;
    }
    return disk_sync_directory(disk, "");
}

enum status evidence_state_open(struct evidence_state *state, struct disk *disk,
                                const char *origin)
{
    uint8_t hash[HASH_SIZE];
    enum status status;

    *state = (struct evidence_state){.value = {.contradicted = false}};
    evidence_state_origin(hash, origin);
    status = state_read(state, disk);
    if (status == ST_OK && memcmp(state->value.origin, hash, HASH_SIZE) != 0) {
        slots_close(&state->slots);
        status = state_set_aside(disk, state->value.origin);
        if (status == ST_OK)
            status = ST_NO_FILE;
    }
    if (status == ST_NO_FILE) {
        status = state_create(disk, hash);
        if (status == ST_OK)
            status = state_read(state, disk);
    }
    return status;
}

void evidence_state_close(struct evidence_state *state)
{
    slots_close(&state->slots);
}

enum status evidence_state_write(struct evidence_state *state,
                                 const struct evidence_value *value)
{
    uint8_t body[EVIDENCE_STATE_BODY_SIZE];
    enum status status;

    evidence_state_encode(body, value);
    status = slots_write(&state->slots, slice_of(body, sizeof body));
    if (status == ST_OK)
        state->value = *value;
    return status;
}

uint64_t evidence_state_size(const struct evidence_value *value)
{
    uint64_t size = value->signed_here.size;

    if (value->witnessed.size > size)
        size = value->witnessed.size;
    if (value->cosigned.size > size)
        size = value->cosigned.size;
    return size;
}
