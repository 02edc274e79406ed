/*
 * fz_config.c: configurations, certificates, statements, their requests and
 * what keeps them, as anybody may have written them.  What decodes is written
 * again as the same bytes, and is judged without a crash.
 *
 * The first byte chooses: 0 a configuration, 1 a certificate, 2 a statement,
 * 3 a request, 4 a state of signing whose sum is made to fit, 5 two
 * configurations of which the second is to follow the first, 6 a state of
 * signing as it is.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "protocol/sign_state.h"
#include "protocol/succession.h"
#include "tests/lib/config_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every change of members that the operator's tool makes keeps the form. */
static void check_changes(const struct config *config, struct slice bytes)
{
    uint8_t again[CONFIG_ENCODED_SIZE_MAX];
    struct config changed, read;
    uint8_t chosen[NODE_ID_SIZE];
    uint32_t epoch;
    enum status status = config_granted(&epoch, config, config->epoch);

    INVARIANT(
        IMPLIES(status == ST_OK, epoch - config->epoch >= CONFIG_GRANT_EPOCHS));
    config_succeed(&changed, config, bytes, CONFIG_REMOVE);
    if (changed.learners_count > 0) {
        memcpy(chosen, changed.learners[0], NODE_ID_SIZE);
        config_admit(&changed, chosen, 7);
    }
    memcpy(chosen, changed.members[0].node_id, NODE_ID_SIZE);
    config_dismiss_others(&changed, chosen);
    INVARIANT(changed.members_count == 1 &&
              config_has_member(&changed, chosen));
    if (config_is_eligible(&changed, chosen)) {
        config_remove_eligible(&changed, chosen);
        INVARIANT(config_has_archive(&changed));
    }
    config_encode(again, &changed);
    status = config_decode(&read, slice_of(again, config_size(&changed)));
    INVARIANT(status == ST_OK);
}

static void check_config(struct slice input)
{
    uint8_t again[CONFIG_ENCODED_SIZE_MAX];
    struct config config, next;
    enum config_fault fault;

    if (config_decode(&config, input) != ST_OK)
        return;
    INVARIANT(config_size(&config) == input.size);
    config_encode(again, &config);
    INVARIANT(slice_equal(input, slice_of(again, input.size)));
    fault = config_judge(&config, NULL, slice_of(NULL, 0));
    INVARIANT(config_fault_text(fault) != NULL);
    INVARIANT(config_fault_text_az(fault) != NULL);
    INVARIANT(config_why_name(config.why) != NULL);
    if (config.number == UINT64_MAX)
        return;
    check_changes(&config, input);
    config_succeed(&next, &config, input, CONFIG_SETTLE);
    fault = config_judge(&next, &config, input);
    /* V3 may not hold of the older one itself. */
    INVARIANT(fault == CONFIG_GOOD || fault == CONFIG_V3_PRIMARY);
}

static void check_pair(struct slice input)
{
    struct config older, newer;
    struct slice first, second;

    if (input.size < 2 || load_u16(input.data) > input.size - 2)
        return;
    first = slice_of(input.data + 2, load_u16(input.data));
    second = slice_of(first.data + first.size, input.size - 2 - first.size);
    if (config_decode(&older, first) != ST_OK ||
        config_decode(&newer, second) != ST_OK)
        return;
    config_hash(newer.previous, first);
    if (older.number != UINT64_MAX)
        newer.number = older.number + 1;
    memcpy(newer.cluster_id, older.cluster_id, CLUSTER_ID_SIZE);
    if (newer.why == CONFIG_FORCED)
        config_forced_lineage(newer.lineage, &newer);
    else
        memcpy(newer.lineage, older.lineage, LINEAGE_SIZE);
    if (config_judge(&newer, &older, first) != CONFIG_GOOD)
        return;
    /* What all of it is for, whatever the change. */
    INVARIANT(newer.epoch >= older.epoch);
    INVARIANT(config_is_eligible(&newer, newer.primary));
    INVARIANT(newer.phase == CONFIG_RECOVERING ||
              config_has_member(&newer, newer.primary));
    INVARIANT(newer.epoch > older.epoch ||
              memcmp(newer.primary, older.primary, NODE_ID_SIZE) == 0);
}

static void check_fault(enum config_cert_fault fault)
{
    INVARIANT(config_cert_fault_text(fault)[0] != '\0');
    INVARIANT(config_cert_fault_text_az(fault)[0] != '\0');
}

static void check_certificate(struct slice input)
{
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct config_cert_keys keys = {.witnesses_count = 1};
    struct config_cert cert;
    struct writer writer;

    if (config_cert_decode(&cert, input) != ST_OK)
        return;
    check_fault(config_cert_verify(&cert, &keys, 0));
    sample_config_keys(&keys);
    check_fault(config_cert_verify(&cert, &keys, 0));
    check_fault(config_cert_verify(&cert, &keys, INT64_MAX));
    writer_init(&writer, bytes, sizeof bytes);
    config_cert_begin(&writer, &cert);
    INVARIANT(slice_equal(cert.signed_bytes, writer_slice(&writer)));
    INVARIANT(input.size == cert.signed_bytes.size +
                                cert.signatures_count * CONFIG_SIGNATURE_SIZE);
}

/* Whoever signs here; made once. */
static const struct identity *fuzz_identity(void)
{
    static const uint8_t seed[SEED_SIZE] = {1};
    static struct identity identity;
    static bool made;

    if (!made)
        identity_init(&identity, seed);
    made = true;
    return &identity;
}

/* A statement whose signature is made to fit, and its configuration behind. */
static void check_statement(struct slice input)
{
    const struct identity *identity = fuzz_identity();
    const size_t signed_size = STATEMENT_SIZE - SIGNATURE_SIZE;
    struct succession_node node = {.archive = false};
    uint8_t bytes[STATEMENT_SIZE], again[STATEMENT_SIZE];
    struct slice slice = slice_of(bytes, sizeof bytes);
    struct statement statement;
    enum status status;

    if (input.size < signed_size)
        return;
    memcpy(bytes, input.data, signed_size);
    identity_sign(identity, bytes + signed_size, TAG_STATEMENT, NULL, bytes,
                  signed_size);
    if (statement_read(&statement, slice, identity->public_key) != ST_OK)
        return;
    statement_sign(again, &statement, identity);
    INVARIANT(memcmp(again, bytes, sizeof again) == 0);
    memcpy(node.node_id, statement.node_id, NODE_ID_SIZE);
    status = succession_take(
        &node, slice, identity->public_key,
        slice_of(input.data + signed_size, input.size - signed_size),
        statement.cluster_id);
    INVARIANT((status == ST_OK) == node.reached);
}

static void check_request(struct slice input)
{
    const struct identity *identity = fuzz_identity();
    const size_t signed_size = STATEMENT_REQUEST_SIZE - SIGNATURE_SIZE;
    uint8_t bytes[STATEMENT_REQUEST_SIZE], again[STATEMENT_REQUEST_SIZE];
    struct statement_request request;

    if (input.size < signed_size)
        return;
    memcpy(bytes, input.data, signed_size);
    identity_sign(identity, bytes + signed_size, TAG_STATEMENT, NULL, bytes,
                  signed_size);
    if (statement_request_read(&request, slice_of(bytes, sizeof bytes),
                               identity->public_key, 0) != ST_OK)
        return;
    statement_request_sign(again, &request, identity);
    INVARIANT(memcmp(again, bytes, sizeof again) == 0);
}

/* Who signed nothing yet comes by the certificate to the same state; who has
 * signed it signs it once more. */
static void check_taken(struct sign_state *state)
{
    const struct slice certificate =
        slice_of(state->certificate, state->certificate_size);
    char paper[SIGN_PAPER_SIZE];
    struct sign_state fresh;

    sign_state_paper(paper, state);
    INVARIANT(memchr(paper, '\0', sizeof paper) != NULL);
    if (certificate.size == 0)
        return;
    sign_state_init(&fresh, state->keeper, state->cluster_id);
    INVARIANT(sign_state_take(&fresh, certificate) == ST_OK);
    INVARIANT(fresh.number == state->number &&
              memcmp(fresh.hash, state->hash, HASH_SIZE) == 0);
    INVARIANT(sign_state_take(state, certificate) == ST_OK);
    INVARIANT(sign_state_take(&fresh, slice_of(certificate.data, 1)) ==
              ST_FILE_FORMAT);
    if (state->number == UINT64_MAX)
        return;
    fresh.number++;
    INVARIANT(sign_state_take(&fresh, certificate) == ST_EXISTS);
    fresh.cluster_id[0] ^= 1;
    INVARIANT(sign_state_take(&fresh, certificate) == ST_WRONG_ENV);
}

static void check_state(struct slice input, bool fit)
{
    uint8_t bytes[SIGN_STATE_SIZE_MAX], again[SIGN_STATE_SIZE_MAX];
    struct sign_state state;
    size_t size;

    if (input.size < 40 || input.size > sizeof bytes)
        return;
    memcpy(bytes, input.data, input.size);
    if (fit)
        store_u64(bytes + input.size - 8, XXH3_64bits(bytes, input.size - 8));
    if (sign_state_decode(&state, slice_of(bytes, input.size), SIGN_OPERATOR,
                          bytes + 16) != ST_OK)
        return;
    sign_state_encode(again, &size, &state);
    INVARIANT(slice_equal(slice_of(bytes, input.size), slice_of(again, size)));
    check_taken(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input;

    if (size < 1 || sodium_init() < 0)
        return 0;
    input = slice_of(data + 1, size - 1);
    switch (data[0] % 7) {
    case 0:
        check_config(input);
        break;
    case 1:
        check_certificate(input);
        break;
    case 2:
        check_statement(input);
        break;
    case 3:
        check_request(input);
        break;
    case 4:
    case 6:
        check_state(input, data[0] % 7 == 4);
        break;
    case 5:
        check_pair(input);
        break;
    }
    return 0;
}
