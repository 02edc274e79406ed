/*
 * escrow.h: seal keys in escrow, as a file that the secret recovery key alone
 * opens (ERASURE, section 10; LOG-FORMAT, section 14).
 *
 *   header ‖ part, part, ... ‖ part of the end, and nothing behind it
 *   header =  0 "DFTESCR" 0      32 recovery key[32]  80 i64 made at
 *             8 u16 version = 1  64 u64 size          88 box[80]
 *            10 6 zeros          72 u64 snapshot     168 stream[24]
 *            16 cluster_id[16]
 *   part   = u32 size ‖ that many bytes: crypto_secretstream of u8 kind ‖ body
 *
 * box is crypto_box_seal, to the recovery key, of the stream's key; the header
 * is the first part's associated data.  Parts are rows of keys, then bytes of
 * a snapshot of the state, then the end, which counts both and is the stream's
 * last.  So what is cut off, added, changed or moved does not open.
 *
 * Anybody can make a file for a recovery key: what is in it is believed because
 * it opens what the log committed to, and the log attests the snapshot.
 */
#ifndef DEFTER_PROTOCOL_ESCROW_H
#define DEFTER_PROTOCOL_ESCROW_H

#include <sodium.h>

#include "protocol/keyfile.h"

enum {
    ESCROW_VERSION = 1,
    ESCROW_BOX_SIZE =
        crypto_secretstream_xchacha20poly1305_KEYBYTES + crypto_box_SEALBYTES,
    ESCROW_STREAM_SIZE = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    ESCROW_HEADER_SIZE = 88 + ESCROW_BOX_SIZE + ESCROW_STREAM_SIZE,
    /* A key as nodes send it to each other. */
    ESCROW_ROW_SIZE = 8 + 8 + 8 + 1 + KEY_SIZE,
    ESCROW_PLAIN_SIZE_MAX = 1 + ESCROW_BODY_SIZE_MAX,
    ESCROW_PART_SIZE_MAX =
        ESCROW_PLAIN_SIZE_MAX + crypto_secretstream_xchacha20poly1305_ABYTES,
    ESCROW_PART_HEADER_SIZE = 4,
    ESCROW_END_SIZE = 16
};
static_assert(ESCROW_HEADER_SIZE == 192, "the layout of the header");

enum escrow_kind { ESCROW_ROWS = 1, ESCROW_SNAPSHOT = 2, ESCROW_END = 3 };

struct escrow_header {
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t recovery_key[PUBLIC_KEY_SIZE]; /* To which it is sealed. */
    uint64_t size;     /* Of the log whose entries' keys are here. */
    uint64_t snapshot; /* Entries that the snapshot's state has; 0: none. */
    int64_t made_at;   /* Microseconds since 1970, by the clock of the node. */
    uint8_t box[ESCROW_BOX_SIZE];
    uint8_t stream[ESCROW_STREAM_SIZE];
};

void escrow_header_encode(uint8_t out[ESCROW_HEADER_SIZE],
                          const struct escrow_header *header);

/* Returns: ST_OK; ST_FILE_FORMAT. */
NODISCARD enum status escrow_header_decode(struct escrow_header *header,
                                           struct slice bytes);

/* A file that is being opened.  Invariant: nothing follows an end. */
struct escrow_opening {
    crypto_secretstream_xchacha20poly1305_state stream;
    uint8_t header[ESCROW_HEADER_SIZE];
    bool begun; /* A part was opened. */
    bool ended;
    enum escrow_kind kind; /* Of the newest part. */
    uint64_t rows_count;
    uint64_t snapshot_size; /* Bytes. */
};

/*
 * escrow_open(opening, header, bytes, recovery):
 * Begin with the header's ${bytes}, and read it.
 *
 * Returns: ST_OK; ST_FILE_FORMAT; ST_WRONG_ENV for another cluster's;
 *          ST_KEY_TYPE if it is sealed to another recovery key; ST_SEAL.
 * Order:   ends with escrow_close(), which wipes.
 */
NODISCARD enum status escrow_open(struct escrow_opening *opening,
                                  struct escrow_header *header,
                                  struct slice bytes,
                                  const struct keyfile *recovery);
void escrow_close(struct escrow_opening *opening);

/*
 * escrow_part(opening, body_out, plain, sealed):
 * Open the next part into ${plain} of ESCROW_PLAIN_SIZE_MAX bytes, which the
 * caller wipes; its kind is opening->kind.
 *
 * Returns: ST_OK; ST_SEAL for bytes that are not those that were sealed here;
 *          ST_FILE_FORMAT for what nobody writes; ST_TRAILING behind the end.
 * Owns:    ${*body_out} borrows from ${plain}.
 */
NODISCARD enum status escrow_part(struct escrow_opening *opening,
                                  struct slice *body_out, uint8_t *plain,
                                  struct slice sealed);

#endif
