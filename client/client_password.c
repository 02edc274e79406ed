#include <sodium.h>
#include <string.h>

#include "client/client_state.h"
#include "protocol/catalogue.h"

enum { KDF_EPOCH = 1, FIELDS_SIZE_MAX = 512 };

/* The login key and the wrap key: the server gives the salt of any name. */
static int derive(struct defter *client, struct kdf_keys *keys_out,
                  const char *username, const char *password)
{
    struct defter_options options = {.address = client->addresses,
                                     .username = username,
                                     .password = password,
                                     .role = client->role,
                                     .agent = client->agent,
                                     .timeout_ms = client->timeout_ms};
    struct defter *asker;
    int status;

    memcpy(options.authority_key, client->authority_key, PUBLIC_KEY_SIZE);
    status = defter_open(&asker, &options);
    if (status != ST_OK)
        return client_fail(client, status, "the derivation cannot begin");
    asker->derive = true;
    status = defter_connect(asker);
    if (asker->has_derived) {
        *keys_out = asker->derived;
        status = ST_OK;
    } else {
        ENSURE(status != ST_OK);
        (void)client_fail(client, status, defter_reason(asker));
    }
    defter_close(asker);
    return status;
}

/* Both operations take the same fields. */
static int send_account(struct defter *client, uint16_t opcode,
                        const struct op_password_set *fields,
                        struct defter_answer *answer_out)
{
    struct defter_item item = {.opcode = opcode};
    struct defter_command *command;
    uint8_t bytes[FIELDS_SIZE_MAX];
    struct writer writer;
    int status = defter_command_new(&command, 0, DEFTER_RECEIPT);

    if (status != ST_OK)
        return client_fail(client, status, "out of memory");
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_op_password_set, &writer, fields);
    ENSURE(writer.status == ST_OK);
    status = defter_command_item(command, &item, bytes, writer.used);
    if (status == ST_OK)
        status = defter_call(client, command, answer_out);
    defter_command_free(command);
    return status;
}

/* A connection that breaks later is made anew with the new password. */
static void remember(struct defter *client, const char *username,
                     const char *password)
{
    if (!client->by_password)
        return;
    memcpy(client->username, username, strlen(username) + 1);
    memcpy(client->password, password, strlen(password) + 1);
}

static int enter_account(struct defter *client, const struct kdf_keys *keys,
                         const char *username, struct defter_answer *answer_out)
{
    const struct identity *signer = session_identity(client->session);
    uint8_t nonce[PASSWORD_NONCE_SIZE], wrapped[WRAPPED_KEY_SIZE];
    struct op_password_set fields = {
        .username = slice_of(username, strlen(username)),
        .kdf_epoch = KDF_EPOCH,
        .wrapped_key = slice_of(wrapped, sizeof wrapped)};
    int status = ST_OK;

    randombytes_buf(nonce, sizeof nonce);
    password_wrap(wrapped, keys->wrap_key, nonce, signer->secret,
                  client->cluster_id, signer->key_id);
    memcpy(fields.login_key.b, keys->login.public_key, PUBLIC_KEY_SIZE);
    if (!client->by_password)
        status = send_account(client, OPCODE_PASSWORD_SET, &fields, answer_out);
    if (status == ST_OK &&
        (client->by_password || answer_out->code == ST_EXISTS))
        status =
            send_account(client, OPCODE_PASSWORD_CHANGE, &fields, answer_out);
    /* There was an account, and it was somebody else's. */
    if (status == ST_OK && !client->by_password &&
        answer_out->code == ST_NO_SUCH)
        answer_out->code = ST_EXISTS;
    return status;
}

int defter_password(struct defter *client, const char *username,
                    const char *password, struct defter_answer *answer_out)
{
    struct kdf_keys keys;
    int status;

    if (!password_username_good(slice_of(username, strlen(username))))
        return client_fail(client, ST_USAGE,
                           "a name has 3 to 32 of a-z, 0-9, dot, - and _");
    if (!kdf_password_good(slice_of(password, strlen(password))))
        return client_fail(client, ST_USAGE,
                           "a password has 12 to 128 characters");
    status = defter_connect(client);
    if (status == ST_OK)
        status = derive(client, &keys, username, password);
    if (status != ST_OK)
        return status;
    status = enter_account(client, &keys, username, answer_out);
    kdf_wipe(&keys);
    if (status == ST_OK && answer_out->code == ST_OK)
        remember(client, username, password);
    return status;
}
