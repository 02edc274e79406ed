/*
 * config_cert.h: a configuration that the operator signed, where no register
 * decides (LOG-FORMAT, section 11).
 *
 *      0 u16 version = 1      4 u32 config_size     16 evidence[32]
 *      2 u8  kind             8 i64 not_after_s     48 config
 *      3 u8  zero
 *      then signatures: u8 signer ‖ u8[7] zeros ‖ node_id[16] ‖ signature[64]
 *
 * Signed are T("DFT1/cert") and all before the signatures, whose number is what
 * is left of the bytes; so one more can be added without a change to what the
 * others signed.  A witness signs the same under T("DFT1/witness").  Signers
 * rise strictly.
 *
 * The operator's is needed, and the archive's as witness where the older
 * configuration has an archive; the authority's stands for a witness that is
 * dead, and is needed with FORCED.
 */
#ifndef DEFTER_PROTOCOL_CONFIG_CERT_H
#define DEFTER_PROTOCOL_CONFIG_CERT_H

#include "protocol/config.h"
#include "protocol/identity.h"

enum config_signer {
    CONFIG_SIGNER_OPERATOR = 1, /* Genesis' operator key. */
    CONFIG_SIGNER_AUTHORITY,    /* Genesis' authority key. */
    CONFIG_SIGNER_WITNESS       /* An archive's receipt key. */
};
enum {
    CONFIG_CERT_VERSION = 1,
    CONFIG_SIGNATURES_MAX = 3,
    CONFIG_CERT_FIXED_SIZE = 48,
    CONFIG_SIGNATURE_SIZE = 8 + NODE_ID_SIZE + SIGNATURE_SIZE,
    CONFIG_CERT_ENCODED_SIZE_MAX = CONFIG_CERT_FIXED_SIZE +
                                   CONFIG_ENCODED_SIZE_MAX +
                                   CONFIG_SIGNATURES_MAX * CONFIG_SIGNATURE_SIZE
};
static_assert((int)CONFIG_CERT_ENCODED_SIZE_MAX <= (int)CONFIG_CERT_SIZE_MAX,
              "a certificate fits what keeps it");
static_assert((int)CONFIG_CERT_FIXED_SIZE + (int)CONFIG_ENCODED_SIZE_MAX <=
                  (int)IDENTITY_MESSAGE_SIZE_MAX,
              "what is signed is a message that can be signed");

struct config_signature {
    enum config_signer signer;
    uint8_t node_id[NODE_ID_SIZE]; /* Of a witness; else zeros. */
    uint8_t signature[SIGNATURE_SIZE];
};

struct config_cert {
    enum config_why kind;        /* As the configuration says. */
    int64_t not_after_s;         /* Since 1970; not handed in later. */
    uint8_t evidence[HASH_SIZE]; /* SHA-256 of the statements it rests on. */
    struct slice config;         /* Borrows the bytes decoded. */
    struct slice signed_bytes;
    size_t signatures_count;
    struct config_signature signatures[CONFIG_SIGNATURES_MAX];
};

/*
 * config_cert_decode(out, bytes):
 * Returns: ST_OK; ST_FILE_FORMAT for bytes that no certificate has.  Neither
 *          the configuration nor a signature is looked at; there may be none.
 * Owns:    ${out} borrows ${bytes}.
 */
NODISCARD enum status config_cert_decode(struct config_cert *out,
                                         struct slice bytes);

/*
 * config_cert_begin(out, cert):
 * Append everything but signatures to ${out}, which is empty.
 *
 * Requires: room for CONFIG_CERT_ENCODED_SIZE_MAX bytes; cert->config encodes a
 *           configuration.
 */
void config_cert_begin(struct writer *out, const struct config_cert *cert);

/*
 * config_cert_sign(out, signer, node_id, identity):
 * Add ${signer}'s signature to the certificate in ${out}; ${node_id} is a
 * witness's, else NULL.
 *
 * Requires: a certificate that config_cert_begin() began or
 * config_cert_decode() took, room, and a signer above those there.
 */
void config_cert_sign(struct writer *out, enum config_signer signer,
                      const uint8_t *node_id, const struct identity *identity);

/*
 * config_cert_witness(out, cert, identity):
 * The signature alone with which a witness countersigns.
 */
void config_cert_witness(uint8_t out[SIGNATURE_SIZE],
                         const struct config_cert *cert,
                         const struct identity *identity);

/* Adds the signature of a witness that was made elsewhere; as
 * config_cert_sign(). */
void config_cert_add_witness(struct writer *out, const uint8_t *node_id,
                             const uint8_t signature[SIGNATURE_SIZE]);

/* Whose signatures count. */
struct config_cert_keys {
    uint8_t operator_key[PUBLIC_KEY_SIZE];
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    /* The archives whose keys are known, by their node certificates. */
    struct {
        uint8_t node_id[NODE_ID_SIZE];
        uint8_t receipt_key[PUBLIC_KEY_SIZE];
    } witnesses[CONFIG_NODES_MAX];
    size_t witnesses_count;
    bool witness_needed; /* config_has_archive() of the older one. */
};

/* The first that applies, in this order. */
enum config_cert_fault {
    CONFIG_CERT_GOOD,
    CONFIG_CERT_SIGNATURE, /* One does not verify, or is a stranger's. */
    CONFIG_CERT_MISSING,   /* Too few signed. */
    CONFIG_CERT_EXPIRED,
    CONFIG_CERT_KIND, /* Kind and configuration disagree. */
    CONFIG_CERT_FAULTS_COUNT
};
const char *config_cert_fault_text(enum config_cert_fault fault);
const char *config_cert_fault_text_az(enum config_cert_fault fault);

/*
 * config_cert_verify(cert, keys, now_s):
 * Judge the signatures and the time; whether the configuration may follow, is
 * config_judge()'s.  One that was acted upon already is judged with
 * CONFIG_CERT_ANY_TIME: it stays good.
 */
#define CONFIG_CERT_ANY_TIME INT64_MIN
enum config_cert_fault config_cert_verify(const struct config_cert *cert,
                                          const struct config_cert_keys *keys,
                                          int64_t now_s);

#endif
