#include "tests/lib/node_fixture.h"

#include <check.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol/genesis.h"
#include "server/files.h"
#include "server/node_private.h"
#include "server/registry/rows.h"

enum { FIXTURE_OWNER_ORGANISATION = 1, FIXTURE_OPERATOR_DUTY = 1 };

static const char *path_of(const struct node_fixture *fixture, const char *name)
{
    static char path[NODE_FIXTURE_PATH_SIZE + 64];

    (void)snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    return path;
}

static void write_key(const struct node_fixture *fixture,
                      struct keyfile *keyfile_out, enum keyfile_kind kind,
                      const char *name)
{
    uint8_t secret[KEY_SIZE], bytes[KEYFILE_SIZE];

    randombytes_buf(secret, sizeof secret);
    keyfile_make(keyfile_out, kind, fixture->cluster_id, secret);
    keyfile_encode(bytes, keyfile_out);
    ck_assert_int_eq(
        files_write_new(path_of(fixture, name), bytes, sizeof bytes, 0600),
        ST_OK);
}

static void write_certificate(const struct node_fixture *fixture,
                              const struct nodecert *certificate)
{
    uint8_t bytes[NODECERT_SIZE];

    nodecert_sign(bytes, certificate, &fixture->authority);
    ck_assert_int_eq(files_write_new(path_of(fixture, FILE_NODE_CERT), bytes,
                                     sizeof bytes, 0644),
                     ST_OK);
}

static void write_genesis(const struct node_fixture *fixture,
                          struct op_system_genesis *fields)
{
    struct genesis_random random;
    uint8_t bytes[GENESIS_SIZE_MAX];
    size_t size;

    fields->origin = slice_of("node.test/log", 13);
    fields->owner = slice_of("Owner", 5);
    fields->environment = 2;
    fields->realms = 3;
    randombytes_buf(&random, sizeof random);
    ck_assert_int_eq(genesis_write(bytes, &size, fields, &fixture->authority,
                                   (int64_t)time(NULL) * 1000000, &random),
                     ST_OK);
    ck_assert_int_eq(
        files_write_new(path_of(fixture, FILE_GENESIS), bytes, size, 0644),
        ST_OK);
}

static void write_files(struct node_fixture *fixture)
{
    struct nodecert certificate = {
        .role = NODECERT_SERVER,
        .serial = 1,
        .not_before_s = (int64_t)time(NULL) - 60,
        .not_after_s = (int64_t)time(NULL) + 86400,
    };
    struct op_system_genesis genesis = {0};
    struct keyfile key;

    randombytes_buf(genesis.node_id.b, NODE_ID_SIZE);
    memcpy(certificate.node_id, genesis.node_id.b, NODE_ID_SIZE);
    memcpy(certificate.cluster_id, fixture->cluster_id, CLUSTER_ID_SIZE);
    write_key(fixture, &key, KEYFILE_CHANNEL, FILE_CHANNEL_KEY);
    memcpy(certificate.channel_key, key.public_key, PUBLIC_KEY_SIZE);
    memcpy(genesis.node_channel_key.b, key.public_key, PUBLIC_KEY_SIZE);
    write_key(fixture, &key, KEYFILE_RECEIPT, FILE_RECEIPT_KEY);
    memcpy(certificate.receipt_key, key.public_key, PUBLIC_KEY_SIZE);
    memcpy(genesis.node_receipt_key.b, key.public_key, PUBLIC_KEY_SIZE);
    write_key(fixture, &key, KEYFILE_LOG, FILE_LOG_KEY);
    memcpy(genesis.log_key.b, key.public_key, PUBLIC_KEY_SIZE);
    write_key(fixture, &key, KEYFILE_KEYRING, FILE_KEYRING_KEY);
    memcpy(genesis.operator_key.b, fixture->operator.public_key,
           PUBLIC_KEY_SIZE);
    memcpy(genesis.recovery_key.b, certificate.channel_key, PUBLIC_KEY_SIZE);
    write_certificate(fixture, &certificate);
    write_genesis(fixture, &genesis);
}

static void fresh_identity(struct identity *out)
{
    uint8_t seed[SEED_SIZE];

    randombytes_buf(seed, sizeof seed);
    identity_init(out, seed);
}

static void make_directory(struct node_fixture *fixture)
{
    const char *temporary = getenv("TMPDIR");

    (void)snprintf(fixture->directory, sizeof fixture->directory,
                   "%.200s/node.XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(fixture->directory));
    (void)snprintf(fixture->options.directory,
                   sizeof fixture->options.directory, "%s", fixture->directory);
}

static void copy_file(const struct node_fixture *to,
                      const struct node_fixture *from, const char *name)
{
    uint8_t bytes[GENESIS_SIZE_MAX];
    FILE *file = fopen(path_of(from, name), "re");
    size_t size;

    ck_assert_ptr_nonnull(file);
    size = fread(bytes, 1, sizeof bytes, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(files_write_new(path_of(to, name), bytes, size, 0600),
                     ST_OK);
}

void node_fixture_twin(struct node_fixture *twin,
                       const struct node_fixture *fixture)
{
    static const char *const names[] = {FILE_CHANNEL_KEY, FILE_RECEIPT_KEY,
                                        FILE_LOG_KEY,     FILE_KEYRING_KEY,
                                        FILE_NODE_CERT,   FILE_GENESIS};

    ck_assert_ptr_null(fixture->node);
    *twin = *fixture;
    make_directory(twin);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        copy_file(twin, fixture, names[i]);
}

void node_fixture_make(struct node_fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    ck_assert_int_ge(sodium_init(), 0);
    options_defaults(&fixture->options);
    make_directory(fixture);
    fresh_identity(&fixture->authority);
    fresh_identity(&fixture->operator);
    identity_cluster_id(fixture->cluster_id, fixture->authority.public_key);
    write_files(fixture);
    (void)snprintf(fixture->options.address, sizeof fixture->options.address,
                   "127.0.0.1:0");
}

/*
 * Check runs each test in a fork of this process, which has the node's memory
 * and none of its threads: what only their stacks pointed to looks lost there.
 * LeakSanitizer asks this function, if there is one, and judges the node in the
 * process that started it.
 */
static pid_t started_by;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return started_by != 0 && started_by != getpid();
}

/* Until the node has signed its first checkpoint, if it does: its threads are
 * at rest then, and a test that is forked off inherits no lock of the
 * allocator. */
static void fixture_settle(struct node *node)
{
    enum { NAPS_MAX = 200 };
    const struct timespec nap = {.tv_nsec = 10000000};
    struct evidence_status status = {.note_size = 0};

    for (int i = 0;
         i < NAPS_MAX && node->evidence != NULL && status.note_size == 0; i++) {
        (void)nanosleep(&nap, NULL);
        evidence_status(node->evidence, &status);
    }
}

void node_fixture_start(struct node_fixture *fixture)
{
    started_by = getpid();
    ck_assert_ptr_null(fixture->node);
    ck_assert_int_eq(node_open(&fixture->node, &fixture->options),
                     NODE_DRAINED);
    ck_assert_int_eq(node_start(fixture->node), NODE_DRAINED);
    fixture->port = node_port(fixture->node);
    fixture_settle(fixture->node);
}

void node_fixture_stop(struct node_fixture *fixture)
{
    node_drain(fixture->node);
    node_close(fixture->node);
    fixture->node = NULL;
}

static int remove_one(const char *path, const struct stat *about, int type,
                      struct FTW *where)
{
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

void node_fixture_remove(struct node_fixture *fixture)
{
    if (fixture->node != NULL)
        node_fixture_stop(fixture);
    (void)nftw(fixture->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void node_fixture_channel(const struct node_fixture *fixture, struct wire *wire)
{
    wire_connect(wire, fixture->port);
    wire_handshake(wire, fixture->authority.public_key);
}

void node_fixture_login(const struct node_fixture *fixture, struct wire *wire,
                        const struct identity *identity, enum role role)
{
    ck_assert_msg(wire_login(wire, fixture->port, fixture->authority.public_key,
                             identity, (uint16_t)role),
                  "the login as %s is refused", role_name(role));
}

uint16_t node_fixture_do(const struct node_fixture *fixture, struct wire *wire,
                         const struct identity *identity, uint32_t duty,
                         uint16_t opcode, const void *fields, void *result_out)
{
    static struct wire_command command;
    static struct wire_answer answer;
    struct field_error fault;

    wire_command_begin(&command, fixture->cluster_id);
    command.clear.duty = duty;
    wire_command_item(&command, opcode, fields);
    wire_send_command(wire, wire_command_sign(&command, identity));
    ck_assert(wire_answer(wire, &answer));
    if (answer.code == ST_OK && result_out != NULL) {
        size_t salt = operation_info(opcode)->seal == SEAL_OPEN ? 0 : SALT_SIZE;
        ck_assert_int_eq(schema_decode(operation_info(opcode)->result,
                                       result_out, &fault,
                                       slice_of(answer.result + salt,
                                                answer.result_size - salt),
                                       SCHEMA_REFUSE_UNKNOWN),
                         ST_OK);
    }
    return answer.code;
}

/* As the operator, who holds ADM. */
static void administer(struct node_fixture *fixture, struct wire *wire,
                       uint16_t opcode, const void *fields, void *result_out)
{
    ck_assert_int_eq(node_fixture_do(fixture, wire, &fixture->operator,
                                     FIXTURE_OPERATOR_DUTY, opcode, fields,
                                     result_out),
                     ST_OK);
}

void node_fixture_enrolment(const struct node_fixture *fixture,
                            struct op_actor_enrol *out,
                            struct identity *identity_out, enum role role,
                            uint32_t organisation)
{
    struct op_actor_enrol in = {.role = (uint8_t)role,
                                .level = 3,
                                .organisation = organisation,
                                .evidence = {{3}}};
    uint8_t message[PUBLIC_KEY_SIZE + 16];
    struct writer writer;

    fresh_identity(identity_out);
    memcpy(in.public_key.b, identity_out->public_key, PUBLIC_KEY_SIZE);
    writer_init(&writer, message, sizeof message);
    writer_bytes(&writer, identity_out->public_key, PUBLIC_KEY_SIZE);
    writer_u16(&writer, (uint16_t)role);
    writer_u8(&writer, in.level);
    writer_u8(&writer, 0);
    writer_u32(&writer, organisation);
    writer_u64(&writer, 0);
    identity_sign(identity_out, in.proof.b, TAG_ENROL, fixture->cluster_id,
                  message, sizeof message);
    *out = in;
}

uint64_t node_fixture_enrol(struct node_fixture *fixture, struct wire *wire,
                            struct identity *identity_out, enum role role,
                            uint32_t organisation)
{
    struct op_actor_enrol in;
    struct result_actor_enrol out;

    node_fixture_enrolment(fixture, &in, identity_out, role, organisation);
    administer(fixture, wire, OPCODE_ACTOR_ENROL, &in, &out);
    return out.person;
}

const struct identity *node_fixture_own(struct node_fixture *fixture)
{
    static struct identity own;
    static pid_t owner;
    static struct wire wire;

    if (owner != getpid()) {
        node_fixture_login(fixture, &wire, &fixture->operator, ROLE_STAFF);
        node_fixture_enrol(fixture, &wire, &own, ROLE_STAFF,
                           FIXTURE_OWNER_ORGANISATION);
        wire_close(&wire);
        owner = getpid();
    }
    return &own;
}

static void enrol_user(struct node_fixture *fixture, struct wire *operators,
                       struct identity *user)
{
    struct op_auth_open in = {.lifetime_s = 0};
    static struct wire wire;

    node_fixture_enrol(fixture, operators, user, ROLE_USER, 0);
    node_fixture_login(fixture, &wire, user, ROLE_USER);
    ck_assert_int_eq(
        node_fixture_do(fixture, &wire, user, 0, OPCODE_AUTH_OPEN, &in, NULL),
        ST_OK);
    wire_close(&wire);
}

static void enrol_auditor(struct node_fixture *fixture, struct wire *operators)
{
    struct op_duty_assign in = {.organisation = FIXTURE_OWNER_ORGANISATION,
                                .duty = DUTY_AUD,
                                .scope = 0xff,
                                .basis = {{5}}};
    struct result_duty_assign out;
    struct op_duty_ack ack;
    static struct wire wire;

    in.person = node_fixture_enrol(fixture, operators, &fixture->auditor,
                                   ROLE_AUDITOR, FIXTURE_OWNER_ORGANISATION);
    administer(fixture, operators, OPCODE_DUTY_ASSIGN, &in, &out);
    fixture->auditor_duty = ack.assignment = out.assignment;
    node_fixture_login(fixture, &wire, &fixture->auditor, ROLE_AUDITOR);
    ck_assert_int_eq(node_fixture_do(fixture, &wire, &fixture->auditor, 0,
                                     OPCODE_DUTY_ACK, &ack, NULL),
                     ST_OK);
    wire_close(&wire);
}

static void enrol_gateway(struct node_fixture *fixture, struct wire *operators)
{
    struct op_carrier_enrol in = {.kind = CARRIER_KIND_EHIS,
                                  .label = slice_of("gateway", 7)};

    node_fixture_enrol(fixture, operators, &fixture->gateway, ROLE_EHIS,
                       FIXTURE_OWNER_ORGANISATION);
    memcpy(in.key_id.b, fixture->gateway.key_id, KEY_ID_SIZE);
    administer(fixture, operators, OPCODE_CARRIER_ENROL, &in, NULL);
}

void node_fixture_people(struct node_fixture *fixture)
{
    static struct wire wire;

    node_fixture_login(fixture, &wire, &fixture->operator, ROLE_STAFF);
    enrol_user(fixture, &wire, &fixture->user);
    enrol_user(fixture, &wire, &fixture->other);
    enrol_auditor(fixture, &wire);
    enrol_gateway(fixture, &wire);
    wire_close(&wire);
}

void node_fixture_serves(const struct node_fixture *fixture)
{
    struct op_system_ping ping = {.text = slice_of("still here", 10)};
    static struct wire wire;

    node_fixture_login(fixture, &wire, &fixture->operator, ROLE_STAFF);
    ck_assert_int_eq(node_fixture_do(fixture, &wire, &fixture->operator, 0,
                                     OPCODE_SYSTEM_PING, &ping, NULL),
                     ST_OK);
    wire_close(&wire);
}
