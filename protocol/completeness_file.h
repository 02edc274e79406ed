/*
 * completeness_file.h: what subject.completeness stated, in a file that shows
 * who stated it (LOG-FORMAT, section 12).
 *
 *     defter.completeness@v1
 *     subject 1400057421           ten digits
 *     count 17
 *     rolling BASE64
 *     size 512
 *     salt BASE64
 *     receipt BASE64
 *     signature BASE64
 *     certificate BASE64
 *
 * There is one way to write each value, and no other is read.
 */
#ifndef DEFTER_PROTOCOL_COMPLETENESS_FILE_H
#define DEFTER_PROTOCOL_COMPLETENESS_FILE_H

#include "protocol/completeness.h"
#include "protocol/nodecert.h"
#include "protocol/receipt.h"

enum { COMPLETENESS_FILE_SIZE_MAX = 1024 };

struct completeness_file {
    uint64_t subject;
    struct completeness sum;
    uint64_t size;
    uint8_t salt[SALT_SIZE]; /* Of the result. */
    uint8_t receipt[RECEIPT_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t certificate[NODECERT_SIZE];
};

/*
 * completeness_file_read(out, bytes):
 * Returns: ST_OK; ST_FILE_FORMAT.
 */
NODISCARD enum status completeness_file_read(struct completeness_file *out,
                                             struct slice bytes);

/* At most COMPLETENESS_FILE_SIZE_MAX bytes. */
void completeness_file_write(struct writer *writer,
                             const struct completeness_file *file);

/*
 * completeness_file_judge(receipt_out, file, authority_key):
 * Whether a node of this authority stated it.  What kind of command was
 * answered so, and whether it is true, only the log shows.
 *
 * Returns: ST_OK; ST_CERTIFICATE; ST_RECEIPT for a signature that is not the
 *          node's, or of other values.
 */
NODISCARD enum status completeness_file_judge(
    struct receipt *receipt_out, const struct completeness_file *file,
    const uint8_t authority_key[PUBLIC_KEY_SIZE]);

#endif
