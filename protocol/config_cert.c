#include "protocol/config_cert.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"

void config_cert_begin(struct writer *out, const struct config_cert *cert)
{
    REQUIRE(out->used == 0);
    REQUIRE(out->size >= CONFIG_CERT_ENCODED_SIZE_MAX);
    REQUIRE(cert->config.size >= CONFIG_FIXED_SIZE);
    REQUIRE(cert->config.size <= CONFIG_ENCODED_SIZE_MAX);
    REQUIRE(cert->kind >= CONFIG_BOOT && cert->kind <= CONFIG_WHY_MAX);
    writer_u16(out, CONFIG_CERT_VERSION);
    writer_u8(out, (uint8_t)cert->kind);
    writer_u8(out, 0);
    writer_u32(out, (uint32_t)cert->config.size);
    writer_i64(out, cert->not_after_s);
    writer_bytes(out, cert->evidence, HASH_SIZE);
    writer_bytes(out, cert->config.data, cert->config.size);
    ENSURE(out->status == ST_OK);
    ENSURE(out->used == CONFIG_CERT_FIXED_SIZE + cert->config.size);
}

/* Each signer may sign once, and they rise, so that one certificate has one
 * form. */
static bool cert_takes(const struct config_cert *cert,
                       enum config_signer signer)
{
    size_t count = cert->signatures_count;

    return count < CONFIG_SIGNATURES_MAX &&
           (count == 0 || cert->signatures[count - 1].signer < signer);
}

static void cert_add(struct writer *out, enum config_signer signer,
                     const uint8_t *node_id, const uint8_t *signature)
{
    struct config_cert cert;
    enum status status = config_cert_decode(&cert, writer_slice(out));

    REQUIRE(status == ST_OK);
    REQUIRE(cert_takes(&cert, signer));
    REQUIRE((signer == CONFIG_SIGNER_WITNESS) == (node_id != NULL));
    writer_u8(out, (uint8_t)signer);
    writer_zeros(out, 7);
    if (node_id != NULL)
        writer_bytes(out, node_id, NODE_ID_SIZE);
    else
        writer_zeros(out, NODE_ID_SIZE);
    writer_bytes(out, signature, SIGNATURE_SIZE);
    ENSURE(out->status == ST_OK);
}

void config_cert_witness(uint8_t out[SIGNATURE_SIZE],
                         const struct config_cert *cert,
                         const struct identity *identity)
{
    identity_sign(identity, out, TAG_WITNESS, NULL, cert->signed_bytes.data,
                  cert->signed_bytes.size);
}

void config_cert_add_witness(struct writer *out, const uint8_t *node_id,
                             const uint8_t signature[SIGNATURE_SIZE])
{
    cert_add(out, CONFIG_SIGNER_WITNESS, node_id, signature);
}

void config_cert_sign(struct writer *out, enum config_signer signer,
                      const uint8_t *node_id, const struct identity *identity)
{
    uint8_t signature[SIGNATURE_SIZE];
    struct config_cert cert;
    enum status status = config_cert_decode(&cert, writer_slice(out));

    REQUIRE(status == ST_OK);
    if (signer == CONFIG_SIGNER_WITNESS)
        config_cert_witness(signature, &cert, identity);
    else
        identity_sign(identity, signature, TAG_CERT, NULL,
                      cert.signed_bytes.data, cert.signed_bytes.size);
    cert_add(out, signer, node_id, signature);
}

static void cert_read_signature(struct config_cert *out, struct reader *reader)
{
    struct config_signature *at = &out->signatures[out->signatures_count];
    uint8_t zeros[7];

    at->signer = (enum config_signer)reader_u8(reader);
    reader_copy(reader, zeros, sizeof zeros);
    reader_copy(reader, at->node_id, NODE_ID_SIZE);
    reader_copy(reader, at->signature, SIGNATURE_SIZE);
    if (at->signer < CONFIG_SIGNER_OPERATOR ||
        at->signer > CONFIG_SIGNER_WITNESS || !cert_takes(out, at->signer) ||
        !sodium_is_zero(zeros, sizeof zeros) ||
        (at->signer != CONFIG_SIGNER_WITNESS &&
         !sodium_is_zero(at->node_id, NODE_ID_SIZE)))
        reader_fail(reader, ST_FILE_FORMAT);
    out->signatures_count++;
}

enum status config_cert_decode(struct config_cert *out, struct slice bytes)
{
    struct reader reader;
    uint32_t size;
    bool good;

    memset(out, 0, sizeof *out);
    reader_init(&reader, bytes);
    good = reader_u16(&reader) == CONFIG_CERT_VERSION;
    out->kind = (enum config_why)reader_u8(&reader);
    good = reader_u8(&reader) == 0 && good && out->kind >= CONFIG_BOOT &&
           out->kind <= CONFIG_WHY_MAX;
    size = reader_u32(&reader);
    good = good && size >= CONFIG_FIXED_SIZE && size <= CONFIG_ENCODED_SIZE_MAX;
    out->not_after_s = reader_i64(&reader);
    reader_copy(&reader, out->evidence, HASH_SIZE);
    if (!good)
        return ST_FILE_FORMAT;
    out->config = reader_bytes(&reader, size);
    if (reader.status != ST_OK)
        return ST_FILE_FORMAT;
    out->signed_bytes = slice_of(bytes.data, reader.used);
    while (reader.status == ST_OK && reader_left(&reader) > 0) {
        if (out->signatures_count == CONFIG_SIGNATURES_MAX)
            return ST_FILE_FORMAT;
        cert_read_signature(out, &reader);
    }
    return reader_end(&reader) == ST_OK ? ST_OK : ST_FILE_FORMAT;
}

/* The key that must have made the signature; NULL: a stranger's. */
static const uint8_t *cert_key(const struct config_signature *signature,
                               const struct config_cert_keys *keys)
{
    switch (signature->signer) {
    case CONFIG_SIGNER_OPERATOR:
        return keys->operator_key;
    case CONFIG_SIGNER_AUTHORITY:
        return keys->authority_key;
    case CONFIG_SIGNER_WITNESS:
        break;
    }
    for (size_t i = 0; i < keys->witnesses_count; i++) {
        if (memcmp(keys->witnesses[i].node_id, signature->node_id,
                   NODE_ID_SIZE) == 0)
            return keys->witnesses[i].receipt_key;
    }
    return NULL;
}

static bool cert_verifies(const struct config_cert *cert,
                          const struct config_signature *signature,
                          const struct config_cert_keys *keys)
{
    const uint8_t *key = cert_key(signature, keys);
    enum tag tag =
        signature->signer == CONFIG_SIGNER_WITNESS ? TAG_WITNESS : TAG_CERT;

    return key != NULL && identity_verify(key, signature->signature, tag, NULL,
                                          cert->signed_bytes.data,
                                          cert->signed_bytes.size) == ST_OK;
}

enum config_cert_fault config_cert_verify(const struct config_cert *cert,
                                          const struct config_cert_keys *keys,
                                          int64_t now_s)
{
    bool has[CONFIG_SIGNER_WITNESS + 1] = {false};
    struct config config;

    REQUIRE(keys->witnesses_count <= CONFIG_NODES_MAX);
    for (size_t i = 0; i < cert->signatures_count; i++) {
        if (!cert_verifies(cert, &cert->signatures[i], keys))
            return CONFIG_CERT_SIGNATURE;
        has[cert->signatures[i].signer] = true;
    }
    if (!has[CONFIG_SIGNER_OPERATOR] ||
        (cert->kind == CONFIG_FORCED && !has[CONFIG_SIGNER_AUTHORITY]) ||
        (keys->witness_needed && !has[CONFIG_SIGNER_WITNESS] &&
         !has[CONFIG_SIGNER_AUTHORITY]))
        return CONFIG_CERT_MISSING;
    if (now_s > cert->not_after_s)
        return CONFIG_CERT_EXPIRED;
    if (config_decode(&config, cert->config) != ST_OK ||
        config.why != cert->kind)
        return CONFIG_CERT_KIND;
    return CONFIG_CERT_GOOD;
}

const char *config_cert_fault_text(enum config_cert_fault fault)
{
    switch (fault) {
    case CONFIG_CERT_GOOD:
        return "the certificate is good";
    case CONFIG_CERT_SIGNATURE:
        return "a signature of the certificate does not verify";
    case CONFIG_CERT_MISSING:
        return "the certificate lacks a signature that it needs";
    case CONFIG_CERT_EXPIRED:
        return "the certificate has expired";
    case CONFIG_CERT_KIND:
        return "the certificate's kind is not the configuration's";
    case CONFIG_CERT_FAULTS_COUNT:
        break;
    }
    return "unknown fault";
}

const char *config_cert_fault_text_az(enum config_cert_fault fault)
{
    switch (fault) {
    case CONFIG_CERT_GOOD:
        return "sertifikat yaxşıdır";
    case CONFIG_CERT_SIGNATURE:
        return "sertifikatın bir imzası düzgün deyil";
    case CONFIG_CERT_MISSING:
        return "sertifikatda lazım olan imza çatışmır";
    case CONFIG_CERT_EXPIRED:
        return "sertifikatın vaxtı keçib";
    case CONFIG_CERT_KIND:
        return "sertifikatın növü tərkibin növü deyil";
    case CONFIG_CERT_FAULTS_COUNT:
        break;
    }
    return "naməlum səhv";
}
