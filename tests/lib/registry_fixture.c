#include "tests/lib/registry_fixture.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <sodium.h>

#include "protocol/dates.h"
#include "protocol/extract.h"
#include "protocol/item.h"
#include "protocol/seal.h"
#include "server/store/search.h"

static const uint8_t authority_seed[SEED_SIZE] = {0xaa};

struct bytes32 fixture_digest(uint8_t byte)
{
    struct bytes32 digest;

    memset(&digest, byte, sizeof digest);
    return digest;
}

struct slice fixture_text(const char *text)
{
    return slice_of(text, strlen(text));
}

void fixture_identity(struct fixture *fixture, struct identity *out)
{
    uint8_t seed[SEED_SIZE] = {0};

    store_u32(seed, ++fixture->seeds);
    identity_init(out, seed);
}

struct bytes32 fixture_public_key(const struct identity *identity)
{
    struct bytes32 key;

    memcpy(key.b, identity->public_key, sizeof key.b);
    return key;
}

static enum status open_item(void *context, struct slice bytes,
                             struct slice *fields_out)
{
    const struct fixture *fixture = context;
    struct item item;

    if (fixture->erased)
        return ST_ERASED;
    ck_assert_int_eq(item_decode(&item, bytes), ST_OK);
    *fields_out = item_fields(&item);
    return ST_OK;
}

/* As sealed under a key that is the same in all fixtures. */
static const uint8_t seal_key[KEY_SIZE] = {0x5e, 0xa1};

static enum status result_salt(void *context, struct slice item, uint64_t place,
                               uint8_t out[SALT_SIZE])
{
    const struct fixture *fixture = context;

    (void)item;
    if (fixture->erased)
        return ST_ERASED;
    seal_result_salt(out, seal_key, place >> 16, (uint16_t)(place & 0xffff));
    return ST_OK;
}

static enum status extract_item_salt(void *context, struct slice item,
                                     uint64_t place, uint32_t number,
                                     uint8_t out[SALT_SIZE])
{
    const struct fixture *fixture = context;

    (void)item;
    if (fixture->erased)
        return ST_ERASED;
    extract_salt(out, seal_key, place >> 16, (uint16_t)(place & 0xffff),
                 number);
    return ST_OK;
}

void fixture_seal_key(struct fixture *fixture, const struct keyring_row *row)
{
    ck_assert_uint_lt(fixture->seal_keys_count, FIXTURE_SEAL_KEYS_MAX);
    fixture->seal_keys[fixture->seal_keys_count++] = *row;
}

/* A destroyed one is found as keyring_row() finds it. */
static enum status find_seal_key(void *context, struct keyring_row *row_out,
                                 uint64_t number)
{
    const struct fixture *fixture = context;

    for (size_t i = 0; i < fixture->seal_keys_count; i++) {
        *row_out = fixture->seal_keys[i];
        if (row_out->number == number)
            return row_out->class == KEYRING_TOMBSTONE ? ST_ERASED : ST_OK;
    }
    return ST_KEY_MISSING;
}

static enum status read_entry(void *context, uint64_t index,
                              struct slice *entry_out)
{
    (void)context;
    (void)index;
    (void)entry_out;
    return ST_NO_SUCH;
}

/* The digest after an entry that changed no row. */
static void digest_unchanged(const struct fixture *fixture,
                             uint8_t out[HASH_SIZE])
{
    uint8_t step[2 * HASH_SIZE];

    memcpy(step, state_head(fixture->state)->digest, HASH_SIZE);
    crypto_hash_sha256(step + HASH_SIZE, NULL, 0);
    crypto_hash_sha256(out, step, sizeof step);
}

/* The item as an open one stands in an entry. */
static struct slice store_item(struct fixture *fixture,
                               const struct item_clear *clear,
                               const void *fields)
{
    const struct operation_info *operation = operation_info(clear->opcode);
    struct item_clear sized = *clear;
    struct writer writer;
    uint8_t *head;

    writer_init(&writer, fixture->item_bytes, ENTRY_SIZE_MAX);
    head = writer_reserve(&writer, ENTRY_ITEM_FIXED_SIZE);
    writer_zeros(&writer, SALT_SIZE);
    schema_encode(operation->fields, &writer, fields);
    ck_assert_int_eq(writer.status, ST_OK);
    sized.size =
        (uint32_t)(writer.used - ENTRY_ITEM_FIXED_SIZE) + ITEM_CLEAR_SIZE;
    memset(head, 0, ENTRY_ITEM_FIXED_SIZE);
    item_clear_encode(head, &sized);
    item_commitment(head + ITEM_CLEAR_SIZE,
                    slice_of(head + ENTRY_ITEM_FIXED_SIZE,
                             writer.used - ENTRY_ITEM_FIXED_SIZE));
    store_u32(head + 72, (uint32_t)(writer.used - ENTRY_ITEM_FIXED_SIZE));
    return writer_slice(&writer);
}

static void act_begin(struct fixture *fixture,
                      const struct fixture_actor *actor, uint16_t opcode)
{
    struct act *act = &fixture->act;

    memset(act, 0, sizeof *act);
    act->state = fixture->state;
    act->services = &fixture->services;
    act->index = fixture->index;
    act->epoch = fixture->epoch;
    act->log_time = fixture->log_time;
    act->today = fixture->index == 0
                     ? dates_day_at(fixture->log_time, 240)
                     : act_day(fixture->state, fixture->log_time);
    memcpy(act->signer.key_id.b, actor->identity.key_id, KEY_ID_SIZE);
    act->carrier = actor->carrier;
    act->operation = operation_info(opcode);
    ck_assert_ptr_nonnull(act->operation);
    act->realm = act->operation->realm == OP_REALM_SYSTEM ? 0 : fixture->realm;
    act->expect_version = fixture->expect_version;
    writer_init(&fixture->space, fixture->space_bytes, RESULT_SIZE_MAX);
    act->space = &fixture->space;
}

/* How often the signer was refused what is others'. */
static uint32_t tried(struct fixture *fixture)
{
    struct row_denial row = {.key_id = fixture->act.signer.key_id};

    return state_get(fixture->state, TABLE_DENIAL, &row) ? row.tried : 0;
}

static enum status act_dispatch(struct fixture *fixture, const void *fields,
                                const struct item_clear *clear,
                                struct writer *result)
{
    struct act *act = &fixture->act;
    union dispatch_fields decoded;
    struct field_error error = {ST_OK, 0};
    uint8_t digest[HASH_SIZE], unchanged[HASH_SIZE];
    uint64_t accesses = state_count(fixture->state, TABLE_ACCESS);
    uint32_t tries = tried(fixture);
    struct state_head head;
    struct item item;
    enum status code;

    code = schema_check(act->operation->fields, &error, fields);
    if (code != ST_OK)
        return code;
    act->subject = clear->subject;
    act->purpose = clear->purpose;
    act->stored_item = store_item(fixture, clear, fields);
    ck_assert_int_eq(item_decode(&item, act->stored_item), ST_OK);
    memcpy(act->commitment, item.commitment, HASH_SIZE);
    ck_assert_int_eq(schema_decode(act->operation->fields, &decoded, &error,
                                   item_fields(&item), SCHEMA_REFUSE_UNKNOWN),
                     ST_OK);
    digest_unchanged(fixture, unchanged);
    state_begin(fixture->state);
    state_entry_begin(fixture->state);
    code = dispatch_item(act, clear->duty, &decoded, result);
    state_entry_end(fixture->state, digest);
    head = *state_head(fixture->state);
    head.epoch = act->epoch;
    head.log_time = act->log_time;
    state_set_head(fixture->state, &head);
    state_commit(fixture->state);
    /* A refusal leaves a row in an access list, is counted as a try, or leaves
     * nothing; a batch alone remembers the records that it refused. */
    if (code != ST_OK && act->operation->opcode != OPCODE_FEED_PUT &&
        code != ST_NOT_MODIFIED &&
        state_count(fixture->state, TABLE_ACCESS) == accesses &&
        tried(fixture) == tries)
        ck_assert_mem_eq(digest, unchanged, HASH_SIZE);
    return code;
}

enum status fixture_run(struct fixture *fixture,
                        const struct fixture_actor *actor, uint16_t opcode,
                        const void *fields, uint64_t subject, uint32_t purpose,
                        uint32_t duty, void *result_out)
{
    struct item_clear clear = {.opcode = opcode,
                               .version = 1,
                               .duty = duty,
                               .purpose = purpose,
                               .subject = subject,
                               .expect_version = fixture->expect_version};
    struct field_error error = {ST_OK, 0};
    struct writer result;
    enum status code;

    act_begin(fixture, actor, opcode);
    writer_init(&result, fixture->result_bytes, RESULT_SIZE_MAX);
    code = act_dispatch(fixture, fields, &clear, &result);
    fixture->result = writer_slice(&result);
    if (code == ST_OK && result_out != NULL) {
        ck_assert_int_eq(schema_decode(fixture->act.operation->result,
                                       result_out, &error, fixture->result,
                                       SCHEMA_REFUSE_UNKNOWN),
                         ST_OK);
    }
    fixture->expect_version = 0;
    fixture->index++;
    fixture->log_time += DATES_US_PER_SECOND;
    return code;
}

void fixture_wait(struct fixture *fixture, int32_t days)
{
    fixture->log_time += DATES_US_PER_DAY * days;
}

static void run_genesis(struct fixture *fixture,
                        const struct identity *authority)
{
    struct op_system_genesis in = {.origin = fixture_text("test.example/log"),
                                   .environment = 2,
                                   .realms = 3,
                                   .node_channel_key = fixture_digest(9),
                                   .owner = fixture_text("Owner")};
    struct fixture_actor signer = {.identity = *authority};
    struct identity log_key;

    fixture_identity(fixture, &fixture->node.identity);
    fixture_identity(fixture, &fixture->operator.identity);
    fixture_identity(fixture, &log_key);
    in.authority_key = fixture_public_key(authority);
    in.node_id.b[0] = 1;
    in.node_receipt_key = fixture_public_key(&fixture->node.identity);
    in.log_key = fixture_public_key(&log_key);
    in.operator_key = fixture_public_key(&fixture->operator.identity);
    ck_assert_int_eq(fixture_run(fixture, &signer, OPCODE_SYSTEM_GENESIS, &in,
                                 0, 0, 0, NULL),
                     ST_OK);
    fixture->operator.person = 1;
    fixture->operator.organisation = FIXTURE_OWNER;
    fixture->operator.duty = 1;
    identity_wipe(&log_key);
}

void fixture_open(struct fixture *fixture)
{
    struct op_system_epoch epoch = {.epoch = 1};
    struct op_system_secret secret = {.secret = fixture_digest(0x5e)};
    struct identity authority;

    ck_assert_int_ge(sodium_init(), 0);
    memset(fixture, 0, sizeof *fixture);
    fixture->item_bytes = malloc(ENTRY_SIZE_MAX);
    fixture->space_bytes = malloc(RESULT_SIZE_MAX);
    fixture->result_bytes = malloc(RESULT_SIZE_MAX);
    ck_assert(fixture->item_bytes != NULL && fixture->space_bytes != NULL &&
              fixture->result_bytes != NULL);
    ck_assert_int_eq(state_open(&fixture->state, ":memory:"), ST_OK);
    fixture->services.context = fixture;
    fixture->services.open_item = open_item;
    fixture->services.result_salt = result_salt;
    fixture->services.extract_salt = extract_item_salt;
    fixture->services.seal_key = find_seal_key;
    fixture->services.read_entry = read_entry;
    fixture->services.search = search_open();
    fixture->realm = 'R';
    fixture->epoch = 1;
    fixture->log_time = FIXTURE_TIME;
    identity_init(&authority, authority_seed);
    identity_cluster_id(fixture->services.cluster_id, authority.public_key);
    run_genesis(fixture, &authority);
    ck_assert_int_eq(fixture_run(fixture, &fixture->node, OPCODE_SYSTEM_EPOCH,
                                 &epoch, 0, 0, 0, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(fixture, &fixture->node, OPCODE_SYSTEM_SECRET,
                                 &secret, 0, 0, 0, NULL),
                     ST_OK);
}

void fixture_close(struct fixture *fixture)
{
    search_close(fixture->services.search);
    state_close(fixture->state);
    free(fixture->item_bytes);
    free(fixture->space_bytes);
    free(fixture->result_bytes);
}
