#include "tests/lib/registry_fixture.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <sodium.h>

#include "protocol/dates.h"
#include "protocol/item.h"
#include "server/registry/subject.h"
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

static void fixture_identity(struct fixture *fixture, struct identity *out)
{
    uint8_t seed[SEED_SIZE] = {0};

    store_u32(seed, ++fixture->seeds);
    identity_init(out, seed);
}

static struct bytes32 public_key_of(const struct identity *identity)
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

static enum status read_entry(void *context, uint64_t index,
                              struct slice *entry_out)
{
    (void)context;
    (void)index;
    (void)entry_out;
    return ST_NO_SUCH;
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
    act->epoch = 1;
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

static enum status act_dispatch(struct fixture *fixture, const void *fields,
                                const struct item_clear *clear,
                                struct writer *result)
{
    struct act *act = &fixture->act;
    union dispatch_fields decoded;
    struct field_error error = {ST_OK, 0};
    uint8_t digest[HASH_SIZE];
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
    state_begin(fixture->state);
    state_entry_begin(fixture->state);
    code = dispatch_item(act, clear->duty, &decoded, result);
    state_entry_end(fixture->state, digest);
    state_commit(fixture->state);
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
    in.authority_key = public_key_of(authority);
    in.node_id.b[0] = 1;
    in.node_receipt_key = public_key_of(&fixture->node.identity);
    in.log_key = public_key_of(&log_key);
    in.operator_key = public_key_of(&fixture->operator.identity);
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
    fixture->services.read_entry = read_entry;
    fixture->services.search = search_open();
    fixture->realm = 'R';
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

void fixture_enrolment(struct fixture *fixture, struct op_actor_enrol *out,
                       struct identity *identity_out, enum role role,
                       uint8_t level, uint32_t organisation, uint64_t person)
{
    uint8_t message[PUBLIC_KEY_SIZE + 16];
    struct writer writer;

    fixture_identity(fixture, identity_out);
    *out = (struct op_actor_enrol){.public_key = public_key_of(identity_out),
                                   .role = (uint8_t)role,
                                   .level = level,
                                   .organisation = organisation,
                                   .person = person,
                                   .evidence = fixture_digest(3)};
    writer_init(&writer, message, sizeof message);
    writer_bytes(&writer, identity_out->public_key, PUBLIC_KEY_SIZE);
    writer_u16(&writer, (uint16_t)role);
    writer_u8(&writer, level);
    writer_u8(&writer, 0);
    writer_u32(&writer, organisation);
    writer_u64(&writer, person);
    identity_sign(identity_out, out->proof.b, TAG_ENROL,
                  fixture->services.cluster_id, message, sizeof message);
}

void fixture_enrol(struct fixture *fixture, struct fixture_actor *actor_out,
                   enum role role, uint8_t level, uint32_t organisation)
{
    struct op_actor_enrol in;
    struct result_actor_enrol out;

    memset(actor_out, 0, sizeof *actor_out);
    fixture_enrolment(fixture, &in, &actor_out->identity, role, level,
                      organisation, 0);
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_ACTOR_ENROL, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    actor_out->person = out.person;
    actor_out->organisation = organisation;
}

void fixture_session(struct fixture *fixture, const struct fixture_actor *actor)
{
    struct op_auth_open in = {.lifetime_s = 0};

    ck_assert_int_eq(
        fixture_run(fixture, actor, OPCODE_AUTH_OPEN, &in, 0, 0, 0, NULL),
        ST_OK);
}

uint32_t fixture_organisation(struct fixture *fixture,
                              enum organisation_kind kind, uint16_t sections)
{
    struct op_organisation_enrol in = {.kind = (uint8_t)kind,
                                       .name = fixture_text("Some body"),
                                       .sections = sections,
                                       .ehis_code = fixture_text("EHIS1"),
                                       .basis = fixture_digest(4)};
    struct result_organisation_enrol out;

    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_ORGANISATION_ENROL, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    return out.organisation;
}

uint32_t fixture_duty(struct fixture *fixture, struct fixture_actor *actor,
                      enum duty duty, uint16_t scope)
{
    struct op_duty_assign in = {.person = actor->person,
                                .organisation = actor->organisation,
                                .duty = (uint8_t)duty,
                                .scope = scope,
                                .basis = fixture_digest(5)};
    struct result_duty_assign out;
    struct op_duty_ack ack;

    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_DUTY_ASSIGN, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    ack.assignment = out.assignment;
    ck_assert_int_eq(
        fixture_run(fixture, actor, OPCODE_DUTY_ACK, &ack, 0, 0, 0, NULL),
        ST_OK);
    if (actor->duty == 0)
        actor->duty = out.assignment;
    return out.assignment;
}

void fixture_staff(struct fixture *fixture, struct fixture_actor *actor_out,
                   enum duty duty)
{
    fixture_enrol(fixture, actor_out,
                  duty == DUTY_AUD ? ROLE_AUDITOR : ROLE_STAFF, 3,
                  FIXTURE_OWNER);
    fixture_duty(fixture, actor_out, duty, 0xff);
}

void fixture_participant(struct fixture *fixture,
                         struct fixture_actor *actor_out, uint32_t organisation,
                         enum duty duty)
{
    fixture_enrol(fixture, actor_out, ROLE_PARTICIPANT, 3, organisation);
    fixture_duty(fixture, actor_out, duty, 0);
}

void fixture_user(struct fixture *fixture, struct fixture_actor *actor_out,
                  const char *fin)
{
    struct op_actor_identity in = {.surname = fixture_text("Quliyeva"),
                                   .given = fixture_text("Nigar"),
                                   .fin = fixture_text(fin)};

    fixture_enrol(fixture, actor_out, ROLE_USER, 3, 0);
    memcpy(in.key_id.b, actor_out->identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_ACTOR_IDENTITY, &in, 0, 0,
                                 fixture->operator.duty, NULL),
                     ST_OK);
    fixture_session(fixture, actor_out);
}

uint16_t fixture_carrier(struct fixture *fixture, enum carrier_kind kind)
{
    struct op_carrier_enrol in = {.kind = (uint8_t)kind,
                                  .label = fixture_text("carrier")};
    struct result_carrier_enrol out;
    struct fixture_actor actor;

    fixture_enrol(fixture, &actor,
                  kind == CARRIER_KIND_EHIS ? ROLE_EHIS : ROLE_PORTAL, 3,
                  FIXTURE_OWNER);
    memcpy(in.key_id.b, actor.identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_CARRIER_ENROL, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    return out.number;
}

/* Rows that no operation at hand writes, as if an entry had. */
static void write_row(struct fixture *fixture, enum table table,
                      const void *row, bool exists)
{
    uint8_t digest[HASH_SIZE];

    state_begin(fixture->state);
    state_entry_begin(fixture->state);
    if (exists)
        state_update(fixture->state, table, row);
    else
        state_insert(fixture->state, table, row);
    state_entry_end(fixture->state, digest);
    state_commit(fixture->state);
}

void fixture_subject(struct fixture *fixture, uint64_t voen, uint8_t kind)
{
    static const uint8_t heads[SUBJECT_HEADS_SIZE];
    struct row_subject row = {.voen = voen,
                              .kind = kind,
                              .state = SUBJECT_ACTIVE,
                              .cabinet = voen,
                              .heads = slice_of(heads, sizeof heads)};

    write_row(fixture, TABLE_SUBJECT, &row, false);
}

void fixture_subject_state(struct fixture *fixture, uint64_t voen,
                           uint8_t state)
{
    struct row_subject row = {.voen = voen};

    ck_assert(state_get(fixture->state, TABLE_SUBJECT, &row));
    row.state = state;
    write_row(fixture, TABLE_SUBJECT, &row, true);
}

void fixture_represent(struct fixture *fixture, uint64_t voen,
                       const struct fixture_actor *actor)
{
    struct row_person person = {.number = actor->person};
    struct row_representative row = {.subject = voen, .kind = 2};

    ck_assert(state_get(fixture->state, TABLE_PERSON, &person));
    row.fin_tag = person.fin_tag;
    row.seq = (uint16_t)state_count(fixture->state, TABLE_REPRESENTATIVE);
    write_row(fixture, TABLE_REPRESENTATIVE, &row, false);
}

void fixture_purpose(struct fixture *fixture, uint32_t number,
                     uint16_t sections, uint16_t kinds)
{
    struct row_purpose row = {.number = number,
                              .title = fixture_text("Purpose"),
                              .legal_basis = fixture_text("Law"),
                              .sections = sections,
                              .kinds = kinds};

    write_row(fixture, TABLE_PURPOSE, &row, false);
}

uint32_t fixture_accesses(struct fixture *fixture, struct row_access *row_out,
                          uint64_t subject)
{
    struct row_access row = {.subject = subject};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_key(fixture->state, &scan, TABLE_ACCESS, &row,
                   (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &row)) {
        if (row_out != NULL)
            *row_out = row;
        count++;
    }
    state_scan_close(&scan);
    return count;
}
