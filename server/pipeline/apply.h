/*
 * apply.h: entries become state, in the order of the log (PROTOCOL, section 6,
 * steps 7 to 14).
 *
 * One code path for entries that were just committed and for those replayed
 * from the log: a node that replays comes to the same outcomes and the same
 * state digest.  What this machine fails at ends the process; it is never an
 * outcome.
 *
 * The apply thread's; at start the main thread's.
 */
#ifndef DEFTER_SERVER_PIPELINE_APPLY_H
#define DEFTER_SERVER_PIPELINE_APPLY_H

#include "protocol/identity.h"
#include "replication/disk.h"
#include "server/pipeline/attest.h"
#include "server/pipeline/directory.h"
#include "server/pipeline/idempotency.h"
#include "server/pipeline/pipeline.h"
#include "server/store/keyring.h"
#include "server/store/search.h"

/* Borrowed until apply_close(). */
struct apply_parts {
    struct state *state;
    struct keyring *keyring;
    struct search *search;
    struct directory *directory;
    struct idempotency *idempotency;
    const struct identity *identity; /* The node's receipt key. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct disk *snapshots; /* Where snapshots are kept; NULL: nowhere. */
    /* Entry bytes by index, below the entry being applied; lent until the next
     * call. */
    void *log;
    enum status (*read_entry)(void *log, uint64_t index,
                              struct slice *entry_out);
    /* An entry that could be read when it was looked at before can be read no
     * more, in the middle of an act: ends the process.  NULL: abort(). */
    void (*failed)(void *context, enum status status, uint64_t index,
                   const char *what);
};

/* What an entry came to; slices are lent until the next entry. */
struct apply_outcome {
    uint16_t code;
    bool batch;
    bool wants_receipt;
    uint64_t index;
    uint32_t epoch;
    int64_t log_time;
    uint8_t leaf[HASH_SIZE];
    uint8_t command_hash[HASH_SIZE];
    uint8_t result_hash[HASH_SIZE];
    struct slice result;
    bool result_omitted;
};

/* What an entry changed that others outside the state hold copies of; given
 * out at apply_tell() and apply_commit(). */
struct apply_changes {
    void *context;
    /* A key or its accounts changed; ${ended}: it is no longer active. */
    void (*key)(void *context, const uint8_t key_id[KEY_ID_SIZE], bool ended);
    /* A purpose or another public row changed. */
    void (*open_data)(void *context);
    /* A journal.watch was granted. */
    void (*watch)(void *context, uint64_t index,
                  const uint8_t key_id[KEY_ID_SIZE], uint32_t assignment,
                  uint64_t from, uint16_t categories);
};

struct apply;

/*
 * apply_check_keys(lacks_out, state, keyring):
 * Whether the keyring has every seal key that rows of the state need, and no
 * act destroyed.  With anything but ST_OK no apply can be opened.
 *
 * Returns: ST_OK; ST_KEY_MISSING or ST_SEAL as in ${lacks_out}: keyring.db was
 *          lost, put back from before, or is damaged; ST_FILE_FORMAT: the state
 *          is damaged, or from before an act that the keyring knows (delete it
 *          and replay).
 */
struct apply_lacks {
    uint64_t keys;      /* Numbers looked for in vain, or that do not open;
                           one may count more than once. */
    uint64_t first;     /* The lowest of them. */
    enum status status; /* Of it; ST_OK: none. */
};
NODISCARD enum status apply_check_keys(struct apply_lacks *lacks_out,
                                       struct state *state,
                                       struct keyring *keyring);

/*
 * apply_open(apply_out, parts):
 * Go on where the state's head is.
 *
 * Returns: ST_OK; ST_FILE_FORMAT if the state lacks rows that it must have
 *          (delete it and replay).
 * Requires: apply_check_keys() gave ST_OK.
 */
NODISCARD enum status apply_open(struct apply **apply_out,
                                 const struct apply_parts *parts);
void apply_close(struct apply *apply);

/* From now on changes are told; before, at replay, nobody asks. */
void apply_set_changes(struct apply *apply,
                       const struct apply_changes *changes);

/* Fill the search index from the state, at start. */
void apply_load_search(struct apply *apply);
/* Fill the directory from the state, at start. */
void apply_load_directory(struct apply *apply);

/* One transaction takes groups of entries; what it has not committed when the
 * node dies is replayed from the log.
 * Order: apply_tell() after each group, apply_commit() after the last. */
void apply_begin(struct apply *apply);
void apply_tell(struct apply *apply);
void apply_commit(struct apply *apply);

/*
 * apply_entry(apply, out, work, now_ms):
 * Apply an entry that this process sequenced from ${work}.
 *
 * Returns: ST_OK; ST_DIVERGED if it attests what this node did not come to,
 *          also where it is refused: the node stops; ST_CHECKSUM, and nothing
 *          of it is done, if it reads an entry that is damaged here.
 */
NODISCARD enum status apply_entry(struct apply *apply,
                                  struct apply_outcome *out,
                                  const struct work *work, int64_t now_ms);

/*
 * apply_replay(apply, entry):
 * Apply an entry as read from the log: its signature and commitments are
 * verified first, and its sealed items opened.
 *
 * Returns: ST_OK; ST_ENTRY_FORMED; ST_CHAIN_BROKEN; ST_STALE_KEY or ST_BAD_SIG
 *          for a signature that does not hold; ST_SEAL; ST_KEY_MISSING;
 *          ST_DIVERGED; ST_CHECKSUM as apply_entry(); ST_CONTENT_GONE, and
 *          nothing of it is done, if an act above it destroyed what it holds: a
 *          snapshot takes its place.
 */
NODISCARD enum status apply_replay(struct apply *apply, struct slice entry);

/*
 * apply_known(apply, out, work):
 * The outcome of a command that was applied before (work->known).
 *
 * Returns: ST_OK; ST_IDEM_CONFLICT if the former bytes were others;
 *          ST_IN_PROGRESS if its row is just being forgotten, or its entry is
 *          damaged here and not yet repaired.
 */
NODISCARD enum status apply_known(struct apply *apply,
                                  struct apply_outcome *out,
                                  const struct work *work);

/* Whether a command is known, as apply_known() knows it, where it stands, and
 * the code of its answer: ST_OK if every item was done. */
bool apply_find(struct apply *apply, uint64_t *index_out, uint16_t *code_out,
                const uint8_t key_id[KEY_ID_SIZE],
                const uint8_t idem[IDEM_SIZE]);

/* What shows the outcome of an entry to others. */
struct apply_shown {
    uint64_t attestation; /* Entry. */
    struct attestation_path path;
};

/*
 * apply_outcome_of(apply, out, index):
 * Of entry ${index}, which is an extract.issue that was done.
 *
 * Returns: ST_OK; ST_BUSY while it is not attested; ST_NO_SUCH for other
 *          entries, and once the command is forgotten.
 */
NODISCARD enum status apply_outcome_of(struct apply *apply,
                                       struct apply_shown *out, uint64_t index);

/* Entries applied, and the attestations' notes. */
uint64_t apply_size(const struct apply *apply);
struct attest *apply_attest(struct apply *apply);
/* Whether the cluster secret stands in the log. */
bool apply_has_secret(const struct apply *apply);
/* Services as handlers see them, for readers on the apply thread. */
struct act_services *apply_services(struct apply *apply);

#endif
