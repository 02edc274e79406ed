/*
 * evidence_sign.c: what the evidence thread signs, takes, and makes durable.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "server/evidence/checkpoint_files.h"
#include "server/evidence/evidence_private.h"

/* How far the tree grows before its anchor follows. */
enum { EVIDENCE_ANCHOR_ENTRIES = 65536 };

/* ---- Whether it may ----------------------------------------------------- */

static void set_idle(struct evidence *evidence, enum evidence_idle idle)
{
    (void)pthread_mutex_lock(&evidence->lock);
    evidence->idle = idle;
    (void)pthread_mutex_unlock(&evidence->lock);
}

void evidence_lose_state(struct evidence *evidence, enum status status)
{
    evidence->has_state = false;
    evidence_state_close(&evidence->state);
    evidence_say(evidence, EVIDENCE_FAILURE,
                 "the file " EVIDENCE_STATE_FILE
                 " cannot be written (%s): nothing is signed any more",
                 status_info(status)->english);
}

/* With the state's lock held. */
static bool write_state(struct evidence *evidence,
                        const struct evidence_value *value)
{
    enum status status = evidence_state_write(&evidence->state, value);

    if (status != ST_OK)
        evidence_lose_state(evidence, status);
    return status == ST_OK;
}

/* With the state's lock held. */
static void contradict(struct evidence *evidence)
{
    struct evidence_value value = evidence->state.value;

    evidence->agrees = false;
    value.contradicted = true;
    if (evidence->has_state && !evidence->state.value.contradicted)
        (void)write_state(evidence, &value);
    evidence->state.value.contradicted = true;
}

static enum status root_of(void *context, uint8_t out[HASH_SIZE], uint64_t size)
{
    struct evidence *evidence = context;
    enum status status = tree_files_root(evidence->tree, out, size);

    if (status == ST_PROOF || status == ST_FILE_FORMAT)
        tree_files_doubt(evidence->tree);
    return status;
}

void evidence_agree(struct evidence *evidence)
{
    enum signer_verdict verdict;

    (void)pthread_mutex_lock(&evidence->state_lock);
    if (!evidence->agrees && evidence->has_state &&
        !evidence->state.value.contradicted) {
        verdict = signer_agrees(&evidence->state.value, evidence, root_of);
        evidence->agrees = verdict == SIGNER_SIGN;
        if (verdict == SIGNER_CONTRADICTS) {
            evidence_say(evidence, EVIDENCE_FAILURE,
                         "this log is not the one that was signed here: "
                         "nothing is signed any more");
            contradict(evidence);
        }
    }
    (void)pthread_mutex_unlock(&evidence->state_lock);
}

/* With the state's lock held. */
static enum evidence_idle idle_now(const struct evidence *evidence, bool leads)
{
    if (!evidence->has_state)
        return EVIDENCE_DISK;
    if (evidence->state.value.contradicted)
        return EVIDENCE_CONTRADICTS;
    if (evidence->parts.log_identity == NULL)
        return EVIDENCE_NO_KEY;
    if (!leads)
        return EVIDENCE_FOLLOWS;
    return evidence->agrees ? EVIDENCE_SIGNS : EVIDENCE_BEHIND;
}

/* ---- Checkpoints that are true ------------------------------------------ */

/* Lends the thread's copy of a kept note. */
static struct evidence_checkpoint lend(struct evidence *evidence,
                                       const struct notes_note *note)
{
    struct notes_note *copy = evidence->scratch;
    struct evidence_checkpoint out;

    *copy = *note;
    out = (struct evidence_checkpoint){
        .size = copy->size,
        .text = slice_of(copy->bytes, copy->text_size),
        .note = slice_of(copy->bytes, copy->bytes_size),
        .own = copy->own,
    };
    memcpy(out.root, copy->root, HASH_SIZE);
    return out;
}

/* Takes ${note}. */
static void keep(struct evidence *evidence, struct notes_note *note)
{
    const struct evidence_events *events = &evidence->parts.events;
    struct evidence_checkpoint checkpoint;
    bool is_new;

    (void)pthread_mutex_lock(&evidence->lock);
    is_new = notes_keep(&evidence->notes, note);
    if (is_new)
        checkpoint = lend(evidence, note);
    (void)pthread_mutex_unlock(&evidence->lock);
    if (is_new && events->checkpoint != NULL)
        events->checkpoint(events->context, &checkpoint);
}

static void write_note(struct evidence *evidence, const char *name,
                       struct slice note)
{
    enum status status =
        checkpoint_file_write(evidence->parts.disk, name, note);

    if (status != ST_OK)
        evidence_say(evidence, EVIDENCE_WARNING, "%s cannot be written: %s",
                     name, status_info(status)->english);
}

/* The log's key signed what this node does not have.  Who did it cannot be told
 * from here, and this node's own truth is not less true for it. */
static void foreign(struct evidence *evidence, const struct notes_note *note,
                    const uint8_t root[HASH_SIZE])
{
    char theirs[EVIDENCE_SHORT_SIZE];
    char own[EVIDENCE_SHORT_SIZE];
    bool known;

    (void)pthread_mutex_lock(&evidence->lock);
    known = evidence->has_foreign;
    evidence->has_foreign = true;
    (void)pthread_mutex_unlock(&evidence->lock);
    if (known)
        return;
    write_note(evidence, FILE_CHECKPOINT_CONTRADICTS,
               slice_of(note->bytes, note->bytes_size));
    evidence_short(theirs, note->root);
    evidence_short(own, root);
    evidence_say(evidence, EVIDENCE_FAILURE,
                 "a checkpoint of %" PRIu64 " entries has the root %s..., and "
                 "this log has %s...: kept as " FILE_CHECKPOINT_CONTRADICTS,
                 note->size, theirs, own);
}

void evidence_compare(struct evidence *evidence)
{
    uint8_t root[HASH_SIZE];
    struct notes_note *note;

    for (;;) {
        enum status status;

        (void)pthread_mutex_lock(&evidence->lock);
        note = notes_take_waiting(&evidence->notes,
                                  tree_files_size(evidence->tree));
        (void)pthread_mutex_unlock(&evidence->lock);
        if (note == NULL)
            return;
        status = root_of(evidence, root, note->size);
        if (status != ST_OK) {
            /* Once the tree is mended. */
            (void)pthread_mutex_lock(&evidence->lock);
            notes_wait(&evidence->notes, note);
            (void)pthread_mutex_unlock(&evidence->lock);
            return;
        }
        if (memcmp(root, note->root, HASH_SIZE) == 0) {
            keep(evidence, note);
        } else {
            foreign(evidence, note, root);
            notes_close(note);
        }
    }
}

/* ---- Signing ------------------------------------------------------------ */

/* With the state's lock held; NULL if nothing is to be signed. */
static struct notes_note *sign_edge(struct evidence *evidence,
                                    const struct tree *edge)
{
    uint8_t bytes[NOTE_NAME_SIZE_MAX * 2 + 512];
    uint8_t root[HASH_SIZE];
    struct notes_note *note;
    struct writer writer;
    enum signer_verdict verdict;
    enum status status;

    tree_root(edge, root);
    verdict = signer_judge(&evidence->state.value, edge->size, root);
    if (verdict == SIGNER_CONTRADICTS)
        contradict(evidence);
    if (verdict != SIGNER_SIGN)
        return NULL;
    writer_init(&writer, bytes, sizeof bytes);
    status = signer_sign(&writer, &evidence->state, edge->size, root,
                         evidence_wall_s(evidence), &evidence->log_key,
                         evidence->parts.log_identity);
    if (status != ST_OK) {
        evidence_lose_state(evidence, status);
        return NULL;
    }
    INVARIANT(writer.status == ST_OK);
    status = notes_read(&note, &evidence->notes, writer_slice(&writer));
    INVARIANT(status == ST_OK);
    note->own = true;
    note->time_s = evidence->state.value.signed_here.time_s;
    return note;
}

void evidence_sign(struct evidence *evidence, bool now)
{
    int64_t now_ms = evidence_boot_ms(evidence);
    struct notes_note *note = NULL;
    struct tree edge;
    enum evidence_idle idle;
    uint64_t lead_size;
    bool leads;

    tree_files_edge(evidence->tree, &edge);
    (void)pthread_mutex_lock(&evidence->lock);
    leads = evidence->leads;
    lead_size = evidence->lead_size;
    (void)pthread_mutex_unlock(&evidence->lock);
    (void)pthread_mutex_lock(&evidence->state_lock);
    idle = idle_now(evidence, leads);
    if (idle == EVIDENCE_SIGNS && edge.size >= lead_size && edge.size > 0 &&
        (now || now_ms - evidence->signed_ms >= EVIDENCE_SIGN_MS)) {
        note = sign_edge(evidence, &edge);
        idle = idle_now(evidence, leads);
    }
    (void)pthread_mutex_unlock(&evidence->state_lock);
    set_idle(evidence, idle);
    if (note == NULL)
        return;
    evidence->signed_ms = now_ms;
    keep(evidence, note);
}

/* ---- What is written ---------------------------------------------------- */

/* The newest note that changed; the thread's copy, lent. */
static bool take_changed(struct evidence *evidence,
                         struct evidence_checkpoint *out, bool *newest_out)
{
    struct notes *notes = &evidence->notes;
    bool found = false;

    (void)pthread_mutex_lock(&evidence->lock);
    for (size_t i = notes->kept_count; i > 0 && !found; i--) {
        struct notes_note *note = notes->kept[i - 1];

        if (!note->changed)
            continue;
        found = true;
        note->changed = false;
        *newest_out = i == notes->kept_count;
        *out = lend(evidence, note);
    }
    (void)pthread_mutex_unlock(&evidence->lock);
    return found;
}

/* Durable before anybody is told. */
static bool note_witnessed(struct evidence *evidence,
                           const struct evidence_checkpoint *checkpoint)
{
    struct evidence_value value;
    bool good = false;

    (void)pthread_mutex_lock(&evidence->state_lock);
    value = evidence->state.value;
    if (evidence->has_state && checkpoint->size > value.witnessed.size) {
        value.witnessed.size = checkpoint->size;
        memcpy(value.witnessed.root, checkpoint->root, HASH_SIZE);
        value.witnessed.time_s = evidence_wall_s(evidence);
        good = write_state(evidence, &value);
    } else if (evidence->has_state) {
        good = checkpoint->size == value.witnessed.size;
    }
    (void)pthread_mutex_unlock(&evidence->state_lock);
    return good;
}

static void settle_witnessed(struct evidence *evidence,
                             const struct evidence_checkpoint *checkpoint)
{
    const struct evidence_events *events = &evidence->parts.events;
    struct notes_note *copy;
    bool is_new;

    if (!note_witnessed(evidence, checkpoint))
        return;
    write_note(evidence, FILE_CHECKPOINT_WITNESSED, checkpoint->note);
    copy = malloc(sizeof *copy);
    NEED(copy != NULL);
    *copy = *evidence->scratch;
    (void)pthread_mutex_lock(&evidence->lock);
    is_new =
        evidence->witnessed == NULL || evidence->witnessed->size < copy->size;
    notes_close(evidence->witnessed);
    evidence->witnessed = copy;
    (void)pthread_mutex_unlock(&evidence->lock);
    if (is_new && events->witnessed != NULL)
        events->witnessed(events->context, checkpoint);
}

void evidence_settle(struct evidence *evidence)
{
    struct evidence_checkpoint checkpoint;
    bool newest = false;

    while (take_changed(evidence, &checkpoint, &newest)) {
        if (newest)
            write_note(evidence, FILE_CHECKPOINT, checkpoint.note);
        if (notes_satisfies(&evidence->notes, evidence->scratch))
            settle_witnessed(evidence, &checkpoint);
    }
}

void evidence_anchor(struct evidence *evidence, bool now)
{
    struct evidence_value value;
    struct tree edge;

    tree_files_edge(evidence->tree, &edge);
    (void)pthread_mutex_lock(&evidence->state_lock);
    value = evidence->state.value;
    if (evidence->has_state && edge.size > value.seen.size &&
        (now || edge.size - value.seen.size >= EVIDENCE_ANCHOR_ENTRIES)) {
        value.seen.size = edge.size;
        value.seen.time_s = evidence_wall_s(evidence);
        tree_root(&edge, value.seen.root);
        (void)write_state(evidence, &value);
    }
    (void)pthread_mutex_unlock(&evidence->state_lock);
}
