#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/login.h"
#include "protocol/password.h"
#include "server/net/home.h"

enum {
    US = 1000000,
    /* Of a bucket that gets one a second. */
    PW_START_TOKENS = 60 / PW_STARTS_PER_SOURCE_PER_MINUTE,
    FULL_RETRY_MS = 1000
};

bool login_is_machine(uint16_t role)
{
    return role != ROLE_AUDITOR && role != ROLE_USER && role != ROLE_STAFF &&
           role != ROLE_COORDINATOR;
}

/*
 * A refused login: one code for every cause.  The first failures of a
 * connection leave it open; then it closes, and the source is counted.
 */
static void refuse(struct connection *connection, uint64_t request_id,
                   bool counts)
{
    struct net *net = connection->home->net;
    bool last =
        ++connection->login_failures > LOGIN_FAILURES_PER_CONNECTION_MAX;

    atomic_fetch_add(&net->counters.login_failures, 1);
    pipeline_noise(net->pipeline, ST_AUTH, 1);
    if (counts &&
        usage_strike(net->sources, connection->source.name, loop_now_us()))
        HOME_LIMIT(net, penalties_source);
    frame_gate_refused(&connection->gate);
    connection_error(connection, ST_AUTH,
                     last ? SCOPE_CONNECTION : SCOPE_REQUEST, request_id, NULL);
}

static uint32_t milliseconds(int64_t us)
{
    return (uint32_t)((us + 999) / 1000);
}

static bool enter_key(struct connection *connection)
{
    struct net *net = connection->home->net;
    uint32_t limit = home_limit(connection->is_machine
                                    ? &net->options.connections_per_organisation
                                    : &net->options.connections_per_person);

    connection->key_counted = usage_enter(
        net->keys, connection->session.key_id.b, limit, loop_now_us());
    if (!connection->key_counted)
        HOME_LIMIT(net, connections_key);
    return connection->key_counted;
}

static uint32_t lifetime_s(const struct connection *connection)
{
    const struct net_options *options = &connection->home->net->options;

    return home_limit(connection->is_machine
                          ? &options->session_lifetime_machine_s
                          : &options->session_lifetime_person_s);
}

static void grant_limits(struct connection *connection)
{
    int64_t now_us = loop_now_us();
    bool machine = connection->is_machine;

    connection->inflight_max =
        machine ? INFLIGHT_MAX_MACHINE : INFLIGHT_MAX_PERSON;
    if (connection->session.carrier != 0)
        connection->inflight_max = INFLIGHT_MAX_CARRIER;
    connection->items_max = machine ? ITEMS_MAX : ITEMS_MAX_PERSON;
    connection->phase_deadline_us = 0;
    connection->lifetime_deadline_us =
        now_us + US * (int64_t)lifetime_s(connection);
}

static void describe(const struct connection *connection,
                     struct message_auth_ok *ok)
{
    const struct net *net = connection->home->net;

    memcpy(ok->node_id.b, net->identity.node_id, NODE_ID_SIZE);
    randombytes_buf(ok->session_id.b, sizeof ok->session_id.b);
    ok->features = UINT64_C(1) << FEATURE_WATCH;
    ok->server_time = loop_wall_us();
    ok->log_size = pipeline_size(net->pipeline);
    ok->role = connection->session.role;
    ok->level = connection->session.level;
    ok->max_frame = FRAME_SIZE_MAX;
    ok->max_inflight = connection->inflight_max;
    ok->max_items = connection->items_max;
    ok->idle_s = connection->is_machine ? IDLE_S_MACHINE : IDLE_S_PERSON;
    ok->lifetime_s = lifetime_s(connection);
    ok->ttl_max_s = TTL_S_MAX;
    ok->skew_s = SKEW_S;
    ok->has_log_vkey = net->identity.log_vkey[0] != '\0';
    ok->log_vkey =
        slice_of(net->identity.log_vkey, strlen(net->identity.log_vkey));
}

static bool can_be_signed_by(const struct operation_info *operation,
                             const struct connection *connection)
{
    /* The whole table goes to everybody but plain users, whose operations are
     * those that USR has in the matrix. */
    return connection->session.role != ROLE_USER ||
           operation->who[DUTY_USR - 1] != '.';
}

static void welcome(struct connection *connection, uint64_t request_id,
                    struct message_auth_ok *ok)
{
    uint8_t bytes[LIST_COUNT_MAX * 6];
    struct writer writer;
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);
    struct pipeline_primary primary;

    describe(connection, ok);
    ok->has_primary =
        pipeline_primary_elsewhere(connection->home->net->pipeline, &primary);
    ok->primary = slice_of(primary.address, strlen(primary.address));
    writer_init(&writer, bytes, sizeof bytes);
    ok->operations = list_begin(&writer);
    ok->has_operations = true;
    for (uint32_t i = 0; i < count; i++) {
        struct op_range range = {.opcode = operations[i].opcode,
                                 .min_version = operations[i].version,
                                 .max_version = operations[i].version};
        if (can_be_signed_by(&operations[i], connection))
            list_add(&ok->operations, &writer, &schema_op_range, &range);
    }
    connection_send(connection, MESSAGE_AUTH_OK, request_id, ok);
}

/* The key has proved itself: open the session. */
static void succeed(struct connection *connection, uint64_t request_id,
                    struct message_auth_ok *ok)
{
    struct net *net = connection->home->net;
    int64_t penalty_us =
        usage_penalty(net->keys, connection->session.key_id.b, loop_now_us());
    struct connection_fault fault = {0, 0xffff, milliseconds(penalty_us)};

    connection->is_machine = login_is_machine(connection->session.role);
    if (penalty_us > 0)
        HOME_LIMIT(net, penalised_key);
    if (penalty_us > 0 || !enter_key(connection)) {
        connection_error(connection, penalty_us > 0 ? ST_LIMIT : ST_FULL,
                         SCOPE_CONNECTION, request_id, &fault);
        return;
    }
    grant_limits(connection);
    if (!connection_promote(connection, connection->inflight_max *
                                            sizeof *connection->requests)) {
        fault.retry_after_ms = FULL_RETRY_MS;
        connection_error(connection, ST_FULL, SCOPE_CONNECTION, request_id,
                         &fault);
        return;
    }
    atomic_fetch_sub(&net->before_login, 1);
    usage_leave(net->sources, connection->source.name);
    connection->login_number = atomic_fetch_add(&net->counters.logins, 1) + 1;
    welcome(connection, request_id, ok);
    connection->phase = PHASE_OPEN;
    frame_gate_open(&connection->gate);
    request_heard(connection);
}

static void auth_key(struct connection *connection, const struct frame *frame,
                     const struct message_auth_key *body)
{
    struct net *net = connection->home->net;
    struct message_auth_ok ok = {0};
    struct directory_key key;
    struct login_claim claim = {.way = LOGIN_BY_KEY, .role = body->role};
    bool usable;
    enum status verified;

    if (connection->login_failures >= LOGIN_FAILURES_PER_CONNECTION_MAX) {
        refuse(connection, frame->request_id, true);
        return; /* Unverified: no more work for this one. */
    }
    usable = directory_find(pipeline_directory(net->pipeline), &key,
                            body->key_id.b) &&
             key.state == 1 && key.role == body->role;
    memcpy(claim.name, body->key_id.b, LOGIN_NAME_SIZE);
    /* A key that may not log in costs the same as one that may. */
    verified = login_verify(&claim, body->signature.b, net->identity.cluster_id,
                            connection->channel.binding,
                            usable ? key.public_key.b : net->dummy_key);
    if (!usable || verified != ST_OK) {
        refuse(connection, frame->request_id, true);
        return;
    }
    connection->session = key;
    succeed(connection, frame->request_id, &ok);
}

static void throttled(struct connection *connection, uint64_t request_id,
                      int64_t left_us)
{
    struct connection_fault fault = {0, 0xffff, milliseconds(left_us)};

    frame_gate_refused(&connection->gate);
    connection_error(connection, ST_THROTTLED, SCOPE_REQUEST, request_id,
                     &fault);
}

static void pw_start(struct connection *connection, const struct frame *frame,
                     const struct message_pw_start *body)
{
    struct net *net = connection->home->net;
    struct directory *directory = pipeline_directory(net->pipeline);
    struct message_pw_params params = {.kdf_id = 1,
                                       .lanes = 1,
                                       .passes = KDF_PASSES_DEFAULT,
                                       .memory_kib = KDF_MEMORY_KIB_DEFAULT};

    if (++connection->pw_starts > PW_STARTS_PER_CONNECTION_MAX ||
        connection->login_failures >= LOGIN_FAILURES_PER_CONNECTION_MAX) {
        connection->login_failures = LOGIN_FAILURES_PER_CONNECTION_MAX;
        refuse(connection, frame->request_id, true);
        return;
    }
    if (!usage_take(net->sources, connection->source.name, USAGE_PW_STARTS, 1,
                    60, PW_START_TOKENS, loop_now_us())) {
        HOME_LIMIT(net, pw_starts_source);
        throttled(connection, frame->request_id, PW_START_TOKENS * US);
        return;
    }
    connection->pw_role = body->role;
    connection->pw_known = directory_find_account(
        directory, &connection->pw_account, body->username);
    password_name(connection->pw_name_hash, body->username);
    directory_password_salt(directory, params.salt.b, body->username);
    frame_gate_params(&connection->gate);
    connection_send(connection, MESSAGE_PW_PARAMS, frame->request_id, &params);
}

static struct throttle_try try_of(const struct connection *connection)
{
    struct throttle_try from;

    memcpy(from.account, connection->pw_name_hash, sizeof from.account);
    memcpy(from.source, connection->source.name, sizeof from.source);
    return from;
}

/* False, and 202 was said, if this try has to wait. */
static bool may_prove(struct connection *connection, uint64_t request_id)
{
    struct net *net = connection->home->net;
    struct throttle_try from = try_of(connection);
    int64_t now_us = loop_now_us();
    int64_t delay_us = throttle_delay(net->throttle, &from, now_us);

    if (delay_us > 0) {
        HOME_LIMIT(net, pw_delays);
        throttled(connection, request_id, delay_us);
        return false;
    }
    if (!throttle_take(net->throttle, &from, now_us)) {
        HOME_LIMIT(net, pw_proves);
        throttled(connection, request_id, US);
        return false;
    }
    return true;
}

/* The password was right: the session is that of the account's signing key. */
static bool find_signing_key(struct connection *connection, uint16_t role)
{
    struct net *net = connection->home->net;

    return directory_find(pipeline_directory(net->pipeline),
                          &connection->session,
                          connection->pw_account.key_id.b) &&
           connection->session.state == 1 && connection->session.role == role;
}

/* Since PW_START the password may have been changed, or the account locked. */
static bool is_usable(const struct connection *connection)
{
    struct net *net = connection->home->net;

    return connection->pw_known && connection->pw_account.state == 1 &&
           directory_has_account(pipeline_directory(net->pipeline),
                                 &connection->pw_account);
}

static void count_wrong_password(struct connection *connection)
{
    struct net *net = connection->home->net;
    struct throttle_try from = try_of(connection);
    uint32_t failures = throttle_failed(net->throttle, &from, loop_now_us());

    /* Where the queue had no place for the lock, the next failure asks again.
     */
    if (failures >= LOGIN_FAILURES_LOCK && connection->pw_known &&
        connection->pw_account.state == 1)
        pipeline_lock_key(net->pipeline, connection->pw_account.key_id.b);
}

static void pw_prove(struct connection *connection, const struct frame *frame,
                     const struct message_pw_prove *body)
{
    struct net *net = connection->home->net;
    struct message_auth_ok ok = {0};
    struct login_claim claim = {.way = LOGIN_BY_PASSWORD, .role = body->role};
    struct throttle_try from = try_of(connection);
    bool usable;
    enum status verified;

    if (!may_prove(connection, frame->request_id))
        return;
    usable = is_usable(connection);
    memcpy(claim.name, connection->pw_name_hash, LOGIN_NAME_SIZE);
    verified = login_verify(&claim, body->signature.b, net->identity.cluster_id,
                            connection->channel.binding,
                            usable ? connection->pw_account.login_key.b
                                   : net->dummy_key);
    if (!usable || verified != ST_OK || body->role != connection->pw_role ||
        !find_signing_key(connection, body->role)) {
        count_wrong_password(connection);
        refuse(connection, frame->request_id, true);
        return;
    }
    throttle_succeeded(net->throttle, &from, loop_now_us());
    ok.has_wrapped_key = true;
    ok.wrapped_key =
        slice_of(connection->pw_account.wrapped_key, WRAPPED_KEY_SIZE);
    ok.has_key_id = true;
    ok.key_id = connection->session.key_id;
    succeed(connection, frame->request_id, &ok);
    sodium_memzero(&connection->pw_account, sizeof connection->pw_account);
}

void login_frame(struct connection *connection, const struct frame *frame,
                 const union frame_body *body)
{
    struct connection_fault fault = {0, 0xffff, 0};

    /* The gate lets only these pass before login. */
    if (frame->type == MESSAGE_AUTH_KEY)
        auth_key(connection, frame, &body->auth_key);
    else if (frame->type == MESSAGE_PW_START)
        pw_start(connection, frame, &body->pw_start);
    else if (frame->type == MESSAGE_PW_PROVE)
        pw_prove(connection, frame, &body->pw_prove);
    else if (!request_plain(connection, frame, body))
        connection_error(connection, ST_STATE, SCOPE_CONNECTION,
                         frame->request_id, &fault);
}
