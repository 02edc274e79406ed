/* ctest-label: threads
 * ctest-timeout: 300
 * Logins by password: the way there, refused, delayed. */
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "protocol/login.h"
#include "protocol/password.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/row_suite.h"

static struct node_fixture fixture;
static struct wire wire;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

static void begin(void)
{
    node_expect_begin(&fixture, &wire, EXPECT_CHAN);
}

/* What Argon2id would give: the node never sees the password. */
struct account {
    const char *name;
    struct identity signing;
    struct identity login;
    uint8_t wrap_key[KEY_SIZE];
    uint8_t seed[SEED_SIZE];
};

static struct slice text(const char *string)
{
    return slice_of(string, strlen(string));
}

/* An account's name that no other test process has: what is remembered of a
 * name must not reach the next round. */
static const char *own_name(const char *name)
{
    static char names[4][USERNAME_SIZE_MAX + 1];
    static unsigned next;
    char *out = names[next++ % 4];

    (void)snprintf(out, sizeof names[0], "%.20s.%ld", name, (long)getpid());
    return out;
}

/* What sets a fresh password of the account, which is its newest then. */
static void make_password(struct op_password_set *set_out,
                          struct account *account)
{
    static uint8_t wrapped[WRAPPED_KEY_SIZE];
    uint8_t login_seed[SEED_SIZE], nonce[PASSWORD_NONCE_SIZE];

    randombytes_buf(login_seed, sizeof login_seed);
    randombytes_buf(account->wrap_key, KEY_SIZE);
    randombytes_buf(nonce, sizeof nonce);
    identity_init(&account->login, login_seed);
    password_wrap(wrapped, account->wrap_key, nonce, account->seed,
                  fixture.cluster_id, account->signing.key_id);
    *set_out = (struct op_password_set){.username = text(account->name),
                                        .kdf_epoch = 1};
    memcpy(set_out->login_key.b, account->login.public_key, PUBLIC_KEY_SIZE);
    set_out->wrapped_key = slice_of(wrapped, sizeof wrapped);
}

static void make_account(struct account *account, const char *name)
{
    struct op_password_set set;

    account->name = name;
    account->signing = *node_fixture_own(&fixture);
    memcpy(account->seed, account->signing.secret, SEED_SIZE);
    make_password(&set, account);
    node_fixture_login(&fixture, &wire, &account->signing, ROLE_STAFF);
    ck_assert_int_eq(node_fixture_do(&fixture, &wire, &account->signing, 0,
                                     OPCODE_PASSWORD_SET, &set, NULL),
                     ST_OK);
    wire_close(&wire);
}

/* On a connection of its own; password.change has the fields of password.set.
 */
static void change_password(struct account *account)
{
    static struct wire other;
    struct op_password_set set;

    make_password(&set, account);
    node_fixture_login(&fixture, &other, &account->signing, ROLE_STAFF);
    ck_assert_int_eq(node_fixture_do(&fixture, &other, &account->signing, 0,
                                     OPCODE_PASSWORD_CHANGE, &set, NULL),
                     ST_OK);
    wire_close(&other);
}

static void start_login(struct message_pw_params *params, const char *name)
{
    struct message_pw_start start = {.username = text(name),
                                     .role = ROLE_STAFF};
    struct field_error fault;
    struct frame frame;

    wire_send(&wire, MESSAGE_PW_START, &start);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_PW_PARAMS);
    ck_assert_int_eq(schema_decode(&schema_message_pw_params, params, &fault,
                                   frame.body, SCHEMA_SKIP_ODD),
                     ST_OK);
}

static void prove(const char *name, const struct identity *login, uint16_t role)
{
    struct login_claim claim = {.way = LOGIN_BY_PASSWORD, .role = role};
    struct message_pw_prove body = {.role = role};

    password_name(claim.name, text(name));
    login_sign(body.signature.b, &claim, fixture.cluster_id,
               wire.channel.binding, login);
    wire_send(&wire, MESSAGE_PW_PROVE, &body);
}

/* A wrong password, or a right one, on a connection of its own. */
static uint16_t try_login(const char *name, const struct identity *login,
                          uint32_t *after_ms_out)
{
    struct message_pw_params params;
    struct message_error error;
    struct field_error fault;
    struct frame frame;

    begin();
    start_login(&params, name);
    prove(name, login, ROLE_STAFF);
    ck_assert(wire_receive(&wire, &frame));
    if (frame.type == MESSAGE_AUTH_OK)
        return ST_OK;
    ck_assert_int_eq(schema_decode(&schema_message_error, &error, &fault,
                                   frame.body, SCHEMA_SKIP_ODD),
                     ST_OK);
    *after_ms_out = error.retry_after_ms;
    wire_close(&wire);
    return error.code;
}

START_TEST(a_password_brings_the_signing_key_back)
{
    static struct message_auth_ok ok;
    struct account account;
    struct message_pw_params params;
    uint8_t seed[SEED_SIZE];
    struct field_error fault;
    struct frame frame;

    make_account(&account, own_name("nigar.quliyeva"));
    begin();
    start_login(&params, account.name);
    ck_assert(password_kdf_acceptable(params.passes, params.memory_kib));
    prove(account.name, &account.login, ROLE_STAFF);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_int_eq(frame.type, MESSAGE_AUTH_OK);
    ck_assert_int_eq(schema_decode(&schema_message_auth_ok, &ok, &fault,
                                   frame.body, SCHEMA_SKIP_ODD),
                     ST_OK);
    ck_assert(ok.has_wrapped_key && ok.has_key_id);
    ck_assert_mem_eq(ok.key_id.b, account.signing.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(password_unwrap(seed, ok.wrapped_key.data,
                                     account.wrap_key, fixture.cluster_id,
                                     ok.key_id.b),
                     ST_OK);
    ck_assert_mem_eq(seed, account.seed, SEED_SIZE);
}
END_TEST

/* Whoever knows the old one may have begun before it was changed. */
START_TEST(a_password_that_was_changed_meanwhile_opens_nothing)
{
    struct account account;
    struct message_pw_params params;
    struct identity former;
    uint8_t scope;

    make_account(&account, own_name("changed.meanwhile"));
    former = account.login;
    begin();
    start_login(&params, account.name);
    change_password(&account);
    prove(account.name, &former, ROLE_STAFF);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_AUTH);
}
END_TEST

START_TEST(D68_a_missing_name_is_answered_as_an_existing_one)
{
    struct account account;
    struct message_pw_params known, unknown, again;
    const char *nobody = own_name("unknown.name");

    make_account(&account, own_name("known.name"));
    begin();
    start_login(&known, account.name);
    start_login(&unknown, nobody);
    start_login(&again, nobody);
    ck_assert_uint_eq(known.passes, unknown.passes);
    ck_assert_uint_eq(known.memory_kib, unknown.memory_kib);
    ck_assert_mem_ne(known.salt.b, unknown.salt.b, SALT_SIZE);
    ck_assert_mem_eq(again.salt.b, unknown.salt.b, SALT_SIZE);
}
END_TEST

START_TEST(D69_names_that_no_account_has_are_402_and_close)
{
    static const char *const names[] = {"Nigar",
                                        "a b c",
                                        "o'neil",
                                        "ab",
                                        "123456789012345678901234567890123",
                                        "n\xc9\x99zrin"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t body[64];
        struct writer writer;
        writer_init(&writer, body, sizeof body);
        writer_u16(&writer, (uint16_t)strlen(names[i]));
        writer_bytes(&writer, names[i], strlen(names[i]));
        writer_u16(&writer, ROLE_STAFF);
        begin();
        wire_send_frame(&wire, MESSAGE_PW_START, 0, 1, ++wire.request_id,
                        writer_slice(&writer));
        node_expect_end(&wire, ST_BAD_FIELD);
    }
}
END_TEST

START_TEST(D70_a_proof_without_a_start_is_107_and_closes)
{
    begin();
    prove(own_name("some.name"), &fixture.operator, ROLE_STAFF);
    node_expect_end(&wire, ST_STATE);
}
END_TEST

START_TEST(D71_a_second_proof_after_one_start_is_107_and_closes)
{
    struct message_pw_params params;
    const char *name = own_name("some.name");
    uint8_t scope;

    begin();
    start_login(&params, name);
    prove(name, &fixture.operator, ROLE_STAFF);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_AUTH);
    ck_assert_int_eq(scope, SCOPE_REQUEST);
    prove(name, &fixture.operator, ROLE_STAFF);
    node_expect_end(&wire, ST_STATE);
}
END_TEST

START_TEST(D72_the_sixth_wrong_password_in_a_row_is_202_for_a_second)
{
    struct account account;
    uint32_t after_ms = 0;

    make_account(&account, own_name("six.times"));
    for (int i = 0; i < LOGIN_FAILURES_FREE; i++)
        ck_assert_int_eq(try_login(account.name, &fixture.operator, & after_ms),
                         ST_AUTH);
    ck_assert_int_eq(try_login(account.name, &fixture.operator, & after_ms),
                     ST_THROTTLED);
    ck_assert_uint_gt(after_ms, 0);
    ck_assert_uint_le(after_ms, 1000);
    /* The right one too, while the delay runs. */
    ck_assert_int_eq(try_login(account.name, &account.login, &after_ms),
                     ST_THROTTLED);
    /* Login by key has no such delay. */
    node_fixture_login(&fixture, &wire, &account.signing, ROLE_STAFF);
}
END_TEST

START_TEST(a_name_that_nobody_has_is_delayed_like_any_other)
{
    const char *name = own_name("nobody.at.all");
    uint32_t after_ms = 0;

    for (int i = 0; i < LOGIN_FAILURES_FREE; i++)
        ck_assert_int_eq(try_login(name, &fixture.operator, & after_ms),
                         ST_AUTH);
    ck_assert_int_eq(try_login(name, &fixture.operator, & after_ms),
                     ST_THROTTLED);
}
END_TEST

START_TEST(a_right_password_forgets_the_wrong_ones)
{
    struct account account;
    uint32_t after_ms = 0;

    make_account(&account, own_name("forgets"));
    for (int i = 0; i < LOGIN_FAILURES_FREE - 1; i++)
        ck_assert_int_eq(try_login(account.name, &fixture.operator, & after_ms),
                         ST_AUTH);
    ck_assert_int_eq(try_login(account.name, &account.login, &after_ms), ST_OK);
    for (int i = 0; i < LOGIN_FAILURES_FREE; i++)
        ck_assert_int_eq(try_login(account.name, &fixture.operator, & after_ms),
                         ST_AUTH);
}
END_TEST

START_TEST(a_proof_for_another_role_than_the_starts_is_201)
{
    struct account account;
    struct message_pw_params params;
    uint8_t scope;

    make_account(&account, own_name("other.role"));
    begin();
    start_login(&params, account.name);
    prove(account.name, &account.login, ROLE_USER);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_AUTH);
    ck_assert_int_eq(scope, SCOPE_REQUEST);
}
END_TEST

START_TEST(the_fourth_start_of_a_connection_is_201_and_closes)
{
    struct message_pw_start start = {.username = text(own_name("some.name")),
                                     .role = ROLE_STAFF};
    struct message_pw_params params;

    begin();
    for (int i = 0; i < PW_STARTS_PER_CONNECTION_MAX; i++)
        start_login(&params, "some.name");
    wire_send(&wire, MESSAGE_PW_START, &start);
    node_expect_end(&wire, ST_AUTH);
}
END_TEST

START_TEST(more_starts_a_minute_than_a_source_has_are_202)
{
    struct message_pw_start start = {.username = text(own_name("some.name")),
                                     .role = ROLE_STAFF};
    struct message_pw_params params;
    uint8_t scope;

    for (int i = 0; i < PW_STARTS_PER_SOURCE_PER_MINUTE; i++) {
        if (i % PW_STARTS_PER_CONNECTION_MAX == 0)
            begin();
        start_login(&params, "some.name");
    }
    begin();
    wire_send(&wire, MESSAGE_PW_START, &start);
    ck_assert_int_eq(wire_error(&wire, &scope), ST_THROTTLED);
    ck_assert_int_eq(scope, SCOPE_REQUEST);
}
END_TEST
ROW_SUITE_MAIN("password_login", &fixture, open_node, close_node,
               a_password_brings_the_signing_key_back,
               a_password_that_was_changed_meanwhile_opens_nothing,
               D68_a_missing_name_is_answered_as_an_existing_one,
               D69_names_that_no_account_has_are_402_and_close,
               D70_a_proof_without_a_start_is_107_and_closes,
               D71_a_second_proof_after_one_start_is_107_and_closes,
               D72_the_sixth_wrong_password_in_a_row_is_202_for_a_second,
               a_name_that_nobody_has_is_delayed_like_any_other,
               a_right_password_forgets_the_wrong_ones,
               a_proof_for_another_role_than_the_starts_is_201,
               the_fourth_start_of_a_connection_is_201_and_closes,
               more_starts_a_minute_than_a_source_has_are_202)
