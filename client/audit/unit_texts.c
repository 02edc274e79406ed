#include <stdlib.h>
#include <string.h>

#include "client/audit/unit.h"
#include "protocol/archive_keys.h"

#define UNIT_GENESIS    "genesis"
#define UNIT_CHECKPOINT "checkpoint"
#define UNIT_KEYS       "keys"
#define UNIT_POLICY     "policy"

enum { UNIT_SIGNERS_ROOM_MIN = 64 };

static bool unit_bad(const struct unit *unit, struct report *report,
                     const char *name, const char *what)
{
    return unit_fault(unit, report, REPORT_NO_INDEX, name, what);
}

static bool unit_check_genesis(struct unit *unit, struct report *report)
{
    const struct archive_file file = {.kind = ARCHIVE_GENESIS};
    const struct archive_unit *told = &unit->told;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct entry entry;

    if (!unit_read(unit, report, &unit->genesis_bytes, &unit->genesis_size,
                   &file))
        return false;
    switch (genesis_read(&unit->genesis, &entry,
                         slice_of(unit->genesis_bytes, unit->genesis_size))) {
    case ST_OK:
        break;
    case ST_BAD_SIG:
        return unit_bad(unit, report, UNIT_GENESIS,
                        "the genesis is not signed by the authority key that "
                        "it names");
    default:
        return unit_bad(unit, report, UNIT_GENESIS, "it is no genesis");
    }
    identity_cluster_id(cluster_id, unit->genesis.authority_key.b);
    if (memcmp(unit->genesis.authority_key.b, told->authority,
               PUBLIC_KEY_SIZE) != 0 ||
        memcmp(cluster_id, told->cluster_id, CLUSTER_ID_SIZE) != 0)
        return unit_bad(unit, report, ARCHIVE_MANIFEST,
                        "the genesis is of another authority or cluster");
    return true;
}

static bool unit_check_checkpoint(struct unit *unit, struct report *report,
                                  const struct vouch_policy *policy)
{
    const struct archive_file file = {.kind = ARCHIVE_CHECKPOINT};
    struct vouch *vouch = &unit->checkpoint;
    const char *what;
    uint8_t *bytes;
    size_t size;
    enum status status;

    if (!unit_read(unit, report, &bytes, &size, &file))
        return false;
    status = vouch_take(vouch, slice_of(bytes, size), UNIT_CHECKPOINT);
    free(bytes);
    if (status == ST_EXHAUSTED)
        return report_lacks_memory(report);
    if (status != ST_OK)
        return unit_bad(unit, report, UNIT_CHECKPOINT,
                        "the checkpoint is not of its format");
    what = vouch_judge(vouch, policy, unit->genesis.origin,
                       unit->genesis.log_key.b);
    if (what != NULL)
        return unit_bad(unit, report, UNIT_CHECKPOINT, what);
    if (!slice_equal(vouch->checkpoint.origin, unit->told.origin) ||
        vouch->checkpoint.size != unit->told.size)
        return unit_bad(unit, report, ARCHIVE_MANIFEST,
                        "the checkpoint has another origin or size");
    return true;
}

/* ---- Keys ---------------------------------------------------------------- */

static enum status unit_take_cosigners(struct unit *unit,
                                       struct archive_keys *keys)
{
    struct note_key *rows = calloc(ARCHIVE_COSIGNERS_MAX, sizeof *rows);
    struct note_key key;
    enum status status;

    if (rows == NULL)
        return ST_EXHAUSTED;
    unit->cosigners = rows;
    while ((status = archive_keys_cosigner(keys, &key)) == ST_OK)
        rows[unit->cosigners_count++] = key;
    /* They are kept while units are many, and most have few or none. */
    rows = realloc(rows, (unit->cosigners_count + 1) * sizeof *rows);
    if (rows == NULL)
        return ST_EXHAUSTED;
    unit->cosigners = rows;
    return status == ST_END ? ST_OK : status;
}

/* False if memory is short. */
static bool unit_add_signer(struct unit *unit, size_t *room,
                            const struct unit_signer *row)
{
    struct unit_signer *signers = unit->signers;

    if (unit->signers_count == *room) {
        *room = 2 * *room + UNIT_SIGNERS_ROOM_MIN;
        signers = reallocarray(signers, *room, sizeof *signers);
    }
    if (signers == NULL)
        return false;
    unit->signers = signers;
    unit->signers[unit->signers_count++] = *row;
    return true;
}

static enum status unit_take_signers(struct unit *unit,
                                     struct archive_keys *keys)
{
    size_t room = 0;
    struct unit_signer row = {.is_used = false};
    enum status status;

    while ((status = archive_keys_signer(keys, row.public_key, row.key_id)) ==
           ST_OK) {
        if (!unit_add_signer(unit, &room, &row))
            return ST_EXHAUSTED;
    }
    return status == ST_END ? ST_OK : status;
}

static bool unit_check_keys(struct unit *unit, struct report *report)
{
    const struct archive_file file = {.kind = ARCHIVE_KEYS};
    struct archive_keys keys;
    enum status status;
    uint8_t *bytes;
    size_t size;

    if (!unit_read(unit, report, &bytes, &size, &file))
        return false;
    status = archive_keys_read(&keys, slice_of(bytes, size));
    if (status == ST_OK)
        status = unit_take_cosigners(unit, &keys);
    if (status == ST_OK)
        status = unit_take_signers(unit, &keys);
    free(bytes);
    if (status == ST_EXHAUSTED)
        return report_lacks_memory(report);
    if (status != ST_OK)
        return unit_bad(unit, report, UNIT_KEYS, "it is not of its format");
    unit->log_key = keys.log_key;
    if (memcmp(keys.authority, unit->told.authority, PUBLIC_KEY_SIZE) != 0)
        return unit_bad(unit, report, UNIT_KEYS,
                        "the authority's key is another than the manifest's");
    if (memcmp(keys.log_key.public_key, unit->genesis.log_key.b,
               PUBLIC_KEY_SIZE) != 0 ||
        !slice_equal(note_key_name(&keys.log_key), unit->told.origin))
        return unit_bad(unit, report, UNIT_KEYS,
                        "the log's key is another than that of genesis");
    return true;
}

/* A cosigner need not have signed; but a signature of it must be right. */
static bool unit_check_cosigners(const struct unit *unit, struct report *report)
{
    uint64_t time_s;

    for (size_t i = 0; i < unit->cosigners_count; i++) {
        if (checkpoint_cosigned(&time_s, &unit->checkpoint.note,
                                &unit->cosigners[i]) == ST_BAD_SIG)
            return unit_bad(unit, report, UNIT_CHECKPOINT,
                            "a cosigner's signature is wrong");
    }
    return true;
}

/* It says whom the maker trusted; whether that is enough, the reader decides
 * with his own. */
static bool unit_check_policy(const struct unit *unit, struct report *report)
{
    const struct archive_file file = {.kind = ARCHIVE_POLICY};
    static struct tlog_policy policy;
    struct tlog_policy_error error;
    enum status status;
    uint8_t *bytes;
    size_t size;

    if (!unit->told.has_policy)
        return true;
    if (!unit_read(unit, report, &bytes, &size, &file))
        return false;
    status = tlog_policy_read(&policy, &error, slice_of(bytes, size));
    free(bytes);
    return status == ST_OK ||
           unit_bad(unit, report, UNIT_POLICY, "it is not of its format");
}

bool unit_check_texts(struct unit *unit, struct report *report,
                      const struct vouch_policy *policy)
{
    return unit_check_genesis(unit, report) &&
           unit_check_checkpoint(unit, report, policy) &&
           unit_check_keys(unit, report) &&
           unit_check_cosigners(unit, report) &&
           unit_check_policy(unit, report);
}

struct unit_signer *unit_signer_find(const struct unit *unit,
                                     const uint8_t key_id[KEY_ID_SIZE])
{
    size_t low = 0, high = unit->signers_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(unit->signers[middle].key_id, key_id, KEY_ID_SIZE);

        if (order == 0)
            return &unit->signers[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
