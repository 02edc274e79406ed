/*
 * evidence_proof.c: what other threads ask: notes, cosignatures, proofs.
 */
#include <string.h>

#include "server/evidence/evidence_private.h"

/* ---- Notes and cosignatures --------------------------------------------- */

static enum status copy_note(const struct notes_note *note, uint8_t *out,
                             size_t *size_out)
{
    if (note == NULL)
        return ST_NO_SUCH;
    memcpy(out, note->bytes, note->bytes_size);
    *size_out = note->bytes_size;
    return ST_OK;
}

enum status evidence_note(struct evidence *evidence, uint8_t *out,
                          size_t *size_out)
{
    enum status status;

    (void)pthread_mutex_lock(&evidence->lock);
    status = copy_note(notes_newest(&evidence->notes), out, size_out);
    (void)pthread_mutex_unlock(&evidence->lock);
    return status;
}

enum status evidence_note_witnessed(struct evidence *evidence, uint8_t *out,
                                    size_t *size_out)
{
    enum status status;

    (void)pthread_mutex_lock(&evidence->lock);
    status = copy_note(evidence->witnessed, out, size_out);
    (void)pthread_mutex_unlock(&evidence->lock);
    return status;
}

/* With the lock held: the thread looks at once. */
static void poke(struct evidence *evidence)
{
    evidence->poked = true;
    (void)pthread_cond_signal(&evidence->changed);
}

enum status evidence_take_note(struct evidence *evidence, struct slice bytes)
{
    struct notes_note *note;
    enum status status = notes_read(&note, &evidence->notes, bytes);

    if (status != ST_OK)
        return status;
    note->time_s = evidence_wall_s(evidence);
    (void)pthread_mutex_lock(&evidence->lock);
    notes_wait(&evidence->notes, note);
    poke(evidence);
    (void)pthread_mutex_unlock(&evidence->lock);
    return ST_OK;
}

enum status evidence_add_cosignature(struct evidence *evidence, uint64_t size,
                                     struct slice line)
{
    struct notes_note *note;
    enum status status = ST_NO_SUCH;

    (void)pthread_mutex_lock(&evidence->lock);
    note = notes_of(&evidence->notes, size);
    if (note != NULL)
        status = notes_add_line(note, &evidence->notes, line);
    if (status == ST_OK)
        poke(evidence);
    (void)pthread_mutex_unlock(&evidence->lock);
    return status;
}

enum status evidence_cosign_begin(struct evidence *evidence, uint64_t size,
                                  const uint8_t root[HASH_SIZE], int64_t time_s)
{
    uint8_t own[HASH_SIZE];
    struct evidence_value value;
    enum signer_verdict verdict;
    enum status status = tree_files_root(evidence->tree, own, size);

    if (status == ST_NO_SUCH)
        return ST_AGAIN;
    if (status != ST_OK) {
        tree_files_doubt(evidence->tree);
        return ST_BUSY;
    }
    if (memcmp(own, root, HASH_SIZE) != 0)
        return ST_PROOF;
    (void)pthread_mutex_lock(&evidence->state_lock);
    value = evidence->state.value;
    verdict = signer_cosign(&value, size, root);
    if (!evidence->has_state)
        status = ST_DISK_FAILED;
    else if (!evidence->agrees && !value.contradicted)
        status = ST_AGAIN;
    else if (verdict == SIGNER_CONTRADICTS)
        status = ST_PROOF;
    else if (verdict != SIGNER_SIGN)
        status = ST_END;
    if (status == ST_OK) {
        value.cosigned = (struct evidence_head){.size = size, .time_s = time_s};
        memcpy(value.cosigned.root, root, HASH_SIZE);
        status = evidence_state_write(&evidence->state, &value);
        if (status != ST_OK)
            evidence_lose_state(evidence, status);
    }
    (void)pthread_mutex_unlock(&evidence->state_lock);
    return status;
}

/* ---- Proofs ------------------------------------------------------------- */

/* The note that a proof about the first ${size} entries goes with. */
static enum status take_proof_note(struct evidence *evidence,
                                   struct evidence_proof *out,
                                   uint8_t root_out[HASH_SIZE], uint64_t size,
                                   enum evidence_which which)
{
    const struct notes_note *note;
    enum status status = ST_NO_SUCH;

    (void)pthread_mutex_lock(&evidence->lock);
    note = which == EVIDENCE_BEST ? evidence->witnessed : NULL;
    if (note == NULL || note->size < size)
        note = notes_newest(&evidence->notes);
    if (note != NULL && note->size >= size) {
        out->tree_size = note->size;
        memcpy(root_out, note->root, HASH_SIZE);
        status = copy_note(note, out->note, &out->note_size);
    }
    (void)pthread_mutex_unlock(&evidence->lock);
    return status;
}

/* What does not check is no proof, whatever the reason: it never leaves. */
static enum status checked(struct evidence *evidence, enum status status)
{
    if (status == ST_OK)
        return ST_OK;
    tree_files_doubt(evidence->tree);
    return ST_BUSY;
}

enum status evidence_inclusion(struct evidence *evidence,
                               struct evidence_proof *out, uint64_t index,
                               enum evidence_which which)
{
    const struct tree_source source = tree_files_source(evidence->tree);
    uint8_t leaf[HASH_SIZE];
    uint8_t root[HASH_SIZE];
    enum status status;

    if (index >= TREE_SIZE_MAX)
        return ST_NO_SUCH;
    status = take_proof_note(evidence, out, root, index + 1, which);
    if (status != ST_OK)
        return status;
    status = source.read(source.context, leaf, 0, index);
    if (status == ST_OK)
        status = tree_inclusion_make(out->hashes, &out->hashes_count, &source,
                                     index, out->tree_size);
    if (status == ST_OK)
        status = tree_inclusion_check(leaf, index, out->tree_size, root,
                                      (const uint8_t(*)[HASH_SIZE])out->hashes,
                                      out->hashes_count);
    return checked(evidence, status);
}

/* ${newer_root} does not come from here. */
static enum status make_consistency(struct evidence *evidence,
                                    uint8_t (*hashes_out)[HASH_SIZE],
                                    size_t *count_out, uint64_t older,
                                    uint64_t newer,
                                    const uint8_t newer_root[HASH_SIZE])
{
    const struct tree_source source = tree_files_source(evidence->tree);
    uint8_t older_root[HASH_SIZE];
    enum status status = tree_files_root(evidence->tree, older_root, older);

    if (status == ST_OK)
        status =
            tree_consistency_make(hashes_out, count_out, &source, older, newer);
    if (status == ST_OK)
        status = tree_consistency_check(older, older_root, newer, newer_root,
                                        (const uint8_t(*)[HASH_SIZE])hashes_out,
                                        *count_out);
    return checked(evidence, status);
}

enum status evidence_consistency_between(struct evidence *evidence,
                                         uint8_t (*hashes_out)[HASH_SIZE],
                                         size_t *count_out, uint64_t older,
                                         uint64_t newer)
{
    uint8_t newer_root[HASH_SIZE];
    enum status status;

    REQUIRE(older <= newer);
    status = tree_files_root(evidence->tree, newer_root, newer);
    if (status == ST_NO_SUCH)
        return status;
    if (status != ST_OK)
        return checked(evidence, status);
    return make_consistency(evidence, hashes_out, count_out, older, newer,
                            newer_root);
}

enum status evidence_consistency(struct evidence *evidence,
                                 struct evidence_proof *out, uint64_t older,
                                 enum evidence_which which)
{
    uint8_t root[HASH_SIZE];
    enum status status = take_proof_note(evidence, out, root, older, which);

    if (status != ST_OK)
        return status;
    return make_consistency(evidence, out->hashes, &out->hashes_count, older,
                            out->tree_size, root);
}

/* ---- Standing and status ------------------------------------------------ */

enum evidence_standing evidence_standing(struct evidence *evidence,
                                         uint64_t index, bool replicated)
{
    bool witnessed;

    (void)pthread_mutex_lock(&evidence->lock);
    witnessed =
        evidence->witnessed != NULL && index < evidence->witnessed->size;
    (void)pthread_mutex_unlock(&evidence->lock);
    if (witnessed)
        return EVIDENCE_WITNESSED;
    return replicated ? EVIDENCE_REPLICATED : EVIDENCE_LOCAL;
}

void evidence_status(struct evidence *evidence, struct evidence_status *out)
{
    const struct notes_note *note;

    *out = (struct evidence_status){
        .tree_size = tree_files_size(evidence->tree),
        .has_policy = evidence->parts.policy != NULL,
    };
    (void)pthread_mutex_lock(&evidence->lock);
    out->idle = evidence->idle;
    out->has_foreign = evidence->has_foreign;
    note = notes_newest(&evidence->notes);
    if (note != NULL) {
        out->note_size = note->size;
        out->note_time_s = note->time_s;
    }
    if (evidence->witnessed != NULL)
        out->witnessed_size = evidence->witnessed->size;
    (void)pthread_mutex_unlock(&evidence->lock);
}

enum status evidence_root(struct evidence *evidence, uint8_t out[HASH_SIZE],
                          uint64_t size)
{
    enum status status = tree_files_root(evidence->tree, out, size);

    return status == ST_OK || status == ST_NO_SUCH ? status
                                                   : checked(evidence, status);
}
