#include <string.h>

#include "client/audit/joined.h"
#include "client/audit/verify_units_parts.h"
#include "protocol/archive_keys.h"

static void verify_units_log_root(struct verify_units *at)
{
    const struct unit *last = &at->units[at->count - 1];
    struct judge *judge = &at->verify.judge;
    uint8_t root[HASH_SIZE];

    if (at->report->fault.found || judge->tree.size != last->told.last + 1)
        return;
    tree_root(&judge->tree, root);
    if (memcmp(root, last->told.root, HASH_SIZE) != 0) {
        (void)unit_fault(last, at->report, judge->tree.size - 1,
                         ARCHIVE_MANIFEST,
                         "up to here the tree has another root");
        report_hashes(at->report, last->told.root, root, HASH_SIZE);
        return;
    }
    if (vouch_stands(&last->checkpoint))
        at->report->covered = judge->tree.size;
}

/* What an archivist sealed is this unit or another one's forgery; what nobody
 * sealed may have been made by another rule. */
static void verify_units_log_record(struct verify_units *at,
                                    const struct unit *unit)
{
    const char *what;
    const struct archive_record *record = archive_records_other(
        &what, &at->verify.judge.records, &unit->told, unit->hash);

    if (record == NULL)
        return;
    (void)unit_fault(unit, at->report,
                     record->sealed != 0 ? record->sealed : record->index,
                     ARCHIVE_MANIFEST, what);
    if (record->sealed != 0) {
        report_hashes(at->report, record->manifest, unit->hash, HASH_SIZE);
        return;
    }
    if (unit->told.last == record->last)
        report_numbers(at->report, record->number, unit->told.number);
    else
        report_numbers(at->report, record->last, unit->told.last);
    at->report->verdict = REPORT_INCOMPLETE;
    report_reason(at->report, REPORT_REASON_RECORD);
}

/* Whether the node has the cosigner's key and name; one of them alone is a
 * fault. */
static bool verify_units_log_is(struct verify_units *at,
                                const struct unit *unit,
                                const struct note_key *cosigner,
                                const struct authority_node *node)
{
    static const uint8_t none[PUBLIC_KEY_SIZE];
    struct note_key enrolled;
    bool has_key, has_name;

    if (memcmp(node->cosigner_key.b, none, PUBLIC_KEY_SIZE) == 0 ||
        archive_keys_cosigner_of(&enrolled, unit->genesis.origin,
                                 node->node_id.b,
                                 node->cosigner_key.b) != ST_OK)
        return false;
    has_key =
        memcmp(enrolled.public_key, cosigner->public_key, PUBLIC_KEY_SIZE) == 0;
    has_name = slice_equal(note_key_name(&enrolled), note_key_name(cosigner));
    if (has_key != has_name)
        (void)unit_fault(unit, at->report, REPORT_NO_INDEX, "keys",
                         "it gives a node another cosigner's key than the log "
                         "that enrolled it");
    return has_key && has_name;
}

/* Nobody signed the list.  Who is not enrolled here may be so in an entry
 * behind the units, which whoever made them had. */
static void verify_units_log_cosigners(struct verify_units *at,
                                       const struct unit *unit)
{
    const struct authority *authority = &at->verify.judge.authority;
    const struct report_fault *fault = &at->report->fault;

    for (size_t i = 0; i < unit->cosigners_count; i++) {
        bool is_one = false;

        for (uint32_t j = 0;
             j < authority->nodes_count && !is_one && !fault->found; j++)
            is_one = verify_units_log_is(at, unit, &unit->cosigners[i],
                                         &authority->nodes[j]);
        if (!is_one)
            report_unchecked(at->report, REPORT_UNCHECKED_COSIGNERS);
    }
}

/* The units follow each other from entry 0, and so do the records, which are of
 * entries before their own: hence no record is without a unit of its entries.
 * Order: the log is judged. */
static void verify_units_log_each(struct verify_units *at)
{
    for (size_t i = 0; i < at->count && !at->report->fault.found; i++)
        verify_units_log_record(at, &at->units[i]);
    for (size_t i = 0; i < at->count && !at->report->fault.found; i++)
        verify_units_log_cosigners(at, &at->units[i]);
}

enum status verify_units_log(struct verify_units *at)
{
    struct verify *verify = &at->verify;
    struct verify_options options = *at->options;
    enum status status;

    options.progress = NULL; /* Half of it is behind. */
    status = joined_open(&verify->source.joined, at->units, at->count);
    if (status == ST_OK)
        status = verify_entries(verify, at->report, &options);
    if (status != ST_OK)
        return status;
    verify_units_log_root(at);
    verify_units_log_each(at);
    judge_end(&verify->judge);
    return ST_OK;
}
