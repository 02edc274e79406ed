/*
 * session_state.h: what the files of the session share.
 */
#ifndef DEFTER_CLIENT_SESSION_STATE_H
#define DEFTER_CLIENT_SESSION_STATE_H

#include "client/session.h"

/* Invariants: input_size > 0 only while a partial record or handshake message
 * waits; inflight counts COMMANDs and QUERYs without their last answer. */
struct session {
    enum session_phase phase;
    enum status over;
    const char *reason;
    struct session_events events;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct channel channel;
    struct frame_gate gate;
    struct identity identity;
    bool by_password;
    bool derive; /* Nothing is proved: the keys are all that is wanted. */
    bool proved; /* PW_PROVE is out. */
    char username[USERNAME_SIZE_MAX + 1];
    char password[PASSWORD_SIZE_MAX + 1];
    uint8_t wrap_key[KEY_SIZE];
    uint16_t role;
    char agent[SESSION_AGENT_SIZE_MAX + 1];
    int64_t login_now_us;
    struct message_auth_ok granted; /* Its slices are cleared. */
    char log_key[256];              /* Of AUTH_OK; its text is shorter. */
    int64_t clock_offset_us;
    uint64_t request_id;
    uint32_t inflight;
    uint8_t *joiner_data;
    uint64_t joining; /* request_id of the answer that comes in parts. */
    struct answer_joiner joiner;
    uint8_t *input;
    size_t input_size;
    uint8_t *output;
    size_t output_from, output_to, output_capacity;
};

bool session_append(struct session *session, struct slice bytes);
bool session_send(struct session *session, const struct writer *frame);
bool session_keep_login(struct session *session,
                        const struct session_login *login);
enum status session_fail(struct session *session, enum status status,
                         const char *reason);
/* It ends with the code of ${error}, and ST_CLOSED and ${otherwise} where the
 * server names none that may stand there. */
enum status session_refused(struct session *session,
                            const struct message_error *error,
                            const char *otherwise);

/* session_login.c: the channel is open; a login frame's answer. */
enum status session_begin_login(struct session *session);
enum status session_login_frame(struct session *session,
                                const struct frame *frame,
                                const union frame_body *body);

#endif
