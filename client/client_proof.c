/*
 * client_proof.c: proofs of the log, asked for and verified.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/client_state.h"
#include "protocol/checkpoint.h"
#include "protocol/tree.h"

/* Until the entry's checkpoint is made; the server signs once a second, and
 * those whom its policy names follow. */
enum { PROOF_RETRY_MS = 300, PROOF_WITNESS_MS_MAX = 5000 };

static void proof_pause(void)
{
    const struct timespec pause = {.tv_nsec = PROOF_RETRY_MS * 1000000L};

    (void)nanosleep(&pause, NULL);
}

/* The PROOF in client->proof, whose data are client->rows. */
static int proof_ask(struct defter *client, const struct message_proof_get *ask)
{
    int64_t deadline_ms = client_steady_ms() + client->timeout_ms;
    int status;

    do {
        status = client_ask(client, ask, deadline_ms);
        if (status == ST_BUSY)
            proof_pause();
    } while (status == ST_BUSY && client_steady_ms() < deadline_ms);
    if (status == ST_OK && client->proof.kind != ask->kind)
        status = client_fail(client, ST_PROOF, "another proof was asked for");
    return status;
}

/* The key of the log's checkpoints: the caller's, or as the node told. */
static int proof_key(struct note_key *out, struct defter *client,
                     const char *log_key)
{
    const char *text = log_key;

    if (text == NULL)
        text = client->session == NULL ? "" : session_log_key(client->session);
    if (note_key_read(out, slice_of(text, strlen(text))) != ST_OK ||
        out->type != NOTE_ED25519)
        return client_fail(client, ST_USAGE, "this is no key of a log");
    return ST_OK;
}

/* What came, taken apart; its note is one of this log's checkpoints. */
static int proof_open(struct defter *client, struct defter_proof *out,
                      const char *log_key)
{
    const struct message_proof *from = &client->proof;
    size_t hashes_size = (size_t)from->hashes_count * HASH_SIZE;
    struct checkpoint checkpoint;
    struct note_key key;
    struct note note;
    int status = proof_key(&key, client, log_key);

    if (status != ST_OK)
        return status;
    memset(out, 0, sizeof *out);
    if (client->rows_size < hashes_size)
        return client_fail(client, ST_PROOF, "the proof is cut short");
    out->note = client->rows + hashes_size;
    out->note_size = client->rows_size - hashes_size;
    status = (int)checkpoint_open(&checkpoint, &note,
                                  slice_of(out->note, out->note_size), &key);
    if (status != ST_OK)
        return client_fail(client, status,
                           "the checkpoint is not signed by this log");
    out->standing = from->standing;
    out->index = from->index;
    out->tree_size = checkpoint.size;
    memcpy(out->root, checkpoint.root, HASH_SIZE);
    out->hashes_count = from->hashes_count;
    memcpy(out->hashes, client->rows, hashes_size);
    return ST_OK;
}

/* Inclusion of ${leaf}. */
static int proof_entry(struct defter *client,
                       const struct message_proof_get *ask, const char *log_key,
                       const uint8_t leaf[HASH_SIZE], struct defter_proof *out)
{
    int status = proof_ask(client, ask);

    if (status == ST_OK)
        status = proof_open(client, out, log_key);
    if (status != ST_OK)
        return status;
    if (tree_inclusion_check(leaf, out->index, out->tree_size, out->root,
                             (const uint8_t(*)[HASH_SIZE])out->hashes,
                             out->hashes_count) != ST_OK)
        return client_fail(client, ST_PROOF,
                           "the log does not hold this entry there");
    return ST_OK;
}

int defter_proof_entry(struct defter *client, uint64_t index,
                       const uint8_t leaf[32], const char *log_key, int newest,
                       struct defter_proof *proof_out)
{
    const struct message_proof_get ask = {
        .kind = PROOF_ENTRY,
        .which = newest ? PROOF_NEWEST : PROOF_BEST,
        .index = index,
    };
    int status = index > INT64_MAX
                     ? client_fail(client, ST_USAGE, "there is no such index")
                     : proof_entry(client, &ask, log_key, leaf, proof_out);

    if (status == ST_OK && proof_out->index != index)
        status = client_fail(client, ST_PROOF, "another entry is proven");
    return status;
}

/* Whether the best checkpoint of this node is a witnessed one; a hint, and
 * nothing of it is believed. */
static bool proof_has_witnesses(struct defter *client)
{
    const struct message_proof_get ask = {
        .kind = PROOF_CONSISTENCY, .which = PROOF_BEST, .index = 1};

    return proof_ask(client, &ask) == ST_OK &&
           client->proof.standing == PROOF_WITNESSED;
}

int client_proof_witnessed(struct defter *client, uint64_t index,
                           const uint8_t leaf[HASH_SIZE],
                           struct defter_proof *out)
{
    bool waits = proof_has_witnesses(client);
    int64_t deadline_ms = client_steady_ms() + PROOF_WITNESS_MS_MAX;
    int status;

    for (;;) {
        status = defter_proof_entry(client, index, leaf, NULL, 0, out);
        if (status != ST_OK || !waits || out->standing == PROOF_WITNESSED ||
            client_steady_ms() >= deadline_ms)
            return status;
        proof_pause();
    }
}

int defter_proof_command(struct defter *client, const uint8_t key_id[16],
                         const uint8_t idem[16], const uint8_t leaf[32],
                         const char *log_key, int newest,
                         struct defter_proof *proof_out)
{
    struct message_proof_get ask = {
        .kind = PROOF_COMMAND,
        .which = newest ? PROOF_NEWEST : PROOF_BEST,
    };

    memcpy(ask.key_id.b, key_id, KEY_ID_SIZE);
    memcpy(ask.idem.b, idem, IDEM_SIZE);
    return proof_entry(client, &ask, log_key, leaf, proof_out);
}

int defter_proof_consistency(struct defter *client, uint64_t older_size,
                             const uint8_t older_root[32], const char *log_key,
                             struct defter_proof *proof_out)
{
    const struct message_proof_get ask = {
        .kind = PROOF_CONSISTENCY, .which = PROOF_NEWEST, .index = older_size};
    uint8_t nothing[HASH_SIZE];
    int status;

    if (older_size > INT64_MAX)
        return client_fail(client, ST_USAGE, "there is no such size");
    if (older_size == 0) {
        tree_root_of(nothing, NULL, 0);
        older_root = nothing;
    } else if (older_root == NULL) {
        return client_fail(client, ST_USAGE, "a size without its root");
    }
    status = proof_ask(client, &ask);
    if (status == ST_OK)
        status = proof_open(client, proof_out, log_key);
    if (status != ST_OK)
        return status;
    if (tree_consistency_check(older_size, older_root, proof_out->tree_size,
                               proof_out->root,
                               (const uint8_t(*)[HASH_SIZE])proof_out->hashes,
                               proof_out->hashes_count) != ST_OK)
        return client_fail(client, ST_PROOF,
                           "the older tree is not the beginning of this one");
    return ST_OK;
}

int defter_proof_bytes(struct defter *client, uint64_t index,
                       const uint8_t **entry_out, size_t *size_out)
{
    const struct message_proof_get ask = {
        .kind = PROOF_BYTES, .which = PROOF_BEST, .index = index};
    int status = index > INT64_MAX
                     ? client_fail(client, ST_USAGE, "there is no such index")
                     : proof_ask(client, &ask);

    if (status != ST_OK)
        return status;
    *entry_out = client->rows;
    *size_out = client->rows_size;
    return ST_OK;
}

int client_proof_outcome(struct defter *client, uint64_t index)
{
    const struct message_proof_get ask = {
        .kind = PROOF_OUTCOME, .which = PROOF_BEST, .index = index};

    return proof_ask(client, &ask);
}

int defter_log_key(struct defter *client, char *out, size_t size)
{
    int status = defter_connect(client);
    const char *key;

    if (status != ST_OK)
        return status;
    key = session_log_key(client->session);
    if (key[0] == '\0' || strlen(key) >= size)
        return client_fail(client, ST_NO_SUCH, "the node names no log key");
    memcpy(out, key, strlen(key) + 1);
    return ST_OK;
}
