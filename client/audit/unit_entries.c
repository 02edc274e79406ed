#include "client/audit/unit_entries.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/dates.h"

/* One of a bundle's. */
struct unit_entry {
    struct slice bytes;
    uint64_t offset; /* Of its length, in the bundle. */
    uint8_t leaf[HASH_SIZE];
    enum status formed;
    enum status signature;
    struct unit_signer *signer;
    struct entry entry;
};

/* Where the chain is, and what was counted in the unit's range. */
struct unit_chain {
    const struct unit_entries *checking;
    uint8_t *bundle;
    struct unit_entry entries[TILE_WIDTH_MAX];
    char name[UNIT_PATH_SIZE]; /* Of the bundle. */
    uint64_t next;             /* Index of the next entry. */
    bool has_leaf;
    uint8_t leaf[HASH_SIZE]; /* Of the one before. */
    uint8_t last_leaf[HASH_SIZE];
    uint32_t epoch;
    int64_t log_time;
    uint64_t bytes;
    uint64_t categories[CATEGORY_MAX + 1];
};

/* ---- Each by itself ------------------------------------------------------ */

static enum status unit_entry_signature(const struct unit *unit,
                                        struct unit_entry *at,
                                        bool with_signatures)
{
    uint8_t hash[HASH_SIZE];

    if (at->entry.place.index == 0)
        return with_signatures
                   ? entry_verify(&at->entry, hash, unit->told.cluster_id,
                                  unit->told.authority)
                   : ST_OK;
    at->signer = unit_signer_find(unit, at->entry.header.key_id);
    if (at->signer == NULL)
        return ST_NO_SUCH;
    return with_signatures
               ? entry_verify(&at->entry, hash, unit->told.cluster_id,
                              at->signer->public_key)
               : ST_OK;
}

static void unit_entries_run(void *context, size_t from, size_t to)
{
    struct unit_chain *chain = context;
    const struct unit_entries *checking = chain->checking;

    for (size_t i = from; i < to; i++) {
        struct unit_entry *at = &chain->entries[i];

        entry_leaf_hash(at->leaf, at->bytes);
        at->signer = NULL;
        at->signature = ST_OK;
        at->formed = ST_OK;
        if (checking->tree_only)
            continue;
        at->formed = entry_decode(&at->entry, at->bytes);
        if (at->formed == ST_OK)
            at->signature = unit_entry_signature(checking->unit, at,
                                                 checking->with_signatures);
    }
}

/* ---- One after the other ------------------------------------------------- */

static bool unit_entry_fault(const struct unit_chain *chain,
                             const struct unit_entry *at, const char *what)
{
    struct report *report = chain->checking->report;

    (void)unit_fault(chain->checking->unit, report, chain->next, chain->name,
                     what);
    report->fault.offset = at->offset;
    return false;
}

static bool unit_entry_hashes(const struct unit_chain *chain,
                              const struct unit_entry *at, const char *what,
                              const uint8_t *expected, const uint8_t *actual)
{
    (void)unit_entry_fault(chain, at, what);
    report_hashes(chain->checking->report, expected, actual, HASH_SIZE);
    return false;
}

static bool unit_entry_place(struct unit_chain *chain,
                             const struct unit_entry *at)
{
    const struct archive_unit *told = &chain->checking->unit->told;
    const struct entry_place *place = &at->entry.place;

    if (place->index != chain->next) {
        (void)unit_entry_fault(chain, at, "its index is not the next");
        report_numbers(chain->checking->report, chain->next, place->index);
        return false;
    }
    if (chain->next == told->first &&
        memcmp(place->previous, told->leaf_before, HASH_SIZE) != 0)
        return unit_entry_hashes(chain, at,
                                 "it does not follow the entry that the "
                                 "manifest names",
                                 told->leaf_before, place->previous);
    if ((chain->has_leaf || chain->next == 0) &&
        memcmp(place->previous, chain->leaf, HASH_SIZE) != 0)
        return unit_entry_hashes(chain, at,
                                 "it does not follow the entry before",
                                 chain->leaf, place->previous);
    if (place->epoch < chain->epoch)
        return unit_entry_fault(chain, at, "its epoch falls");
    if (place->log_time < chain->log_time || place->log_time > DATES_TIME_MAX)
        return unit_entry_fault(
            chain, at, "its log time falls or is outside the calendar");
    chain->epoch = place->epoch;
    chain->log_time = place->log_time;
    return true;
}

static bool unit_entry_signed(const struct unit_chain *chain,
                              const struct unit_entry *at)
{
    const struct unit *unit = chain->checking->unit;

    if (at->signature == ST_NO_SUCH)
        return unit_entry_fault(
            chain, at, "it is signed with a key that the unit has not");
    if (at->entry.header.env_tag != unit->told.cluster_id[0])
        return unit_entry_fault(chain, at,
                                "it is a command for another cluster");
    if (at->signature != ST_OK)
        return unit_entry_fault(chain, at, "the command's signature is wrong");
    if (at->signer != NULL)
        at->signer->is_used = true;
    return chain->next > 0 ||
           slice_equal(at->bytes,
                       slice_of(unit->genesis_bytes, unit->genesis_size)) ||
           unit_entry_fault(chain, at, "it is another genesis than the file's");
}

static void unit_entry_count(struct unit_chain *chain,
                             const struct unit_entry *at)
{
    const struct unit_entries *checking = chain->checking;
    const struct archive_unit *told = &checking->unit->told;
    struct report *report = checking->report;

    if (chain->next < told->first || chain->next > told->last)
        return;
    chain->bytes += at->bytes.size;
    memcpy(chain->last_leaf, at->leaf, HASH_SIZE);
    if (!checking->tree_only)
        chain->categories[at->entry.place.category]++;
    if (!checking->is_counted)
        return;
    report->entries++;
    report->bytes += at->bytes.size;
    if (checking->tree_only)
        return;
    if (report->entries == 1)
        report->first_time = at->entry.place.log_time;
    report->last_time = at->entry.place.log_time;
    report->epoch = at->entry.place.epoch;
    report->by_category[at->entry.place.category]++;
    report->items += at->entry.header.items_count;
    report->signatures += checking->with_signatures;
}

static bool unit_entry_judge(struct unit_chain *chain,
                             const struct unit_entry *at,
                             const uint8_t leaf[HASH_SIZE])
{
    const struct unit_entries *checking = chain->checking;

    if (memcmp(at->leaf, leaf, HASH_SIZE) != 0)
        return unit_entry_hashes(chain, at,
                                 "it is not the entry whose leaf hash the "
                                 "tree has",
                                 leaf, at->leaf);
    if (at->formed != ST_OK)
        return unit_entry_fault(chain, at, "it is not well formed");
    if (!checking->tree_only &&
        (!unit_entry_place(chain, at) || !unit_entry_signed(chain, at)))
        return false;
    unit_entry_count(chain, at);
    memcpy(chain->leaf, at->leaf, HASH_SIZE);
    chain->has_leaf = true;
    chain->next++;
    return true;
}

/* ---- Bundles ------------------------------------------------------------- */

/* Exactly as many entries as the bundle is wide. */
static bool unit_bundle_split(struct unit_chain *chain, struct slice bundle,
                              unsigned width)
{
    const struct unit_entries *checking = chain->checking;
    const uint8_t *start = bundle.data;
    enum status status = ST_OK;

    for (unsigned i = 0; i < width && status == ST_OK; i++) {
        chain->entries[i].offset = (uint64_t)(bundle.data - start);
        status = tiles_bundle_next(&chain->entries[i].bytes, &bundle);
    }
    return (status == ST_OK && bundle.size == 0) ||
           unit_fault(checking->unit, checking->report, REPORT_NO_INDEX,
                      chain->name,
                      "it has not as many entries as its name "
                      "says");
}

static bool unit_bundle_check(struct unit_chain *chain, const struct tile *tile)
{
    const struct unit_entries *checking = chain->checking;
    const struct archive_file file = {.kind = ARCHIVE_BUNDLE, .tile = *tile};
    const uint8_t(*leaves)[HASH_SIZE];
    size_t size;

    unit_file_name(chain->name, &file);
    if (!unit_unpack(checking->unit, checking->report, chain->bundle, &size,
                     tile) ||
        !unit_bundle_split(chain, slice_of(chain->bundle, size), tile->width))
        return false;
    workers_start(checking->workers, tile->width, chain, unit_entries_run);
    workers_wait(checking->workers);
    leaves = unit_tiles_leaves(checking->tiles, tile);
    if (leaves == NULL)
        return false;
    chain->next = tile->index << TILE_HEIGHT;
    for (unsigned i = 0; i < tile->width; i++) {
        if (!unit_entry_judge(chain, &chain->entries[i], leaves[i]))
            return false;
    }
    return true;
}

static bool unit_chain_ends(const struct unit_chain *chain)
{
    const struct unit_entries *checking = chain->checking;
    const struct unit *unit = checking->unit;
    const struct archive_unit *told = &unit->told;

    if (memcmp(chain->last_leaf, told->leaf_after, HASH_SIZE) != 0)
        return unit_fault(unit, checking->report, REPORT_NO_INDEX,
                          ARCHIVE_MANIFEST,
                          "the last entry has another leaf hash");
    if (chain->bytes != told->bytes)
        return unit_fault(unit, checking->report, REPORT_NO_INDEX,
                          ARCHIVE_MANIFEST,
                          "the entries have another number of bytes");
    if (checking->tree_only)
        return true;
    if (memcmp(chain->categories, told->categories, sizeof told->categories) !=
        0)
        return unit_fault(unit, checking->report, REPORT_NO_INDEX,
                          ARCHIVE_MANIFEST,
                          "the entries are of other categories");
    for (size_t i = 0; i < unit->signers_count; i++) {
        if (!unit->signers[i].is_used)
            return unit_fault(unit, checking->report, REPORT_NO_INDEX, "keys",
                              "it has a key that signed nothing here");
    }
    return true;
}

bool unit_entries_check(const struct unit_entries *checking)
{
    struct unit_chain *chain = calloc(1, sizeof *chain);
    struct archive_walk walk;
    struct archive_file file;
    bool good;

    if (chain == NULL)
        return report_lacks_memory(checking->report);
    chain->checking = checking;
    chain->bundle = malloc(ARCHIVE_BUNDLE_SIZE_MAX);
    good = chain->bundle != NULL || report_lacks_memory(checking->report);
    archive_walk_init(&walk, &checking->unit->told);
    while (good && archive_walk_next(&walk, &file)) {
        if (file.kind == ARCHIVE_BUNDLE)
            good = unit_bundle_check(chain, &file.tile);
    }
    good = good && unit_chain_ends(chain);
    free(chain->bundle);
    free(chain);
    return good;
}
