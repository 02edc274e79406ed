/*
 * segment.h: how entries lie in the files of the log (LOG-FORMAT, section 4).
 *
 * A segment is a file of a fixed size: a header of SEGMENT_HEADER_SIZE bytes,
 * then frames without gaps, then zeros.  The bytes depend on the log alone, so
 * a segment is the same on every node.
 *
 *     header  0  u8[8]  magic "DFTLOG1\0"     frame  u32 length of the entry
 *             8  u32    version = 1                  u32 zero
 *            12  u32    segment size                 entry
 *            16  u64    index of the first entry     u64 XXH3-64 of all before
 *            24  u8[32] leaf hash of the entry
 *                       before it (zeros for 0)
 *            56  u64    XXH3-64 of 0 .. 55
 *            64  zeros
 *
 * The checksum finds accidents; what was changed on purpose is found by the
 * chain of hashes.
 */
#ifndef DEFTER_PROTOCOL_SEGMENT_H
#define DEFTER_PROTOCOL_SEGMENT_H

#include "protocol/bytes.h"
#include "protocol/limits.h"

struct segment_header {
    uint64_t first_index;
    uint8_t previous[HASH_SIZE];
    uint32_t segment_size;
};

/* Writes SEGMENT_HEADER_SIZE bytes. */
void segment_header_encode(uint8_t *out, const struct segment_header *header);

/*
 * segment_header_decode(header_out, input):
 * Returns: ST_OK; ST_FILE_FORMAT for fewer than SEGMENT_HEADER_SIZE bytes, a
 *          wrong magic, version or padding, or a segment size that cannot hold
 *          a frame; ST_CHECKSUM.
 */
NODISCARD enum status segment_header_decode(struct segment_header *header_out,
                                            struct slice input);

/* Bytes that an entry of ${entry_size} bytes takes in a segment. */
size_t segment_frame_size(size_t entry_size);

/*
 * segment_frame_encode(out, entry):
 * Write segment_frame_size(entry.size) bytes to ${out}.
 *
 * Requires: 0 < entry.size <= ENTRY_SIZE_MAX.
 */
void segment_frame_encode(uint8_t *out, struct slice entry);

/*
 * segment_frame_decode(entry_out, input):
 * Read the frame at the beginning of ${input}, which may be followed by more.
 *
 * Returns: ST_OK; ST_END if the length is zero: no frame begins here; ST_AGAIN
 *          if ${input} ends before the frame does; ST_FILE_FORMAT for a length
 *          that no entry has, or a reserved word that is not zero;
 *          ST_CHECKSUM.
 * Owns:    ${*entry_out} borrows from ${input}.
 */
NODISCARD enum status segment_frame_decode(struct slice *entry_out,
                                           struct slice input);

#endif
