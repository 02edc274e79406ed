#include "protocol/tlog_proof.h"

#include "protocol/assumptions.h"
#include "protocol/lines.h"
#include "protocol/tree.h"

#define PROOF_FIRST_LINE "c2sp.org/tlog-proof@v1\n"
#define PROOF_EXTRA      "extra "
#define PROOF_INDEX      "index "

void tlog_proof_write(struct writer *writer, const struct tlog_proof *proof)
{
    REQUIRE(proof->index < TREE_SIZE_MAX);
    REQUIRE(proof->count <= PROOF_HASHES_MAX);
    lines_write(writer, PROOF_FIRST_LINE);
    if (proof->extra.size > 0) {
        lines_write(writer, PROOF_EXTRA);
        writer_bytes(writer, proof->extra.data, proof->extra.size);
        lines_write(writer, "\n");
    }
    lines_write(writer, PROOF_INDEX);
    lines_write_number(writer, proof->index);
    lines_write(writer, "\n");
    lines_write_hashes(writer, proof->hashes, proof->count);
    writer_bytes(writer, proof->note.data, proof->note.size);
}

enum status tlog_proof_read(struct tlog_proof *proof_out, struct slice bytes)
{
    struct slice line;
    enum status status;

    proof_out->extra = slice_of(NULL, 0);
    if (bytes.size > TLOG_PROOF_SIZE_MAX)
        return ST_TOO_LARGE;
    if (!lines_take(&bytes, PROOF_FIRST_LINE) ||
        lines_next(&line, &bytes) != ST_OK)
        return ST_FILE_FORMAT;
    if (lines_take(&line, PROOF_EXTRA)) {
        if (line.size == 0 || !lines_base64_valid(line))
            return ST_FILE_FORMAT;
        proof_out->extra = line;
        if (lines_next(&line, &bytes) != ST_OK)
            return ST_FILE_FORMAT;
    }
    if (!lines_take(&line, PROOF_INDEX) ||
        lines_read_number(&proof_out->index, line, TREE_SIZE_MAX - 1) != ST_OK)
        return ST_FILE_FORMAT;
    status = lines_read_hashes(proof_out->hashes, &proof_out->count,
                               PROOF_HASHES_MAX, &bytes);
    proof_out->note = bytes;
    return status;
}

static enum status proof_check(const struct tlog_proof *proof,
                               const uint8_t leaf_hash[HASH_SIZE],
                               const struct checkpoint *checkpoint)
{
    return tree_inclusion_check(leaf_hash, proof->index, checkpoint->size,
                                checkpoint->root, proof->hashes, proof->count);
}

enum status tlog_proof_verify(struct checkpoint *checkpoint_out,
                              const struct tlog_proof *proof,
                              const uint8_t leaf_hash[HASH_SIZE],
                              const struct note_key *log_key)
{
    struct note note;
    enum status status =
        checkpoint_open(checkpoint_out, &note, proof->note, log_key);

    if (status != ST_OK)
        return status;
    return proof_check(proof, leaf_hash, checkpoint_out);
}

enum status tlog_proof_judge(struct tlog_policy_verdict *verdict_out,
                             struct checkpoint *checkpoint_out,
                             const struct tlog_proof *proof,
                             const uint8_t leaf_hash[HASH_SIZE],
                             const struct tlog_policy *policy)
{
    enum status status =
        tlog_policy_judge(verdict_out, checkpoint_out, policy, proof->note);

    if (status == ST_OK)
        status = proof_check(proof, leaf_hash, checkpoint_out);
    if (status != ST_OK)
        return status;
    return verdict_out->satisfied ? ST_OK : ST_WITNESSES;
}
