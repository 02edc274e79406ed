/*
 * witness_request.h: how a log asks a witness for its cosignature, and what the
 * witness decides (TRANSPARENCY, section 9; c2sp.org/tlog-witness).
 *
 *     old SIZE                 of the checkpoint that the witness signed last
 *     0 to PROOF_HASHES_MAX hashes, base64: from that to the new one
 *     an empty line
 *     the note with the new checkpoint
 */
#ifndef DEFTER_PROTOCOL_WITNESS_REQUEST_H
#define DEFTER_PROTOCOL_WITNESS_REQUEST_H

#include "protocol/checkpoint.h"

struct witness_request {
    uint64_t older; /* At most TREE_SIZE_MAX. */
    uint8_t hashes[PROOF_HASHES_MAX][HASH_SIZE];
    size_t count;
    struct slice bytes; /* The note as it came. */
    struct note note;   /* Set by witness_request_read(), with all below. */
    struct checkpoint checkpoint;
};

/* The number is the status of the answer over HTTP. */
enum witness_answer {
    WITNESS_SIGNS = 200,       /* The body is the cosignature line. */
    WITNESS_MALFORMED = 400,   /* Also an old size above the new one. */
    WITNESS_UNSIGNED = 403,    /* No key of the log signed, or one wrongly. */
    WITNESS_UNKNOWN = 404,     /* No such log. */
    WITNESS_OTHER_SIZE = 409,  /* The body is witness_size_write(). */
    WITNESS_INCONSISTENT = 422 /* The log has another history. */
};

/*
 * What a witness keeps for each log, durably.  Size 0: it has signed nothing of
 * it, or the empty tree; the root counts only above.
 */
struct witness_state {
    uint64_t size;
    uint8_t root[HASH_SIZE];
};

/* Writes ${older}, hashes and ${bytes}.  Requires: their limits. */
void witness_request_write(struct writer *writer,
                           const struct witness_request *request);

/*
 * witness_request_read(request_out, body):
 * Returns: ST_OK; ST_FILE_FORMAT and ST_TOO_LARGE: WITNESS_MALFORMED is the
 *          answer.
 * Owns:    ${*request_out} borrows from ${body}.
 */
NODISCARD enum status witness_request_read(struct witness_request *request_out,
                                           struct slice body);

/*
 * witness_judge(next_out, state, request, keys, count):
 * Decide on a request that witness_request_read() took.  ${keys} are those of
 * the logs that the witness knows; ${state} is that of the log whose name is
 * request->checkpoint.origin, and is not looked at where no key has that name.
 *
 * Requires: each key's type is NOTE_ED25519.
 * Returns:  WITNESS_SIGNS, and ${*next_out} is the new state; any other answer,
 *           and ${*next_out} is ${*state}.
 * Order:    of one log one request at a time, from reading the state until the
 *           new one is durable; only then may the cosignature leave.
 */
enum witness_answer witness_judge(struct witness_state *next_out,
                                  const struct witness_state *state,
                                  const struct witness_request *request,
                                  const struct note_key *keys, size_t count);

/* The body of WITNESS_OTHER_SIZE, of the type text/x.tlog.size. */
void witness_size_write(struct writer *writer,
                        const struct witness_state *state);

/* Reads such a body; ST_FILE_FORMAT for anything else. */
NODISCARD enum status witness_size_read(uint64_t *size_out, struct slice body);

#endif
