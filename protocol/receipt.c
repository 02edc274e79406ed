#include "protocol/receipt.h"

#include <string.h>

void receipt_encode(uint8_t out[RECEIPT_SIZE], const struct receipt *receipt)
{
    struct writer writer;

    writer_init(&writer, out, RECEIPT_SIZE);
    writer_u16(&writer, RECEIPT_VERSION);
    writer_u16(&writer, receipt->code);
    writer_u32(&writer, receipt->flags);
    writer_u64(&writer, receipt->index);
    writer_u64(&writer, receipt->epoch);
    writer_i64(&writer, receipt->committed_at);
    writer_bytes(&writer, receipt->receipt_key_id, KEY_ID_SIZE);
    writer_bytes(&writer, receipt->command_hash, HASH_SIZE);
    writer_bytes(&writer, receipt->entry_hash, HASH_SIZE);
    writer_bytes(&writer, receipt->result_hash, HASH_SIZE);
    ENSURE(writer.status == ST_OK && writer.used == RECEIPT_SIZE);
}

enum status receipt_decode(struct receipt *receipt, const uint8_t *bytes)
{
    struct reader reader;
    uint16_t version;

    reader_init(&reader, slice_of(bytes, RECEIPT_SIZE));
    version = reader_u16(&reader);
    receipt->code = reader_u16(&reader);
    receipt->flags = reader_u32(&reader);
    receipt->index = reader_u64(&reader);
    receipt->epoch = reader_u64(&reader);
    receipt->committed_at = reader_i64(&reader);
    reader_copy(&reader, receipt->receipt_key_id, KEY_ID_SIZE);
    reader_copy(&reader, receipt->command_hash, HASH_SIZE);
    reader_copy(&reader, receipt->entry_hash, HASH_SIZE);
    reader_copy(&reader, receipt->result_hash, HASH_SIZE);
    if (reader_end(&reader) != ST_OK || version != RECEIPT_VERSION ||
        (receipt->flags & ~(unsigned)RECEIPT_FLAGS_KNOWN) != 0 ||
        receipt->epoch > UINT32_MAX || receipt->committed_at < 0)
        return ST_RECEIPT;
    return ST_OK;
}

void receipt_sign(struct receipt *receipt, uint8_t bytes_out[RECEIPT_SIZE],
                  uint8_t signature_out[SIGNATURE_SIZE],
                  const uint8_t *cluster_id, const struct identity *identity)
{
    memcpy(receipt->receipt_key_id, identity->key_id, KEY_ID_SIZE);
    receipt_encode(bytes_out, receipt);
    identity_sign(identity, signature_out, TAG_RECEIPT, cluster_id, bytes_out,
                  RECEIPT_SIZE);
}

enum status receipt_verify(struct receipt *receipt_out, const uint8_t *bytes,
                           const uint8_t *signature, const uint8_t *cluster_id,
                           const uint8_t *public_key)
{
    uint8_t key_id[KEY_ID_SIZE];
    enum status status = receipt_decode(receipt_out, bytes);

    if (status != ST_OK)
        return status;
    identity_key_id(key_id, public_key);
    if (memcmp(key_id, receipt_out->receipt_key_id, KEY_ID_SIZE) != 0)
        return ST_RECEIPT;
    if (identity_verify(public_key, signature, TAG_RECEIPT, cluster_id, bytes,
                        RECEIPT_SIZE) != ST_OK)
        return ST_RECEIPT;
    return ST_OK;
}
