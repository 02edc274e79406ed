#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/audit/hidden.h"
#include "client/audit/judge_parts.h"
#include "protocol/dates.h"

/* ---- Outcomes that the report tells ------------------------------------- */

static void judge_came(struct report *report, const struct authority_came *came)
{
    if (!came->is_new)
        return;
    if (!came->is_certified)
        report_unchecked(report, REPORT_UNCHECKED_REGISTER);
    if (came->skipped_first == 0)
        return;
    report_unchecked(report, REPORT_UNCHECKED_SKIPPED);
    if (report->skipped_count++ < REPORT_SKIPPED_MAX)
        report->skipped[report->skipped_count - 1] =
            (struct report_skipped){came->skipped_first, came->skipped_last};
}

static void judge_decided(void *context, const struct authority_act *act,
                          uint16_t code)
{
    struct judge *judge = context;
    struct report *report = judge->report;
    uint16_t opcode = act->operation->opcode;
    enum status status;

    if (code == ST_OK && hidden_is_about(opcode))
        hidden_done(report, act,
                    judge->authority.keys.rows[act->signer].person);
    status = archive_records_decided(&judge->records, act, code);
    if (status != ST_OK)
        (void)judge_give_up(judge, status);
    if (opcode != OPCODE_SYSTEM_EPOCH && opcode != OPCODE_SYSTEM_CONFIG)
        return;
    for (uint32_t i = 0; i < report->forced_count; i++) {
        struct report_forced *forced = &report->forced[i];

        if (forced->index == act->index && act->item == 0)
            forced->state = code == ST_OK ? REPORT_VERIFIED : REPORT_REFUSED;
    }
    if (code != ST_OK && act->index == judge->term)
        judge->refused = act->index;
    if (code == ST_OK)
        judge_came(report, &judge->authority.came);
    else if (judge->authority.keys.rows[act->signer].is_node &&
             report->refused_count++ < REPORT_REFUSED_MAX)
        report->refused[report->refused_count - 1] =
            (struct report_refused){act->index, opcode, code};
}

void judge_init(struct judge *judge, struct report *report,
                struct source *source, struct vouches *vouches,
                const struct verify_options *options)
{
    memset(judge, 0, sizeof *judge);
    judge->options = options;
    judge->report = report;
    judge->source = source;
    judge->vouches = vouches;
    /* By a policy they can be judged before anything is read; of a tree alone,
     * nobody reads the genesis. */
    if (options->tree_only || options->policy != NULL)
        (void)judge_vouches(judge, slice_of("", 0), NULL);
    report->authority_trusted = options->has_authority;
    tree_init(&judge->tree);
    authority_init(&judge->authority);
    decisions_init(&judge->decisions, &judge->authority);
    judge->decisions.decided = judge_decided;
    judge->decisions.context = judge;
}

void judge_free(struct judge *judge)
{
    decisions_free(&judge->decisions);
    archive_records_free(&judge->records);
    authority_free(&judge->authority);
    receipts_free(&judge->receipts);
}

bool judge_give_up(struct judge *judge, enum status status)
{
    REQUIRE(status != ST_OK);
    judge->status = status;
    return false;
}

bool judge_fault(struct judge *judge, enum report_verdict verdict,
                 uint64_t index, struct walk_place place, const char *what)
{
    char name[SOURCE_NAME_SIZE];

    if (!report_fault(judge->report, verdict, index, what))
        return false;
    source_name(judge->source, name, place.segment);
    (void)snprintf(judge->report->fault.file, sizeof judge->report->fault.file,
                   "%s", name);
    judge->report->fault.offset = place.offset;
    return false;
}

bool judge_tampered(struct judge *judge, const struct judging *judging,
                    const char *what)
{
    return judge_fault(judge, REPORT_TAMPERED, judge->tree.size, judging->place,
                       what);
}

bool judge_tampered_numbers(struct judge *judge, const struct judging *judging,
                            const char *what, uint64_t expected,
                            uint64_t actual)
{
    (void)judge_tampered(judge, judging, what);
    report_numbers(judge->report, expected, actual);
    return false;
}

bool judge_tampered_hashes(struct judge *judge, const struct judging *judging,
                           const char *what, const uint8_t *expected,
                           const uint8_t *actual, size_t size)
{
    (void)judge_tampered(judge, judging, what);
    report_hashes(judge->report, expected, actual, size);
    return false;
}

bool judge_receipt_fault(struct judge *judge, uint64_t index,
                         const struct receipts_fault *fault)
{
    const char *what = fault->what;

    if (index != REPORT_NO_INDEX && report_is_lost(judge->report, index))
        what = "a receipt names an entry that is among those declared lost "
               "(FORCED): another is at this index";
    if (report_fault(judge->report, REPORT_TAMPERED, index, what)) {
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
    enum status status;
    bool goes_on;

    if (judging->batch_entry->status == ST_CHECKSUM) {
        status = source_goes_on(judge->source, &goes_on, judging->place,
                                judge->tree.size + 1);
        if (status != ST_OK)
            return judge_give_up(judge, status);
        if (goes_on)
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

/* The tree is as long as something from outside says that it has this root. */
static bool judge_root(struct judge *judge, const struct judging *judging,
                       const uint8_t *expected, const char *what)
{
    uint8_t root[HASH_SIZE];

    tree_root(&judge->tree, root);
    if (memcmp(root, expected, HASH_SIZE) == 0)
        return true;
    judge->is_root_wrong = true;
    (void)judge_fault(judge, REPORT_TAMPERED, judge->tree.size - 1,
                      judging->place, what);
    report_hashes(judge->report, expected, root, HASH_SIZE);
    return false;
}

static bool judge_roots(struct judge *judge, const struct judging *judging)
{
    const struct verify_options *options = judge->options;
    const uint64_t size = judge->tree.size;

    if (options->has_head && size == options->head_size) {
        if (!judge_root(judge, judging, options->head_root,
                        "up to here the tree has another root than the "
                        "expected head"))
            return false;
        judge->report->covered = size;
    }
    for (uint32_t i = 0; i < judge->vouches->count; i++) {
        struct vouch *vouch = &judge->vouches->all[i];

        if (size != vouch->checkpoint.size)
            continue;
        if (vouch->is_own && judge_left(judge, vouch))
            continue;
        if (!judge_root(judge, judging, vouch->checkpoint.root,
                        judge_left(judge, vouch)
                            ? "the checkpoint is of the lineage before: it "
                              "names entries that are lost (FORCED)"
                            : "up to here the tree has another root than the "
                              "checkpoint"))
            return false;
        vouch->is_matched = true;
    }
    return size != options->resume.size ||
           judge_root(judge, judging, options->resume.root,
                      "up to here it is not the log that an earlier run "
                      "verified");
}

static bool judge_append(struct judge *judge, const struct judging *judging)
{
    const struct verify_options *options = judge->options;
    const uint8_t *leaf = judging->batch_entry->leaf;

    tree_append(&judge->tree, leaf);
    memcpy(judge->leaf, leaf, HASH_SIZE);
    judge->place = judging->place;
    if (judge->tiles != NULL)
        hash_tiles_append(judge->tiles, leaf);
    if (options->has_leaf && memcmp(leaf, options->leaf, HASH_SIZE) == 0) {
        judge->is_leaf_seen = true;
        judge->report->covered = judge->tree.size;
    }
    return judge_roots(judge, judging);
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

    if (judge->options->tree_only) {
        judge->report->bytes += judging->size;
        return judge_append(judge, judging);
    }
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
                                  .size = batch->walk.frames[i].bytes.size,
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
