#include "protocol/sign_state.h"

#include <string.h>

#include <sodium.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "protocol/assumptions.h"

static const uint8_t sign_magic[8] = "DFTSIGN";

void sign_state_init(struct sign_state *state, enum sign_keeper keeper,
                     const uint8_t *cluster_id)
{
    memset(state, 0, sizeof *state);
    state->keeper = keeper;
    memcpy(state->cluster_id, cluster_id, CLUSTER_ID_SIZE);
}

void sign_state_encode(uint8_t *out, size_t *size_out,
                       const struct sign_state *state)
{
    struct writer writer;

    REQUIRE(state->certificate_size <= CONFIG_CERT_ENCODED_SIZE_MAX);
    writer_init(&writer, out, SIGN_STATE_SIZE_MAX);
    writer_bytes(&writer, sign_magic, sizeof sign_magic);
    writer_u16(&writer, SIGN_STATE_VERSION);
    writer_u16(&writer, (uint16_t)state->keeper);
    writer_u32(&writer, (uint32_t)state->certificate_size);
    writer_bytes(&writer, state->cluster_id, CLUSTER_ID_SIZE);
    writer_u64(&writer, state->number);
    writer_bytes(&writer, state->hash, HASH_SIZE);
    INVARIANT(writer.used == SIGN_STATE_FIXED_SIZE);
    writer_bytes(&writer, state->certificate, state->certificate_size);
    writer_u64(&writer, XXH3_64bits(out, writer.used));
    ENSURE(writer.status == ST_OK);
    *size_out = writer.used;
}

/* The configuration within, which must be of this cluster. */
static enum status sign_read(struct config *config, uint8_t hash[HASH_SIZE],
                             struct slice certificate,
                             const uint8_t *cluster_id)
{
    struct config_cert cert;

    if (config_cert_decode(&cert, certificate) != ST_OK ||
        config_decode(config, cert.config) != ST_OK || config->why != cert.kind)
        return ST_FILE_FORMAT;
    if (memcmp(config->cluster_id, cluster_id, CLUSTER_ID_SIZE) != 0)
        return ST_WRONG_ENV;
    config_hash(hash, cert.config);
    return ST_OK;
}

static bool sign_state_holds(const struct sign_state *state)
{
    uint8_t hash[HASH_SIZE];
    struct config config;

    if (state->certificate_size == 0)
        return state->number != 0 || sodium_is_zero(state->hash, HASH_SIZE);
    return sign_read(&config, hash,
                     slice_of(state->certificate, state->certificate_size),
                     state->cluster_id) == ST_OK &&
           config.number == state->number &&
           memcmp(hash, state->hash, HASH_SIZE) == 0;
}

enum status sign_state_decode(struct sign_state *out, struct slice bytes,
                              enum sign_keeper keeper,
                              const uint8_t *cluster_id)
{
    struct reader reader;
    uint8_t magic[sizeof sign_magic];
    uint16_t version, kept_by;
    uint64_t sum;

    memset(out, 0, sizeof *out);
    reader_init(&reader, bytes);
    reader_copy(&reader, magic, sizeof magic);
    version = reader_u16(&reader);
    kept_by = reader_u16(&reader);
    out->keeper = keeper;
    out->certificate_size = reader_u32(&reader);
    reader_copy(&reader, out->cluster_id, CLUSTER_ID_SIZE);
    out->number = reader_u64(&reader);
    reader_copy(&reader, out->hash, HASH_SIZE);
    if (reader.status != ST_OK ||
        memcmp(magic, sign_magic, sizeof magic) != 0 ||
        version != SIGN_STATE_VERSION || kept_by != keeper ||
        out->certificate_size > CONFIG_CERT_ENCODED_SIZE_MAX)
        return ST_FILE_FORMAT;
    reader_copy(&reader, out->certificate, out->certificate_size);
    sum = reader_u64(&reader);
    if (reader_end(&reader) != ST_OK)
        return ST_FILE_FORMAT;
    if (sum != XXH3_64bits(bytes.data, bytes.size - 8))
        return ST_CHECKSUM;
    if (memcmp(out->cluster_id, cluster_id, CLUSTER_ID_SIZE) != 0)
        return ST_WRONG_ENV;
    return sign_state_holds(out) ? ST_OK : ST_FILE_FORMAT;
}

enum status sign_state_take(struct sign_state *state, struct slice certificate)
{
    uint8_t hash[HASH_SIZE];
    struct config config;
    enum status status =
        sign_read(&config, hash, certificate, state->cluster_id);

    if (status != ST_OK)
        return status;
    if (config.number < state->number ||
        (config.number == state->number &&
         memcmp(hash, state->hash, HASH_SIZE) != 0))
        return ST_EXISTS;
    /* The first certificate of a number is the one that is kept. */
    if (config.number == state->number && state->certificate_size > 0)
        return ST_OK;
    INVARIANT(certificate.size <= sizeof state->certificate);
    memcpy(state->certificate, certificate.data, certificate.size);
    state->certificate_size = certificate.size;
    state->number = config.number;
    memcpy(state->hash, hash, HASH_SIZE);
    return ST_OK;
}

void sign_state_paper(char out[SIGN_PAPER_SIZE], const struct sign_state *state)
{
    char digits[20];
    size_t at = sizeof digits, size;
    uint64_t left = state->number;

    do
        digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    size = sizeof digits - at;
    memcpy(out, digits + at, size);
    out[size] = ' ';
    sodium_bin2hex(out + size + 1, SIGN_PAPER_SIZE - size - 1, state->hash, 4);
}
