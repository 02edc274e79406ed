#include "client/audit/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "protocol/dates.h"
#include "protocol/genesis.h"

enum { JUDGE_SEAL_EPOCH_SHIFT = 32 };

/* The entry in hand. */
struct judging {
    const struct entry *entry;
    const struct batch_entry *batch_entry;
    struct walk_place place;
    uint32_t signer; /* Row of keys; KEYS_NONE for the genesis. */
    bool is_timely;
};

void judge_init(struct judge *judge, struct report *report, struct walk *walk,
                const struct verify_options *options)
{
    memset(judge, 0, sizeof *judge);
    judge->options = options;
    judge->report = report;
    judge->walk = walk;
    report->authority_trusted = options->has_authority;
    tree_init(&judge->tree);
    authority_init(&judge->authority);
    decisions_init(&judge->decisions, &judge->authority);
}

void judge_free(struct judge *judge)
{
    decisions_free(&judge->decisions);
    authority_free(&judge->authority);
    receipts_free(&judge->receipts);
}

static bool judge_fault(struct judge *judge, enum report_verdict verdict,
                        uint64_t index, struct walk_place place,
                        const char *what)
{
    char name[WALK_NAME_SIZE];

    if (!report_fault(judge->report, verdict, index, what))
        return false;
    walk_name(judge->walk, name, place.segment);
    (void)snprintf(judge->report->fault.file, sizeof judge->report->fault.file,
                   "%s", name);
    judge->report->fault.offset = place.offset;
    return false;
}

static bool judge_tampered(struct judge *judge, const struct judging *judging,
                           const char *what)
{
    return judge_fault(judge, REPORT_TAMPERED, judge->tree.size, judging->place,
                       what);
}

static bool judge_tampered_numbers(struct judge *judge,
                                   const struct judging *judging,
                                   const char *what, uint64_t expected,
                                   uint64_t actual)
{
    (void)judge_tampered(judge, judging, what);
    report_numbers(judge->report, expected, actual);
    return false;
}

static bool judge_tampered_hashes(struct judge *judge,
                                  const struct judging *judging,
                                  const char *what, const uint8_t *expected,
                                  const uint8_t *actual, size_t size)
{
    (void)judge_tampered(judge, judging, what);
    report_hashes(judge->report, expected, actual, size);
    return false;
}

static bool judge_receipt_fault(struct judge *judge, uint64_t index,
                                const struct receipts_fault *fault)
{
    if (report_fault(judge->report, REPORT_TAMPERED, index, fault->what)) {
        (void)snprintf(judge->report->fault.file,
                       sizeof judge->report->fault.file, "%s",
                       judge->options->receipts);
        judge->report->fault.offset = fault->offset;
    }
    return false;
}

/* ---- The chain and the tree -----------------------------------------------
 */

static bool judge_begins(struct judge *judge, const struct walk_batch *batch)
{
    const struct walk_place place = {batch->stop_place.segment, 0};
    struct judging judging = {.place = place};

    if (batch->frames_count > 0)
        judging.place.segment = batch->frames[0].place.segment;
    judge->report->segments++;
    if (batch->header.first_index != judge->tree.size)
        return judge_tampered_numbers(
            judge, &judging, "a segment does not follow the one before",
            judge->tree.size, batch->header.first_index);
    if (batch->named != batch->header.first_index)
        return judge_tampered_numbers(judge, &judging,
                                      "a segment has another's name",
                                      batch->header.first_index, batch->named);
    if (memcmp(batch->header.previous, judge->leaf, HASH_SIZE) != 0)
        return judge_tampered_hashes(
            judge, &judging, "a segment names another entry before it",
            judge->leaf, batch->header.previous, HASH_SIZE);
    if (judge->segment_size == 0)
        judge->segment_size = batch->header.segment_size;
    if (batch->header.segment_size != judge->segment_size)
        return judge_tampered_numbers(
            judge, &judging, "a segment has another size than those before",
            judge->segment_size, batch->header.segment_size);
    if (batch->frames_count > 0 && judge->tree.size > 0 &&
        batch->frames[0].bytes.size <= batch->left_before)
        return judge_tampered(judge, &judging,
                              "a segment begins although its first entry had "
                              "room in the one before");
    return true;
}

static bool judge_formed(struct judge *judge, const struct judging *judging)
{
    if (judging->batch_entry->status == ST_CHECKSUM) {
        if (walk_goes_on(judge->walk, judging->place, judge->tree.size + 1))
            return judge_tampered(judge, judging,
                                  "its checksum does not match");
        report_reason(judge->report, REPORT_REASON_TORN);
        return judge_fault(judge, REPORT_INCOMPLETE, judge->tree.size,
                           judging->place,
                           "the last entry is unfinished or damaged: its "
                           "checksum does not match");
    }
    if (judging->batch_entry->status != ST_OK)
        return judge_tampered(judge, judging, "it is not well formed");
    return true;
}

static bool judge_place(struct judge *judge, const struct judging *judging)
{
    const struct entry_place *place = &judging->entry->place;

    if (place->index != judge->tree.size)
        return judge_tampered_numbers(judge, judging,
                                      "its index is not the next",
                                      judge->tree.size, place->index);
    if (memcmp(place->previous, judge->leaf, HASH_SIZE) != 0)
        return judge_tampered_hashes(judge, judging,
                                     "it does not follow the entry before",
                                     judge->leaf, place->previous, HASH_SIZE);
    if (place->epoch < judge->epoch)
        return judge_tampered_numbers(judge, judging, "its epoch falls",
                                      judge->epoch, place->epoch);
    if (place->log_time < judge->log_time || place->log_time > DATES_TIME_MAX)
        return judge_tampered_numbers(
            judge, judging, "its log time falls or is outside the calendar",
            (uint64_t)judge->log_time, (uint64_t)place->log_time);
    return true;
}

static bool judge_append(struct judge *judge, const struct judging *judging)
{
    const struct verify_options *options = judge->options;
    struct report *report = judge->report;
    uint8_t root[HASH_SIZE];
    const uint8_t *leaf = judging->batch_entry->leaf;

    tree_append(&judge->tree, leaf);
    memcpy(judge->leaf, leaf, HASH_SIZE);
    if (options->has_leaf && memcmp(leaf, options->leaf, HASH_SIZE) == 0) {
        judge->is_leaf_seen = true;
        report->covered = judge->tree.size;
    }
    if (!options->has_head || judge->tree.size != options->head_size)
        return true;
    tree_root(&judge->tree, root);
    if (memcmp(root, options->head_root, HASH_SIZE) != 0) {
        (void)judge_fault(judge, REPORT_TAMPERED, judge->tree.size - 1,
                          judging->place,
                          "up to here the tree has another root than the "
                          "expected head");
        report_hashes(report, options->head_root, root, HASH_SIZE);
        return false;
    }
    report->covered = judge->tree.size;
    return true;
}

/* ---- The operations table -------------------------------------------------
 */

static bool judge_realm_fits(const struct judge *judge,
                             const struct judging *judging,
                             const struct operation_info *operation)
{
    uint8_t realm = judging->entry->header.realm;

    switch (operation->realm) {
    case OP_REALM_SYSTEM:
        return realm == REALM_SYSTEM;
    case OP_REALM_ANY:
        return realm == REALM_PORTAL || realm == REALM_REGISTRY ||
               (realm == REALM_SYSTEM && judging->signer != KEYS_NONE &&
                judge->authority.keys.rows[judging->signer].is_node);
    case OP_REALM_P:
        return realm == REALM_PORTAL;
    case OP_REALM_R:
        return realm == REALM_REGISTRY;
    }
    return false;
}

static bool judge_table(struct judge *judge, const struct judging *judging,
                        const struct operation_info *operation,
                        const struct item *item)
{
    const struct entry_place *place = &judging->entry->place;

    if (operation->category != place->category)
        return judge_tampered_numbers(
            judge, judging, "its category is not that of its operation",
            operation->category, place->category);
    if (!judge_realm_fits(judge, judging, operation))
        return judge_tampered(judge, judging,
                              "its realm is not that of its operation");
    if ((operation->seal == SEAL_OPEN) != (item->seal_key == 0))
        return judge_tampered(judge, judging,
                              operation->seal == SEAL_OPEN
                                  ? "an item is sealed that must be open"
                                  : "an item is open that must be sealed");
    if (item->seal_key >> JUDGE_SEAL_EPOCH_SHIFT > place->epoch)
        return judge_tampered(judge, judging,
                              "an item is sealed under a key of an epoch that "
                              "has not begun");
    return true;
}

/* ---- Items ----------------------------------------------------------------
 */

static bool judge_attestation(struct judge *judge,
                              const struct judging *judging,
                              const struct item *item)
{
    struct op_system_attest stated;
    struct field_error error;
    struct decisions_fault fault;

    if (!judging->is_timely ||
        !judge->authority.keys.rows[judging->signer].is_node)
        return true;
    if (schema_decode(&schema_op_system_attest, &stated, &error,
                      item_fields(item), SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return judge_tampered(judge, judging,
                              "an attestation that cannot be read");
    if (decisions_attested(&judge->decisions, &fault,
                           judging->entry->place.index, &stated))
        return true;
    return judge_fault(judge, REPORT_TAMPERED, fault.index,
                       fault.has_place ? fault.place : judging->place,
                       fault.what);
}

static void judge_count(struct judge *judge, const struct item *item,
                        const struct operation_info *operation)
{
    struct report *report = judge->report;
    uint32_t count;

    report->items++;
    if (item->seal_key != 0)
        report->sealed_items++;
    if (operation == NULL)
        report->unknown_items++;
    else
        report->by_operation[operation - operation_list(&count)]++;
}

static bool judge_item(struct judge *judge, const struct judging *judging,
                       const struct item *item, uint16_t number)
{
    const struct item_clear *clear = &item->clear_part;
    const struct operation_info *operation = operation_info(clear->opcode);
    struct authority_act act = {.index = judging->entry->place.index,
                                .item = number,
                                .carrier = judging->entry->place.carrier,
                                .signer = judging->signer,
                                .duty = clear->duty,
                                .log_time = judging->entry->place.log_time,
                                .is_timely = judging->is_timely,
                                .operation = operation};

    if (operation != NULL && operation->version != clear->version)
        operation = NULL;
    judge_count(judge, item, operation);
    if (operation == NULL) {
        decisions_give_up(&judge->decisions);
        return true;
    }
    if (!judge_table(judge, judging, operation, item))
        return false;
    if (item->seal_key == 0 && authority_needs_fields(clear->opcode)) {
        act.fields = item_fields(item);
        authority_learn(&judge->authority, operation, act.fields);
    }
    decisions_wait(&judge->decisions, &act, judging->place);
    return clear->opcode != OPCODE_SYSTEM_ATTEST ||
           judge_attestation(judge, judging, item);
}

static bool judge_items(struct judge *judge, const struct judging *judging)
{
    struct slice rest = judging->entry->items;
    struct item item;

    for (uint16_t i = 0; entry_next_item(&item, &rest); i++) {
        if (!judge_item(judge, judging, &item, i))
            return false;
    }
    return true;
}

/* ---- Who signed -----------------------------------------------------------
 */

static bool judge_load_receipts(struct judge *judge,
                                const uint8_t *authority_key)
{
    struct receipts_fault fault;
    enum status status;

    if (judge->options->receipts == NULL)
        return true;
    status = receipts_load(&judge->receipts, &fault, judge->options->receipts,
                           authority_key);
    if (status == ST_RECEIPT)
        return judge_receipt_fault(judge, REPORT_NO_INDEX, &fault);
    if (status != ST_OK)
        judge->status = ST_RECEIPT;
    return status == ST_OK;
}

static bool judge_genesis(struct judge *judge, const struct judging *judging,
                          uint8_t *key_out)
{
    const struct verify_options *options = judge->options;
    struct report *report = judge->report;
    struct op_system_genesis genesis;
    struct entry entry;
    enum status status;

    status = genesis_read(&genesis, &entry, judging->entry->bytes);
    if (status == ST_BAD_SIG)
        return judge_tampered(judge, judging,
                              "the genesis is not signed by the authority key "
                              "that it names");
    if (status != ST_OK)
        return judge_tampered(judge, judging, "it is no genesis");
    if (options->has_authority &&
        memcmp(options->authority, genesis.authority_key.b, PUBLIC_KEY_SIZE) !=
            0)
        return judge_tampered_hashes(
            judge, judging, "the genesis is of another authority",
            options->authority, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    memcpy(key_out, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    report->has_genesis = true;
    memcpy(report->authority_key, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    authority_begin(&judge->authority, &genesis);
    memcpy(report->cluster_id, judge->authority.cluster_id, CLUSTER_ID_SIZE);
    return judge_load_receipts(judge, genesis.authority_key.b);
}

static bool judge_signer(struct judge *judge, struct judging *judging,
                         uint8_t *key_out)
{
    const struct command_header *header = &judging->entry->header;
    const struct keys *keys = &judge->authority.keys;

    judging->signer = KEYS_NONE;
    if (judge->tree.size == 0)
        return judge_genesis(judge, judging, key_out);
    judging->signer = keys_find(keys, header->key_id);
    if (judging->signer == KEYS_NONE)
        return judge_tampered(judge, judging,
                              "it is signed with a key that no entry before it "
                              "names");
    if (header->env_tag != judge->authority.cluster_id[0])
        return judge_tampered(judge, judging,
                              "it is a command for another cluster");
    memcpy(key_out, keys->rows[judging->signer].public_key, PUBLIC_KEY_SIZE);
    return true;
}

/* The epoch rises only where a node says so. */
static bool judge_epoch(struct judge *judge, const struct judging *judging)
{
    const struct entry_place *place = &judging->entry->place;
    struct op_system_epoch fields;
    struct field_error error;
    struct item item;

    if (place->epoch == judge->epoch)
        return true;
    entry_item(&item, judging->entry, 0);
    if (item.clear_part.opcode != OPCODE_SYSTEM_EPOCH || item.seal_key != 0 ||
        judging->signer == KEYS_NONE ||
        !judge->authority.keys.rows[judging->signer].is_node)
        return judge_tampered_numbers(
            judge, judging, "its epoch rises, and no node begins one here",
            judge->epoch, place->epoch);
    if (schema_decode(&schema_op_system_epoch, &fields, &error,
                      item_fields(&item), SCHEMA_REFUSE_UNKNOWN) != ST_OK ||
        fields.epoch != place->epoch)
        return judge_tampered(judge, judging,
                              "it begins another epoch than its own");
    judge->epoch = place->epoch;
    judge->report->epochs++;
    return true;
}

static bool judge_is_timely(const struct entry *entry)
{
    int64_t signed_at = entry->header.signed_at;
    int64_t skew = SKEW_S * DATES_US_PER_SECOND;
    int64_t ttl = entry->header.ttl_s * DATES_US_PER_SECOND;

    return signed_at >= 0 && signed_at <= DATES_TIME_MAX &&
           entry->place.log_time >= signed_at - skew &&
           entry->place.log_time <= signed_at + ttl + skew;
}

/* ---- Entries --------------------------------------------------------------
 */

static void judge_count_entry(struct judge *judge, const struct entry *entry)
{
    struct report *report = judge->report;

    if (entry->place.index == 0)
        report->first_time = entry->place.log_time;
    report->last_time = entry->place.log_time;
    judge->log_time = entry->place.log_time;
    report->bytes += entry->bytes.size;
    report->by_category[entry->place.category]++;
}

static bool judge_entry(struct judge *judge, struct judging *judging,
                        struct batch_entry *at, size_t *keyed)
{
    struct receipts_fault fault;

    if (!judge_formed(judge, judging) || !judge_place(judge, judging) ||
        !judge_signer(judge, judging, at->public_key))
        return false;
    ++*keyed;
    judging->is_timely = judge_is_timely(judging->entry);
    if (!judge_epoch(judge, judging) || !judge_items(judge, judging))
        return false;
    if (!receipts_hold(&judge->receipts, &fault, judging->entry, at->leaf,
                       judge->authority.cluster_id))
        return judge_receipt_fault(judge, judge->tree.size, &fault);
    judge_count_entry(judge, judging->entry);
    return judge_append(judge, judging);
}

size_t judge_batch(struct judge *judge, struct batch *batch)
{
    size_t keyed = 0;

    if (batch->walk.begins && !judge_begins(judge, &batch->walk))
        return 0;
    for (size_t i = 0; i < batch->walk.frames_count; i++) {
        struct judging judging = {.entry = &batch->entries[i].entry,
                                  .batch_entry = &batch->entries[i],
                                  .place = batch->walk.frames[i].place};

        if (!judge_entry(judge, &judging, &batch->entries[i], &keyed))
            break;
    }
    return keyed;
}

void judge_bad_signature(struct judge *judge, const struct batch *batch,
                         size_t number)
{
    judge->report->fault.found = false;
    (void)judge_fault(
        judge, REPORT_TAMPERED, batch->entries[number].entry.place.index,
        batch->walk.frames[number].place, "its signature is wrong");
}
