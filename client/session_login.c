#include <sodium.h>
#include <string.h>

#include "client/kdf.h"
#include "client/session_state.h"
#include "protocol/login.h"

static enum status send_frame(struct session *session, uint8_t type,
                              const void *body)
{
    uint8_t bytes[FRAME_SIZE_MAX_BEFORE_LOGIN];
    struct writer frame;

    writer_init(&frame, bytes, sizeof bytes);
    frame_write(&frame, type, ++session->request_id, body);
    return session_send(session, &frame)
               ? ST_OK
               : session_fail(session, ST_INTERNAL, "out of memory");
}

enum status session_begin_login(struct session *session)
{
    struct message_auth_key key = {.role = session->role};
    struct message_pw_start start = {.role = session->role};
    struct login_claim claim = {.way = LOGIN_BY_KEY, .role = session->role};

    session->phase = SESSION_LOGIN;
    if (session->by_password) {
        start.username = slice_of(session->username, strlen(session->username));
        return send_frame(session, MESSAGE_PW_START, &start);
    }
    memcpy(claim.name, session->identity.key_id, KEY_ID_SIZE);
    memcpy(key.key_id.b, session->identity.key_id, KEY_ID_SIZE);
    login_sign(key.signature.b, &claim, session->cluster_id,
               session->channel.binding, &session->identity);
    return send_frame(session, MESSAGE_AUTH_KEY, &key);
}

/* PW_PARAMS: derive, prove, keep what opens the signing key. */
static enum status prove(struct session *session,
                         const struct message_pw_params *params)
{
    struct message_pw_prove body = {.role = session->role};
    struct login_claim claim = {.way = LOGIN_BY_PASSWORD,
                                .role = session->role};
    struct kdf_keys keys;
    struct session_event event = {.kind = SESSION_DERIVED, .keys = &keys};
    enum status status;

    if (params->kdf_id != 1 || params->lanes != 1)
        return session_fail(session, ST_USAGE,
                            "the server asks for an unknown derivation");
    status = kdf_derive(&keys,
                        slice_of(session->password, strlen(session->password)),
                        params->salt.b, params->passes, params->memory_kib);
    sodium_memzero(session->password, sizeof session->password);
    if (status != ST_OK)
        return session_fail(session, status,
                            "the server asks for a derivation that is too "
                            "weak or too costly");
    if (session->derive) {
        session->events.happened(session->events.context, &event);
        kdf_wipe(&keys);
        return session_fail(session, ST_CLOSED, "the keys are derived");
    }
    password_name(claim.name,
                  slice_of(session->username, strlen(session->username)));
    login_sign(body.signature.b, &claim, session->cluster_id,
               session->channel.binding, &keys.login);
    memcpy(session->wrap_key, keys.wrap_key, KEY_SIZE);
    kdf_wipe(&keys);
    session->proved = true;
    return send_frame(session, MESSAGE_PW_PROVE, &body);
}

/* Password login: the signing key comes wrapped. */
static enum status unwrap(struct session *session,
                          const struct message_auth_ok *ok)
{
    uint8_t seed[SEED_SIZE];
    enum status status = ST_AUTH;

    if (ok->has_key_id && ok->has_wrapped_key &&
        ok->wrapped_key.size == WRAPPED_KEY_SIZE)
        status = password_unwrap(seed, ok->wrapped_key.data, session->wrap_key,
                                 session->cluster_id, ok->key_id.b);
    sodium_memzero(session->wrap_key, sizeof session->wrap_key);
    if (status != ST_OK)
        return session_fail(session, status,
                            "the signing key from the server does not open");
    identity_init(&session->identity, seed);
    sodium_memzero(seed, sizeof seed);
    return ST_OK;
}

static enum status opened(struct session *session,
                          const struct message_auth_ok *ok)
{
    struct session_event event = {.kind = SESSION_OPENED,
                                  .elsewhere = ok->has_primary,
                                  .primary = ok->primary};

    if (session->by_password && unwrap(session, ok) != ST_OK)
        return session->over;
    session->granted = *ok;
    if (ok->has_log_vkey && ok->log_vkey.size < sizeof session->log_key)
        memcpy(session->log_key, ok->log_vkey.data, ok->log_vkey.size);
    session->granted.wrapped_key = (struct slice){NULL, 0};
    session->granted.log_vkey = (struct slice){NULL, 0};
    session->granted.primary = (struct slice){NULL, 0};
    session->granted.operations = (struct list){{NULL, 0}, 0};
    session->clock_offset_us = ok->server_time - session->login_now_us;
    session->phase = SESSION_OPEN;
    frame_gate_open(&session->gate);
    session->events.happened(session->events.context, &event);
    return ST_OK;
}

enum status session_login_frame(struct session *session,
                                const struct frame *frame,
                                const union frame_body *body)
{
    if (frame->type == MESSAGE_PW_PARAMS && session->by_password &&
        !session->proved)
        return prove(session, &body->pw_params);
    if (frame->type == MESSAGE_AUTH_OK &&
        (!session->by_password || session->proved))
        return opened(session, &body->auth_ok);
    if (frame->type == MESSAGE_ERROR)
        return session_refused(session, &body->error,
                               "the server refused the login");
    return session_fail(session, ST_STATE, "unexpected frame before login");
}
