#include "protocol/witness_request.h"

#include <string.h>

#include "protocol/assumptions.h"
#include "protocol/lines.h"
#include "protocol/tree.h"

#define REQUEST_OLD "old "

static_assert((int)WITNESS_REQUEST_SIZE_MAX >=
                  NOTE_SIZE_MAX + 64 +
                      PROOF_HASHES_MAX * (LINES_BASE64_SIZE(HASH_SIZE) + 1),
              "the longest proof and the largest note fit");

/* ---- The body --------------------------------------------------------- */

void witness_request_write(struct writer *writer,
                           const struct witness_request *request)
{
    REQUIRE(request->older <= TREE_SIZE_MAX);
    REQUIRE(request->count <= PROOF_HASHES_MAX);
    lines_write(writer, REQUEST_OLD);
    lines_write_number(writer, request->older);
    lines_write(writer, "\n");
    lines_write_hashes(writer, request->hashes, request->count);
    writer_bytes(writer, request->bytes.data, request->bytes.size);
}

enum status witness_request_read(struct witness_request *request_out,
                                 struct slice body)
{
    struct slice line;
    enum status status;

    if (body.size > WITNESS_REQUEST_SIZE_MAX)
        return ST_TOO_LARGE;
    if (lines_next(&line, &body) != ST_OK || !lines_take(&line, REQUEST_OLD) ||
        lines_read_number(&request_out->older, line, TREE_SIZE_MAX) != ST_OK)
        return ST_FILE_FORMAT;
    status = lines_read_hashes(request_out->hashes, &request_out->count,
                               PROOF_HASHES_MAX, &body);
    if (status != ST_OK)
        return status;
    request_out->bytes = body;
    status = note_read(&request_out->note, body);
    if (status != ST_OK)
        return status;
    return checkpoint_read(&request_out->checkpoint, request_out->note.text);
}

/* ---- The decision ----------------------------------------------------- */

/* Whether a key of this log signed, and none wrongly. */
static enum witness_answer judge_signature(
    const struct witness_request *request, const struct note_key *keys,
    size_t count)
{
    enum witness_answer answer = WITNESS_UNKNOWN;

    for (size_t i = 0; i < count; i++) {
        enum status status;

        if (!slice_equal(note_key_name(&keys[i]), request->checkpoint.origin))
            continue;
        status = note_verify(&request->note, &keys[i]);
        if (status == ST_BAD_SIG)
            return WITNESS_UNSIGNED;
        if (status == ST_OK)
            answer = WITNESS_SIGNS;
        else if (answer == WITNESS_UNKNOWN)
            answer = WITNESS_UNSIGNED;
    }
    return answer;
}

/* Whether the new tree begins with the one that was signed last. */
static bool judge_history(const struct witness_state *state,
                          const struct witness_request *request)
{
    const struct checkpoint *newer = &request->checkpoint;
    struct witness_state older = *state;
    struct tree empty;

    tree_init(&empty);
    if (older.size == 0)
        tree_root(&empty, older.root);
    return tree_consistency_check(older.size, older.root, newer->size,
                                  newer->root, request->hashes,
                                  request->count) == ST_OK;
}

enum witness_answer witness_judge(struct witness_state *next_out,
                                  const struct witness_state *state,
                                  const struct witness_request *request,
                                  const struct note_key *keys, size_t count)
{
    enum witness_answer answer = judge_signature(request, keys, count);

    *next_out = *state;
    if (answer != WITNESS_SIGNS)
        return answer;
    if (request->older > request->checkpoint.size)
        return WITNESS_MALFORMED;
    if (request->older != state->size)
        return WITNESS_OTHER_SIZE;
    if (!judge_history(state, request))
        return WITNESS_INCONSISTENT;
    next_out->size = request->checkpoint.size;
    memcpy(next_out->root, request->checkpoint.root, HASH_SIZE);
    return WITNESS_SIGNS;
}

/* ---- The size that it has --------------------------------------------- */

void witness_size_write(struct writer *writer,
                        const struct witness_state *state)
{
    lines_write_number(writer, state->size);
    lines_write(writer, "\n");
}

enum status witness_size_read(uint64_t *size_out, struct slice body)
{
    struct slice line;

    if (lines_next(&line, &body) != ST_OK || body.size > 0)
        return ST_FILE_FORMAT;
    return lines_read_number(size_out, line, TREE_SIZE_MAX);
}
