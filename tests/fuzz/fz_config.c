/*
 * fz_config.c: configurations, certificates, statements, their requests and
 * what keeps them, as anybody may have written them.  What decodes is written
 * again as the same bytes, and is judged without a crash.
 *
 * The first byte chooses: 0 a configuration, 1 a certificate, 2 a statement,
 * 3 a request, 4 a state of signing whose sum is made to fit, 5 two
 * configurations of which the second is to follow the first.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "protocol/config_cert.h"
#include "protocol/sign_state.h"
#include "protocol/statement.h"
#include "protocol/succession.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    if (config.number == UINT64_MAX)
        return;
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

static void check_certificate(struct slice input)
{
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct config_cert_keys keys = {.witnesses_count = 1};
    struct config_cert cert;
    struct writer writer;

    if (config_cert_decode(&cert, input) != ST_OK)
        return;
    (void)config_cert_verify(&cert, &keys, 0);
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

static void check_state(struct slice input)
{
    uint8_t bytes[SIGN_STATE_SIZE_MAX], again[SIGN_STATE_SIZE_MAX];
    struct sign_state state;
    size_t size;

    if (input.size < 40 || input.size > sizeof bytes)
        return;
    memcpy(bytes, input.data, input.size);
    store_u64(bytes + input.size - 8, XXH3_64bits(bytes, input.size - 8));
    if (sign_state_decode(&state, slice_of(bytes, input.size), SIGN_OPERATOR,
                          bytes + 16) != ST_OK)
        return;
    sign_state_encode(again, &size, &state);
    INVARIANT(slice_equal(slice_of(bytes, input.size), slice_of(again, size)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input;

    if (size < 1 || sodium_init() < 0)
        return 0;
    input = slice_of(data + 1, size - 1);
    switch (data[0] % 6) {
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
        check_state(input);
        break;
    case 5:
        check_pair(input);
        break;
    }
    return 0;
}
