#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "protocol/extract.h"
#include "protocol/seal.h"
#include "replication/need.h"
#include "server/pipeline/apply_private.h"
#include "server/registry/destroy.h"
#include "server/registry/system.h"
#include "server/registry/version.h"

/* Whether the key went by an act that the log lost: it stays destroyed on every
 * node of the lineage, which all took the tombstone with the log
 * (accept_row_fits()). */
static bool apply_is_act_lost(struct apply *apply, uint64_t number)
{
    struct keyring_row row;

    return keyring_row(apply->parts.keyring, &row, number) == ST_ERASED &&
           row.owner == KEYRING_ACT_LOST;
}

/* act_services.open_item */
static enum status apply_open_item(void *context, struct slice stored,
                                   struct slice *fields_out)
{
    struct apply *apply = context;
    uint8_t key[KEY_SIZE] = {0};
    struct slice secret;
    struct item item;
    enum status status = item_decode(&item, stored);

    /* What the state keeps was checked before it was kept. */
    INVARIANT(status == ST_OK);
    if (destroy_is_erased(apply->parts.state, item.seal_key))
        return ST_ERASED;
    if (item.seal_key != 0)
        status = keyring_key(apply->parts.keyring, key, item.seal_key);
    if (status == ST_ERASED && apply_is_act_lost(apply, item.seal_key))
        return ST_ERASED;
    if (status == ST_OK) {
        status = seal_open(&secret, &item, key, apply->stored, ENTRY_SIZE_MAX);
        INVARIANT(status == ST_OK);
        *fields_out = seal_fields(secret);
    }
    INVARIANT(status == ST_OK);
    sodium_memzero(key, sizeof key);
    return status;
}

/* The key that sealed a stored item; the caller wipes it. */
static enum status apply_item_key(struct apply *apply, struct slice stored,
                                  uint8_t key_out[KEY_SIZE])
{
    struct item item;
    enum status status = item_decode(&item, stored);

    INVARIANT(status == ST_OK && item.seal_key != 0);
    status = keyring_key(apply->parts.keyring, key_out, item.seal_key);
    INVARIANT(status == ST_OK || status == ST_ERASED);
    return status;
}

/* act_services.result_salt */
static enum status apply_result_salt(void *context, struct slice item,
                                     uint64_t place, uint8_t out[SALT_SIZE])
{
    uint8_t key[KEY_SIZE] = {0};
    enum status status = apply_item_key(context, item, key);

    if (status == ST_OK)
        seal_result_salt(out, key, place >> 16, (uint16_t)(place & 0xffff));
    sodium_memzero(key, sizeof key);
    return status;
}

/* act_services.extract_salt */
static enum status apply_extract_salt(void *context, struct slice item,
                                      uint64_t place, uint32_t number,
                                      uint8_t out[SALT_SIZE])
{
    uint8_t key[KEY_SIZE] = {0};
    enum status status = apply_item_key(context, item, key);

    if (status == ST_OK)
        extract_salt(out, key, place >> 16, (uint16_t)(place & 0xffff), number);
    sodium_memzero(key, sizeof key);
    return status;
}

/* act_services.seal_key */
static enum status apply_seal_key(void *context, struct keyring_row *row_out,
                                  uint64_t number)
{
    struct apply *apply = context;

    return keyring_row(apply->parts.keyring, row_out, number);
}

/* act_services.read_entry: an act has no outcome that says that this disk is
 * bad, and apply_readable.c saw a moment ago that it is not. */
static enum status apply_read_entry(void *context, uint64_t index,
                                    struct slice *entry_out)
{
    struct apply *apply = context;
    enum status status =
        apply->parts.read_entry(apply->parts.log, index, entry_out);

    if (status != ST_OK && apply->parts.failed != NULL)
        apply->parts.failed(NULL, status, index, "reading the log again");
    INVARIANT(status == ST_OK);
    return status;
}

static uint8_t *apply_bytes(size_t size)
{
    uint8_t *bytes = malloc(size);

    NEED(bytes != NULL);
    return bytes;
}

/* What the last process did not live to attest. */
static enum status apply_load_attest(struct apply *apply)
{
    const struct state_head *head = state_head(apply->parts.state);
    struct row_command row = {.index = head->attested_size};
    uint64_t expected = head->attested_size;
    struct state_scan scan;

    state_scan_key(apply->parts.state, &scan, TABLE_COMMAND, &row,
                   (struct state_range){.from = true});
    while (state_scan_next(&scan, &row)) {
        if (row.index != expected)
            break;
        expected++;
        size_t count = outcome_decode(apply->items, row.outcomes);
        attest_add(apply->attest, apply->items, count, row.digest.b, false, 0);
    }
    state_scan_close(&scan);
    return expected == head->applied_size ? ST_OK : ST_FILE_FORMAT;
}

static void apply_load_commands(struct apply *apply)
{
    struct idempotency *table = apply->parts.idempotency;
    struct row_command row = {.index = 0};
    struct state_scan scan;

    apply->oldest = state_head(apply->parts.state)->applied_size;
    apply->oldest_time = INT64_MAX;
    state_scan_key(apply->parts.state, &scan, TABLE_COMMAND, &row,
                   (struct state_range){.from = true});
    while (state_scan_next(&scan, &row)) {
        if (apply->oldest_time == INT64_MAX) {
            apply->oldest = row.index;
            apply->oldest_time = row.log_time;
        }
        idempotency_add(table, row.key_id.b, row.idem.b, row.command_hash.b,
                        row.index);
    }
    state_scan_close(&scan);
    idempotency_applied(table, apply_size(apply), apply->oldest);
}

enum status apply_open(struct apply **apply_out,
                       const struct apply_parts *parts)
{
    struct apply *apply = calloc(1, sizeof *apply);
    const struct state_head *head = state_head(parts->state);
    enum status status;

    NEED(apply != NULL);
    apply->parts = *parts;
    apply->item_result = apply_bytes(RESULT_SIZE_MAX);
    apply->result = apply_bytes(RESULT_SIZE_MAX);
    apply->space_bytes = apply_bytes(RESULT_SIZE_MAX);
    apply->opened = apply_bytes(ENTRY_SIZE_MAX);
    apply->stored = apply_bytes(ENTRY_SIZE_MAX);
    apply->services = (struct act_services){
        .context = apply,
        .open_item = apply_open_item,
        .result_salt = apply_result_salt,
        .extract_salt = apply_extract_salt,
        .seal_key = apply_seal_key,
        .read_entry = apply_read_entry,
        .search = parts->search,
    };
    memcpy(apply->services.cluster_id, parts->cluster_id, CLUSTER_ID_SIZE);
    apply->attest = attest_open(head->attested_size);
    apply->tree.size = head->applied_size;
    memcpy(apply->tree.hashes, head->frontier, sizeof head->frontier);
    apply_load_commands(apply);
    apply_find_oldest_outcome(apply);
    status = system_load_secret(&apply->services, parts->state);
    if (status == ST_OK)
        status = apply_load_attest(apply);
    if (status != ST_OK) {
        apply_close(apply);
        return status;
    }
    apply->act =
        (struct act){.state = parts->state, .services = &apply->services};
    if (parts->search != NULL)
        version_index_all(&apply->act);
    *apply_out = apply;
    return ST_OK;
}

void apply_close(struct apply *apply)
{
    if (apply == NULL)
        return;
    attest_close(apply->attest);
    free(apply->item_result);
    free(apply->result);
    free(apply->space_bytes);
    sodium_memzero(apply->opened, ENTRY_SIZE_MAX);
    free(apply->opened);
    sodium_memzero(apply->stored, ENTRY_SIZE_MAX);
    free(apply->stored);
    sodium_memzero(&apply->services, sizeof apply->services);
    free(apply);
}
