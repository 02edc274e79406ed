/*
 * config_sample.h: configurations, certificates and statements that tests and
 * vectors are made of.  Nodes are named by a byte: A, B and Z, an archive.
 */
#ifndef DEFTER_TESTS_LIB_CONFIG_SAMPLE_H
#define DEFTER_TESTS_LIB_CONFIG_SAMPLE_H

#include "protocol/config_cert.h"
#include "protocol/statement.h"
#include "tests/lib/sample.h"

/* The id of node ${letter}: sixteen times that byte. */
static inline const uint8_t *sample_node(char letter)
{
    static uint8_t ids[256][NODE_ID_SIZE];
    uint8_t *id = ids[(uint8_t)letter];

    memset(id, letter, NODE_ID_SIZE);
    return id;
}

/* The first configuration: A alone; B and Z learn, A and B are eligible. */
static inline void sample_config(struct config *out)
{
    memset(out, 0, sizeof *out);
    out->phase = CONFIG_NORMAL;
    out->why = CONFIG_BOOT;
    out->epoch = 1;
    out->number = 1;
    sample_cluster_id(out->cluster_id);
    memset(out->lineage, 0x11, LINEAGE_SIZE);
    memcpy(out->primary, sample_node('A'), NODE_ID_SIZE);
    out->base_size = 1;
    memset(out->base_leaf, 0x22, HASH_SIZE);
    memset(out->nonce, 0x33, CONFIG_NONCE_SIZE);
    out->minimum = 2;
    config_add_member(out, sample_node('A'), 1);
    config_add_learner(out, sample_node('Z'));
    config_add_learner(out, sample_node('B'));
    config_add_eligible(out, sample_node('B'));
    config_add_eligible(out, sample_node('A'));
}

/* A configuration and its bytes. */
struct sample_config {
    struct config config;
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    struct slice slice;
};

static inline void sample_config_encode(struct sample_config *sample)
{
    config_encode(sample->bytes, &sample->config);
    sample->slice = slice_of(sample->bytes, config_size(&sample->config));
}

/* What follows the first: A and B are members, Z learns. */
static inline void sample_config_pair(struct sample_config *out)
{
    struct sample_config first;

    sample_config(&first.config);
    sample_config_encode(&first);
    config_succeed(&out->config, &first.config, first.slice, CONFIG_ADD);
    config_admit(&out->config, sample_node('B'), 7);
    sample_config_encode(out);
}

/* The certificate of ${config}, signed by the operator (seed of 4), the
 * authority (seed of 1) and the witness Z (seed of 6) as ${signers} has bits
 * 1, 2 and 4. */
static inline struct slice sample_config_cert(
    uint8_t out[CONFIG_CERT_ENCODED_SIZE_MAX], enum config_why kind,
    struct slice config, unsigned signers)
{
    struct config_cert cert = {
        .kind = kind, .not_after_s = 1767312000, .config = config};
    struct identity identity;
    struct writer writer;

    memset(cert.evidence, 0x44, HASH_SIZE);
    writer_init(&writer, out, CONFIG_CERT_ENCODED_SIZE_MAX);
    config_cert_begin(&writer, &cert);
    sample_identity(&identity, 4);
    if ((signers & 1) != 0)
        config_cert_sign(&writer, CONFIG_SIGNER_OPERATOR, NULL, &identity);
    sample_identity(&identity, 1);
    if ((signers & 2) != 0)
        config_cert_sign(&writer, CONFIG_SIGNER_AUTHORITY, NULL, &identity);
    sample_identity(&identity, 6);
    if ((signers & 4) != 0)
        config_cert_sign(&writer, CONFIG_SIGNER_WITNESS, sample_node('Z'),
                         &identity);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

/* Whose signatures those are. */
static inline void sample_config_keys(struct config_cert_keys *out)
{
    struct identity identity;

    memset(out, 0, sizeof *out);
    sample_identity(&identity, 4);
    memcpy(out->operator_key, identity.public_key, PUBLIC_KEY_SIZE);
    sample_identity(&identity, 1);
    memcpy(out->authority_key, identity.public_key, PUBLIC_KEY_SIZE);
    sample_identity(&identity, 6);
    memcpy(out->witnesses[0].node_id, sample_node('Z'), NODE_ID_SIZE);
    memcpy(out->witnesses[0].receipt_key, identity.public_key, PUBLIC_KEY_SIZE);
    out->witnesses_count = 1;
    out->witness_needed = true;
}

/* What B says under ${older}. */
static inline void sample_statement(struct statement *out,
                                    const struct sample_config *older)
{
    memset(out, 0, sizeof *out);
    out->flags = STATEMENT_ACK;
    out->epoch = older->config.epoch;
    out->incarnation = 7;
    memcpy(out->cluster_id, older->config.cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->lineage, older->config.lineage, LINEAGE_SIZE);
    memcpy(out->node_id, sample_node('B'), NODE_ID_SIZE);
    out->config_number = older->config.number;
    out->promised = older->config.epoch;
    out->why = CONFIG_PROMOTE;
    config_hash(out->config_hash, older->slice);
    out->size = 1000;
    memset(out->leaf, 0x55, HASH_SIZE);
    out->committed = 998;
    out->time_us = SAMPLE_SIGNED_AT;
    memcpy(out->other, sample_node('Z'), NODE_ID_SIZE);
    out->other_incarnation = 3;
    out->other_matched = 999;
}

#endif
