/* fuzz-runs: 200 plain
 * ctest-timeout: 300
 *
 * fz_session.c: what a node, or who has its key, sends to the client's library
 * behind the handshake.  The session says something or ends; it tells of no
 * answer to what it did not ask, and never keeps more than it may.
 *
 * The input is a byte of choices (1: the login is answered well first, 2: there
 * are requests in flight, 4: the parts come as they are, 8: and before the
 * handshake) and then the parts of mutate_parts(), each a record's plaintext;
 * they are sealed with the channel's key.
 */
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "client/session_state.h"
#include "protocol/record.h"
#include "tests/lib/mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

enum {
    CHOICE_LOGGED_IN = 1,
    CHOICE_ASKED = 2,
    CHOICE_RAW = 4,
    CHOICE_HANDSHAKE = 8,
    ASKED = 4
};

static size_t told;

static void happened(void *context, const struct session_event *event)
{
    const struct session *const *session = context;

    told++;
    INVARIANT(event->kind <= SESSION_DERIVED);
    INVARIANT(event->bytes.size <= ENTRY_SIZE_MAX);
    INVARIANT(event->primary.size <= ADDRESS_SIZE_MAX);
    if (event->kind == SESSION_ANSWERED) {
        INVARIANT(event->request_id <= (*session)->request_id);
        INVARIANT(event->answer.result.size <= RESULT_SIZE_MAX);
        INVARIANT((event->answer.receipt == NULL) ==
                  (event->answer.signature == NULL));
    }
}

static struct session *begin(const struct session **self, bool handshake)
{
    static const uint8_t seed[SEED_SIZE] = {9};
    static struct identity identity;
    const struct session_login login = {.authority_key = identity.public_key,
                                        .identity = &identity,
                                        .role = ROLE_STAFF,
                                        .agent = "fuzz"};
    const struct session_events events = {self, happened};
    struct session *session;

    identity_init(&identity, seed);
    INVARIANT(session_open(&session, &login, &events) == ST_OK);
    *self = session;
    if (handshake)
        return session;
    channel_wipe(&session->channel); /* Both directions: a key of zeros. */
    session->channel.state = CHANNEL_OPEN;
    session_sent(session, session_output(session).size);
    INVARIANT(session_begin_login(session) == ST_OK);
    return session;
}

static void check_phase(struct session *session, enum status status)
{
    INVARIANT((status != ST_OK) == (session_phase(session) == SESSION_OVER));
    INVARIANT((session_phase(session) == SESSION_OVER) ==
              (session_reason(session)[0] != '\0'));
    session_sent(session, session_output(session).size);
}

/* Bytes that nobody sealed; what comes after the end is not looked at. */
static enum status say_raw(struct session *session, struct slice bytes)
{
    enum status status = session_input(session, bytes);

    check_phase(session, status);
    if (status != ST_OK)
        INVARIANT(session_input(session, bytes) == status);
    return status;
}

static enum status say(struct session *session, struct noise_cipher *cipher,
                       struct slice plain)
{
    static uint8_t record[RECORD_SIZE_MAX + RECORD_HEADER_SIZE];
    const size_t half = (plain.size + RECORD_OVERHEAD) / 2;
    enum status status = record_seal(cipher, record, plain);

    INVARIANT(status == ST_OK);
    status = session_input(session, slice_of(record, half));
    if (status == ST_OK)
        status = session_input(
            session,
            slice_of(record + half, plain.size + RECORD_OVERHEAD - half));
    check_phase(session, status);
    return status;
}

static void log_in(struct session *session, struct noise_cipher *cipher)
{
    const struct message_auth_ok ok = {.role = ROLE_STAFF,
                                       .level = 3,
                                       .server_time = 1,
                                       .max_frame = FRAME_SIZE_MAX,
                                       .max_inflight = 16,
                                       .max_items = ITEMS_MAX,
                                       .idle_s = 60};
    uint8_t plain[512];
    struct writer writer;

    writer_init(&writer, plain, sizeof plain);
    frame_write(&writer, MESSAGE_AUTH_OK, session->request_id, &ok);
    MAYBE(say(session, cipher, writer_slice(&writer)) == ST_OK);
}

static void ask(struct session *session)
{
    const struct message_proof_get proof = {.which = 1};

    for (int i = 0; i < ASKED / 4; i++) {
        MAYBE(session_command(session, slice_of("command", 7)) == 0);
        MAYBE(session_query(session, 1, slice_of(NULL, 0)) == 0);
        MAYBE(session_proof(session, &proof) == 0);
        MAYBE(session_watch(session, 3) == 0);
    }
    session_ping(session, 5);
    session_sent(session, session_output(session).size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct noise_cipher cipher = {0};
    const struct session *self;
    struct session *session;
    enum status status = ST_OK;
    bool raw;

    if (size == 0 || sodium_init() < 0)
        return 0;
    told = 0;
    raw = (data[0] & (CHOICE_RAW | CHOICE_HANDSHAKE)) != 0;
    session = begin(&self, (data[0] & CHOICE_HANDSHAKE) != 0);
    if ((data[0] & CHOICE_LOGGED_IN) != 0 &&
        session_phase(session) == SESSION_LOGIN)
        log_in(session, &cipher);
    if ((data[0] & CHOICE_ASKED) != 0 && session_phase(session) == SESSION_OPEN)
        ask(session);
    data++;
    size--;
    while (status == ST_OK && size > 2) {
        size_t part = load_u16(data) % RECORD_PLAINTEXT_SIZE_MAX + 1;

        if (part > size - 2)
            part = size - 2;
        status = raw ? say_raw(session, slice_of(data + 2, part))
                     : say(session, &cipher, slice_of(data + 2, part));
        data += 2 + part;
        size -= 2 + part;
    }
    session_close(session);
    return 0;
}

static size_t change(struct random *random, uint8_t *data, size_t size,
                     size_t size_max, void *context)
{
    /* A part may be longer than a frame. */
    if (size_max > FRAME_SIZE_MAX)
        size_max = FRAME_SIZE_MAX;
    if (size > size_max)
        size = size_max;
    return mutate_frames(random, data, size, size_max, context);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    struct random random = {seed};

    return mutate_parts(&random, data, size, size_max, change, NULL);
}
