#include "protocol/statement.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

enum { STATEMENT_SIGNED_SIZE = STATEMENT_SIZE - SIGNATURE_SIZE };
enum { REQUEST_SIGNED_SIZE = STATEMENT_REQUEST_SIZE - SIGNATURE_SIZE };
static_assert(STATEMENT_SIGNED_SIZE == 200, "the signature begins at 200");
static_assert(REQUEST_SIGNED_SIZE == 64, "a request's signature begins at 64");

#define REQUEST_AGE_US_MAX ((uint64_t)STATEMENT_REQUEST_AGE_S_MAX * 1000000)

static bool statement_holds(const struct statement *statement)
{
    return (statement->flags & ~STATEMENT_FLAGS) == 0 &&
           (int)statement->why >= 0 && statement->why <= CONFIG_WHY_MAX &&
           (statement->size != 0 || sodium_is_zero(statement->leaf, HASH_SIZE));
}

void statement_sign(uint8_t out[STATEMENT_SIZE],
                    const struct statement *statement,
                    const struct identity *identity)
{
    struct writer writer;

    REQUIRE(statement_holds(statement));
    writer_init(&writer, out, STATEMENT_SIGNED_SIZE);
    writer_u16(&writer, STATEMENT_VERSION);
    writer_u16(&writer, statement->flags);
    writer_u32(&writer, statement->epoch);
    writer_u64(&writer, statement->incarnation);
    writer_bytes(&writer, statement->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, statement->lineage, LINEAGE_SIZE);
    writer_bytes(&writer, statement->node_id, NODE_ID_SIZE);
    writer_u64(&writer, statement->config_number);
    writer_u32(&writer, statement->promised);
    writer_u8(&writer, (uint8_t)statement->why);
    writer_zeros(&writer, 3);
    writer_bytes(&writer, statement->config_hash, HASH_SIZE);
    writer_u64(&writer, statement->size);
    writer_bytes(&writer, statement->leaf, HASH_SIZE);
    writer_u64(&writer, statement->committed);
    writer_i64(&writer, statement->time_us);
    writer_bytes(&writer, statement->other, NODE_ID_SIZE);
    writer_u64(&writer, statement->other_incarnation);
    writer_u64(&writer, statement->other_matched);
    ENSURE(writer.status == ST_OK && writer.used == STATEMENT_SIGNED_SIZE);
    identity_sign(identity, out + STATEMENT_SIGNED_SIZE, TAG_STATEMENT, NULL,
                  out, STATEMENT_SIGNED_SIZE);
}

enum status statement_read(struct statement *out, struct slice bytes,
                           const uint8_t receipt_key[PUBLIC_KEY_SIZE])
{
    struct reader reader;
    uint8_t zeros[3];
    uint16_t version;

    memset(out, 0, sizeof *out);
    if (bytes.size != STATEMENT_SIZE)
        return ST_FILE_FORMAT;
    reader_init(&reader, bytes);
    version = reader_u16(&reader);
    out->flags = reader_u16(&reader);
    out->epoch = reader_u32(&reader);
    out->incarnation = reader_u64(&reader);
    reader_copy(&reader, out->cluster_id, CLUSTER_ID_SIZE);
    reader_copy(&reader, out->lineage, LINEAGE_SIZE);
    reader_copy(&reader, out->node_id, NODE_ID_SIZE);
    out->config_number = reader_u64(&reader);
    out->promised = reader_u32(&reader);
    out->why = (enum config_why)reader_u8(&reader);
    reader_copy(&reader, zeros, sizeof zeros);
    reader_copy(&reader, out->config_hash, HASH_SIZE);
    out->size = reader_u64(&reader);
    reader_copy(&reader, out->leaf, HASH_SIZE);
    out->committed = reader_u64(&reader);
    out->time_us = reader_i64(&reader);
    reader_copy(&reader, out->other, NODE_ID_SIZE);
    out->other_incarnation = reader_u64(&reader);
    out->other_matched = reader_u64(&reader);
    INVARIANT(reader.status == ST_OK && reader.used == STATEMENT_SIGNED_SIZE);
    if (version != STATEMENT_VERSION || !sodium_is_zero(zeros, sizeof zeros) ||
        !statement_holds(out))
        return ST_FILE_FORMAT;
    return identity_verify(receipt_key, bytes.data + STATEMENT_SIGNED_SIZE,
                           TAG_STATEMENT, NULL, bytes.data,
                           STATEMENT_SIGNED_SIZE);
}

void statement_request_sign(uint8_t out[STATEMENT_REQUEST_SIZE],
                            const struct statement_request *request,
                            const struct identity *identity)
{
    struct writer writer;

    REQUIRE(request->why >= CONFIG_BOOT && request->why <= CONFIG_WHY_MAX);
    writer_init(&writer, out, REQUEST_SIGNED_SIZE);
    writer_u16(&writer, STATEMENT_VERSION);
    writer_u8(&writer, (uint8_t)request->why);
    writer_zeros(&writer, 5);
    writer_i64(&writer, request->time_us);
    writer_bytes(&writer, request->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, request->asked, NODE_ID_SIZE);
    writer_bytes(&writer, request->about, NODE_ID_SIZE);
    ENSURE(writer.status == ST_OK && writer.used == REQUEST_SIGNED_SIZE);
    identity_sign(identity, out + REQUEST_SIGNED_SIZE, TAG_STATEMENT, NULL, out,
                  REQUEST_SIGNED_SIZE);
}

/* The distance of two times, without overflow whatever they are. */
static uint64_t request_age(int64_t a, int64_t b)
{
    return a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
}

enum status statement_request_read(struct statement_request *out,
                                   struct slice bytes,
                                   const uint8_t operator_key[PUBLIC_KEY_SIZE],
                                   int64_t now_us)
{
    struct reader reader;
    uint8_t zeros[5];
    uint16_t version;

    memset(out, 0, sizeof *out);
    if (bytes.size != STATEMENT_REQUEST_SIZE)
        return ST_FILE_FORMAT;
    reader_init(&reader, bytes);
    version = reader_u16(&reader);
    out->why = (enum config_why)reader_u8(&reader);
    reader_copy(&reader, zeros, sizeof zeros);
    out->time_us = reader_i64(&reader);
    reader_copy(&reader, out->cluster_id, CLUSTER_ID_SIZE);
    reader_copy(&reader, out->asked, NODE_ID_SIZE);
    reader_copy(&reader, out->about, NODE_ID_SIZE);
    if (version != STATEMENT_VERSION || !sodium_is_zero(zeros, sizeof zeros) ||
        out->why < CONFIG_BOOT || out->why > CONFIG_WHY_MAX)
        return ST_FILE_FORMAT;
    if (identity_verify(operator_key, bytes.data + REQUEST_SIGNED_SIZE,
                        TAG_STATEMENT, NULL, bytes.data,
                        REQUEST_SIGNED_SIZE) != ST_OK)
        return ST_BAD_SIG;
    return request_age(out->time_us, now_us) <= REQUEST_AGE_US_MAX ? ST_OK
                                                                   : ST_EXPIRED;
}
