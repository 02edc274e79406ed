/*
 * resend: one system.ping whose answer is lost on the way.
 *
 *   resend CLUSTER.CONF KEY
 *
 * Sends the command, says "sent", and waits for a line on standard input before
 * it looks at the connection again; then it drops the connection unread and
 * sends the same bytes over a new one, as after a cable was pulled.  Prints
 * "code C index I duplicate D", twice: the second time for the same bytes sent
 * once more.
 */
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/client_state.h"
#include "protocol/catalogue.h"
#include "protocol/keyfile.h"

enum { WAIT_MS = 30000, STEP_MS = 50, LINE_SIZE = 256 };

struct outcome {
    bool done;
    int status, code, duplicate;
    unsigned long long index;
};

static void answered(void *context, struct defter_command *command, int status,
                     const struct defter_answer *answer)
{
    struct outcome *outcome = context;

    (void)command;
    *outcome = (struct outcome){.done = true, .status = status};
    if (answer != NULL) {
        outcome->code = answer->code;
        outcome->duplicate = answer->duplicate;
        outcome->index = answer->index;
    }
}

static void wait_for(const struct defter *client)
{
    struct pollfd about = {.fd = defter_fd(client), .events = POLLIN};

    if ((defter_wants(client) & DEFTER_WANTS_WRITE) != 0)
        about.events = POLLIN | POLLOUT;
    (void)poll(&about, about.fd >= 0 ? 1 : 0, STEP_MS);
}

/* Steps, over new connections too, until the answer or too long. */
static bool finish(struct defter *client, const struct outcome *outcome)
{
    int64_t end_ms = client_steady_ms() + WAIT_MS;

    while (!outcome->done && client_steady_ms() < end_ms) {
        (void)defter_step(client);
        if (!outcome->done)
            wait_for(client);
    }
    if (!outcome->done || outcome->status != 0)
        return false;
    printf("code %d index %llu duplicate %d\n", outcome->code, outcome->index,
           outcome->duplicate);
    return fflush(stdout) == 0;
}

static bool take(struct defter_options *options, uint8_t seed[SEED_SIZE],
                 char address[ADDRESS_SIZE_MAX + 1], char **argv)
{
    uint8_t bytes[KEYFILE_SIZE];
    struct keyfile keyfile;
    char line[LINE_SIZE], hex[2 * PUBLIC_KEY_SIZE + 1] = "";
    FILE *file = fopen(argv[1], "re");
    size_t got;

    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "authority = %64s", hex);
        (void)sscanf(line, "address = %60s", address);
    }
    (void)fclose(file);
    file = fopen(argv[2], "re");
    if (file == NULL)
        return false;
    got = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    if (keyfile_decode(&keyfile, slice_of(bytes, got), KEYFILE_SIGNER) != ST_OK)
        return false;
    memcpy(seed, keyfile.secret, SEED_SIZE);
    options->key_seed = seed;
    options->address = address;
    return sodium_hex2bin(options->authority_key, PUBLIC_KEY_SIZE, hex,
                          strlen(hex), NULL, &got, NULL) == 0 &&
           got == PUBLIC_KEY_SIZE;
}

static bool send_away(struct defter *client)
{
    int64_t end_ms = client_steady_ms() + WAIT_MS;

    do {
        if (defter_step(client) != 0 || client_steady_ms() > end_ms)
            return false;
    } while ((defter_wants(client) & DEFTER_WANTS_WRITE) != 0);
    puts("sent");
    return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    char address[ADDRESS_SIZE_MAX + 1] = "", line[LINE_SIZE];
    uint8_t seed[SEED_SIZE], fields[64];
    struct defter_options options = {.role = ROLE_STAFF, .agent = "resend"};
    struct defter_item item = {.opcode = OPCODE_SYSTEM_PING};
    struct op_system_ping ping = {.text = slice_of("once", 4)};
    struct outcome outcome = {.done = false};
    struct defter_command *command;
    struct defter *client;
    struct writer writer;

    if (argc != 3 || sodium_init() < 0 ||
        !take(&options, seed, address, argv) ||
        defter_open(&client, &options) != 0 || defter_connect(client) != 0 ||
        defter_command_new(&command, 'R', DEFTER_RECEIPT) != 0)
        return 3;
    writer_init(&writer, fields, sizeof fields);
    schema_encode(&schema_op_system_ping, &writer, &ping);
    if (defter_command_item(command, &item, fields, writer.used) != 0 ||
        defter_submit(client, command, &outcome, answered) != 0 ||
        !send_away(client) || fgets(line, sizeof line, stdin) == NULL)
        return 2;
    client_drop(client);
    if (!finish(client, &outcome))
        return 1;
    outcome.done = false;
    if (defter_submit(client, command, &outcome, answered) != 0 ||
        !finish(client, &outcome))
        return 1;
    defter_command_free(command);
    defter_close(client);
    return 0;
}
