/*
 * client_tie.c: extracts tied to the log: the entry, the attestation of what it
 * came to, and both in the tree of one checkpoint.
 */
#include <string.h>

#include "client/client_state.h"
#include "protocol/entry.h"
#include "protocol/extract_file.h"
#include "protocol/receipt.h"
#include "protocol/tlog_proof.h"

enum { TIE_TRIES = 10, TIE_SIDES_SIZE = 2 };

static int take_entry(struct defter *client, struct extract_file *file,
                      uint64_t index)
{
    const uint8_t *entry;
    size_t size;
    int status = defter_proof_bytes(client, index, &entry, &size);

    if (status == ST_OK && size > sizeof file->entry)
        status = ST_TOO_LARGE;
    if (status != ST_OK)
        return status;
    memcpy(file->entry, entry, size);
    file->entry_size = size;
    return ST_OK;
}

/* The certificate of whoever signed the attestation: the node that answers, or
 * the one that signed the receipt.  After a change of primary between the two
 * it may be neither, and a new extract has to be issued. */
static bool take_attester(struct extract_attested *attested,
                          const struct entry *entry,
                          const struct defter *client,
                          const struct extract_file *file)
{
    const uint8_t *const known[] = {session_certificate_bytes(client->session),
                                    file->certificate};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint8_t key_id[KEY_ID_SIZE];
        struct nodecert cert;

        nodecert_decode(&cert, known[i]);
        identity_key_id(key_id, cert.receipt_key);
        if (memcmp(key_id, entry->header.key_id, KEY_ID_SIZE) != 0)
            continue;
        memcpy(attested->certificate, known[i], NODECERT_SIZE);
        return true;
    }
    return false;
}

/* Hashes, their sides, and the attestation. */
static int take_outcome(struct extract_attested *attested,
                        const struct defter *client)
{
    struct attestation_path *path = &attested->outcome;
    size_t path_size = (size_t)client->proof.hashes_count * HASH_SIZE;
    struct reader reader;
    struct slice entry;

    if (client->proof.hashes_count > ATTEST_HASHES_MAX)
        return ST_TOO_LARGE;
    reader_init(&reader, slice_of(client->rows, client->rows_size));
    path->count = client->proof.hashes_count;
    reader_copy(&reader, path->hashes, path_size);
    path->lefts = reader_u16(&reader);
    if (reader.status != ST_OK)
        return ST_PROOF;
    entry = slice_of(client->rows + path_size + TIE_SIDES_SIZE,
                     client->rows_size - path_size - TIE_SIDES_SIZE);
    if (entry.size == 0 || entry.size > sizeof attested->entry)
        return ST_TOO_LARGE;
    memcpy(attested->entry, entry.data, entry.size);
    attested->entry_size = entry.size;
    return ST_OK;
}

/* What shows the outcome; ${*index_out} is the attestation. */
static int take_attestation(struct defter *client,
                            struct extract_attested *attested,
                            uint64_t *index_out, uint8_t leaf_out[HASH_SIZE],
                            const struct extract_file *file, uint64_t index)
{
    struct entry entry;
    int status = client_proof_outcome(client, index);

    if (status == ST_OK)
        status = take_outcome(attested, client);
    if (status != ST_OK)
        return status;
    status = (int)entry_decode(&entry,
                               slice_of(attested->entry, attested->entry_size));
    if (status != ST_OK)
        return status;
    if (client->session == NULL ||
        !take_attester(attested, &entry, client, file))
        return ST_NO_SUCH;
    *index_out = entry.place.index;
    entry_leaf_hash(leaf_out, entry.bytes);
    return ST_OK;
}

static int write_proof(struct extract_file *file, uint8_t *bytes,
                       const struct defter_proof *proof, uint64_t index)
{
    struct tlog_proof tied = {.index = index, .count = proof->hashes_count};
    struct writer writer;

    memcpy(tied.hashes, proof->hashes, sizeof tied.hashes);
    tied.note = slice_of(proof->note, proof->note_size);
    writer_init(&writer, bytes, TLOG_PROOF_SIZE_MAX);
    tlog_proof_write(&writer, &tied);
    file->proof = writer_slice(&writer);
    return writer.status == ST_OK ? ST_OK : ST_TOO_LARGE;
}

/* The checkpoint moves on while it is asked, once a second at the most: until
 * both are in the same tree.  Where witnesses are silent the best one may hold
 * the entry alone, and the newest one holds both. */
static int prove_both(struct defter *client, struct defter_proof *out,
                      struct extract_attested *attested, uint64_t attestation,
                      const uint8_t leaf[HASH_SIZE],
                      const struct receipt *receipt)
{
    struct defter_proof other = {.standing = 0};

    for (int i = 0; i < TIE_TRIES; i++) {
        int newest = other.standing != PROOF_WITNESSED;
        int status =
            i == 0 ? client_proof_witnessed(client, attestation, leaf, &other)
                   : defter_proof_entry(client, attestation, leaf, NULL, newest,
                                        &other);

        newest = other.standing != PROOF_WITNESSED;
        if (status == ST_OK)
            status = defter_proof_entry(client, receipt->index,
                                        receipt->entry_hash, NULL, newest, out);
        if (status != ST_OK)
            return status;
        if (out->tree_size != other.tree_size ||
            memcmp(out->root, other.root, HASH_SIZE) != 0)
            continue;
        attested->path_count = other.hashes_count;
        memcpy(attested->path, other.hashes, sizeof attested->path);
        return ST_OK;
    }
    return ST_BUSY;
}

static int tie_attested(struct defter *client, struct extract_file *file,
                        uint8_t *proof_bytes, const struct receipt *receipt)
{
    struct extract_attested attested = {.entry_size = 0};
    uint8_t leaf[HASH_SIZE];
    struct defter_proof proof;
    uint64_t index = 0;
    int status =
        take_attestation(client, &attested, &index, leaf, file, receipt->index);

    if (status == ST_OK)
        status = prove_both(client, &proof, &attested, index, leaf, receipt);
    if (status == ST_OK)
        status = write_proof(file, proof_bytes, &proof, receipt->index);
    if (status == ST_OK)
        file->attested = attested;
    return status;
}

int client_tie(struct defter *client, struct extract_file *file,
               uint8_t *proof_bytes, const struct receipt *receipt)
{
    struct defter_proof proof;
    int status = ST_OK;

    if (file->entry_size == 0)
        status = take_entry(client, file, receipt->index);
    if (status == ST_OK)
        status = tie_attested(client, file, proof_bytes, receipt);
    if (status == ST_OK || file->entry_size == 0)
        return status;
    /* At least as much as there is. */
    if (client_proof_witnessed(client, receipt->index, receipt->entry_hash,
                               &proof) == ST_OK)
        (void)write_proof(file, proof_bytes, &proof, receipt->index);
    return status;
}
