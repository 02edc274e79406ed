/*
 * config_cert.h: a configuration that the operator signed, where no register
 * decides (LOG-FORMAT, section 7).
 *
 *      0 u16 version = 1      4 u32 config_size     16 evidence[32]
 *      2 u8  kind             8 i64 not_after_s     48 config
 *      3 u8  signatures_count
 *      then signatures: u8 signer ‖ u8[7] zeros ‖ node_id[16] ‖ signature[64]
 *
 * Signed are T("DFT1/cert") and all before the signatures; a witness signs the
 * same under T("DFT1/witness").  Signers rise strictly.  One of the operator is
 * needed, and the archive's as witness where the older configuration has an
 * archive; the authority's stands for a witness that is dead, and is needed
 * with FORCED.
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
enum { CONFIG_CERT_VERSION = 1, CONFIG_SIGNATURES_MAX = 3 };

struct config_signature {
    enum config_signer signer;
    uint8_t node_id[NODE_ID_SIZE]; /* Of a witness; else zeros. */
    uint8_t signature[SIGNATURE_SIZE];
};

struct config_cert {
    enum config_why kind;        /* As the configuration says. */
    int64_t not_after_s;         /* Since 1970; not acted upon later. */
    uint8_t evidence[HASH_SIZE]; /* SHA-256 of the statements it rests on. */
    struct slice config;         /* Borrows the bytes decoded. */
    struct slice signed_bytes;
    size_t signatures_count;
    struct config_signature signatures[CONFIG_SIGNATURES_MAX];
};

/* Returns: ST_OK; ST_FILE_FORMAT.  Nothing is verified. */
NODISCARD enum status config_cert_decode(struct config_cert *out,
                                         struct slice bytes);

/* Begins a certificate: everything but signatures goes to ${out}. */
void config_cert_begin(struct writer *out, const struct config_cert *cert);

/* Adds ${signer}'s signature to the certificate in ${out}.
 * Requires: room, and a signer above those there. */
void config_cert_sign(struct writer *out, enum config_signer signer,
                      const uint8_t *node_id, const struct identity *identity);

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
    bool witness_needed; /* The older configuration has an archive. */
};

enum config_cert_fault {
    CONFIG_CERT_GOOD,
    CONFIG_CERT_SIGNATURE, /* One does not verify, or is a stranger's. */
    CONFIG_CERT_MISSING,   /* Too few signed. */
    CONFIG_CERT_EXPIRED,
    CONFIG_CERT_KIND /* Kind and configuration disagree. */
};
const char *config_cert_fault_text(enum config_cert_fault fault);

enum config_cert_fault config_cert_verify(const struct config_cert *cert,
                                          const struct config_cert_keys *keys,
                                          int64_t now_s);

#endif
