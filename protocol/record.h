/*
 * record.h: the encrypted records of a channel (PROTOCOL, section 3).
 *
 *   u16 L || ciphertext[L]; the plaintext is one or more whole frames.
 *
 * Each direction has its own key and counter.  Before a counter that is a
 * multiple of RECORD_REKEY_INTERVAL (not 0) is used, the key is renewed.
 */
#ifndef DEFTER_PROTOCOL_RECORD_H
#define DEFTER_PROTOCOL_RECORD_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "protocol/noise.h"

enum {
    RECORD_OVERHEAD = RECORD_HEADER_SIZE + AEAD_TAG_SIZE,
    RECORD_PLAINTEXT_SIZE_MAX = RECORD_SIZE_MAX - AEAD_TAG_SIZE
};

/*
 * record_measure(size_out, input, size_max):
 * How many bytes the record at the beginning of ${input} takes, its length
 * included.  ${size_max} bounds L: RECORD_SIZE_MAX or
 * RECORD_SIZE_MAX_BEFORE_LOGIN.
 *
 * Returns: ST_OK and the whole record is there; ST_AGAIN and more bytes are
 *          needed (${*size_out} says how many in all, 0 if not known yet);
 *          ST_RECORD_SIZE.
 */
NODISCARD enum status record_measure(size_t *size_out, struct slice input,
                                     size_t size_max);

/*
 * record_open(cipher, out, plaintext_size_out, record):
 * Decrypt one whole record, its length included, to ${out}, which has room for
 * RECORD_PLAINTEXT_SIZE_MAX bytes or is the place of the record's ciphertext.
 *
 * Returns: ST_OK; ST_RECORD_SIZE; ST_DECRYPT or ST_COUNTER, and neither key nor
 *          counter has changed.
 */
NODISCARD enum status record_open(struct noise_cipher *cipher, uint8_t *out,
                                  size_t *plaintext_size_out,
                                  struct slice record);

/*
 * record_seal(cipher, out, plaintext):
 * Write plaintext.size + RECORD_OVERHEAD bytes to ${out}; the plaintext may
 * already stand at out + RECORD_HEADER_SIZE.
 *
 * Requires: 0 < plaintext.size <= RECORD_PLAINTEXT_SIZE_MAX.
 * Returns:  ST_OK; ST_COUNTER, and nothing may be sent any more.
 */
NODISCARD enum status record_seal(struct noise_cipher *cipher, uint8_t *out,
                                  struct slice plaintext);

#endif
