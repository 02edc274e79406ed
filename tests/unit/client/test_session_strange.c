/*
 * A node that answers what nobody asked: the session ends, and nobody is told.
 */
#include <string.h>

#include <sodium.h>

#include "client/session_state.h"
#include "protocol/record.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"

static struct session *session;
static struct noise_cipher cipher; /* A key of zeros, as the session's. */
static size_t told;

static void happened(void *context, const struct session_event *event)
{
    MAYBE(context == NULL);
    told += event->kind != SESSION_OPENED;
}

static enum status say(uint8_t type, uint64_t request_id, const void *body)
{
    uint8_t plain[1024], record[2048];
    struct writer writer;

    writer_init(&writer, plain, sizeof plain);
    frame_write(&writer, type, request_id, body);
    ck_assert_int_eq(record_seal(&cipher, record, writer_slice(&writer)),
                     ST_OK);
    return session_input(session,
                         slice_of(record, writer.used + RECORD_OVERHEAD));
}

/* The login is under way. */
static void begin_login(void)
{
    static const uint8_t seed[SEED_SIZE] = {9};
    struct session_events events = {NULL, happened};
    struct identity identity;
    struct session_login login = {.authority_key = identity.public_key,
                                  .identity = &identity,
                                  .role = ROLE_STAFF,
                                  .agent = "test"};

    memset(&cipher, 0, sizeof cipher);
    ck_assert_int_ge(sodium_init(), 0);
    identity_init(&identity, seed);
    ck_assert_int_eq(session_open(&session, &login, &events), ST_OK);
    channel_wipe(&session->channel);
    session->channel.state = CHANNEL_OPEN;
    ck_assert_int_eq(session_begin_login(session), ST_OK);
}

/* Logged in, with one query under way; its number. */
static uint64_t begin(void)
{
    struct message_auth_ok ok = {.role = ROLE_STAFF,
                                 .max_frame = FRAME_SIZE_MAX,
                                 .max_inflight = 16,
                                 .max_items = ITEMS_MAX};

    begin_login();
    ck_assert_int_eq(say(MESSAGE_AUTH_OK, session->request_id, &ok), ST_OK);
    ck_assert_int_eq(session_phase(session), SESSION_OPEN);
    return session_query(session, 1, slice_of(NULL, 0));
}

START_TEST(an_answer_to_what_was_asked_is_told)
{
    struct message_rows rows = {.query = 1};
    uint64_t asked = begin();

    ck_assert_uint_ne(asked, 0);
    ck_assert_int_eq(say(MESSAGE_ROWS, asked, &rows), ST_OK);
    ck_assert_uint_eq(told, 1);
    session_close(session);
}
END_TEST

START_TEST(an_answer_to_what_was_not_asked_ends_the_session)
{
    struct message_rows rows = {.query = 1};
    struct message_error error = {.code = ST_BUSY, .scope = SCOPE_REQUEST};
    uint64_t asked = begin();

    ck_assert_int_eq(say(MESSAGE_ROWS, asked + 1, &rows), ST_REQUEST_ID);
    ck_assert_int_eq(session_phase(session), SESSION_OVER);
    session_close(session);
    asked = begin();
    ck_assert_int_eq(say(MESSAGE_ERROR, asked + 1, &error), ST_REQUEST_ID);
    ck_assert_uint_eq(told, 0);
    session_close(session);
}
END_TEST

START_TEST(an_error_without_a_code_ends_the_session)
{
    struct message_error error = {.code = ST_OK, .scope = SCOPE_REQUEST};
    uint64_t asked = begin();

    ck_assert_int_eq(say(MESSAGE_ERROR, asked, &error), ST_STATE);
    ck_assert_uint_eq(told, 0);
    session_close(session);
    error.scope = SCOPE_CONNECTION;
    (void)begin();
    ck_assert_int_eq(say(MESSAGE_ERROR, 0, &error), ST_CLOSED);
    session_close(session);
    begin_login();
    ck_assert_int_eq(say(MESSAGE_ERROR, session->request_id, &error),
                     ST_CLOSED);
    session_close(session);
}
END_TEST

SUITE_MAIN("session_strange", an_answer_to_what_was_asked_is_told,
           an_answer_to_what_was_not_asked_ends_the_session,
           an_error_without_a_code_ends_the_session)
