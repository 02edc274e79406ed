/*
 * noise_vectors FILE: runs every vector for this project's Noise suite in a
 * file of the common JSON vector format, and says `N passed, N failed`.
 *
 * A file is one vector, a list of them, or an object with a list "vectors".
 * Vectors of other protocol names (other suites, patterns, fallback, psk) are
 * passed over and counted apart.  init_remote_static and resp_remote_static
 * are not looked at: XX knows no key beforehand.
 *
 * Exit status: 0 all passed; 1 some failed; 2 none ran; 3 wrong usage.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sodium.h>

#include "protocol/noise.h"

enum { EXIT_FAILED = 1, EXIT_NONE = 2, EXIT_USAGE = 3 };
enum { FILE_SIZE_MAX = 64 * 1024 * 1024 };

static const char suite_name[] = "Noise_XX_25519_ChaChaPoly_SHA256";

/* Bytes of one field; ${data} is never NULL once read. */
struct bytes {
    uint8_t data[NOISE_MESSAGE_SIZE_MAX];
    size_t size;
};

/* Working memory of one run, too large for the stack. */
struct run {
    struct bytes prologue;
    struct bytes secret;
    struct bytes ephemeral;
    struct bytes payload;
    struct bytes expected;
    uint8_t sent[NOISE_MESSAGE_SIZE_MAX];
    uint8_t received[NOISE_MESSAGE_SIZE_MAX];
    struct noise sides[2];
    struct noise_cipher senders[2];
    struct noise_cipher receivers[2];
    uint8_t hashes[2][HASH_SIZE];
};

/* False if ${text} is no hexadecimal of at most one message. */
static bool read_hex(struct bytes *out, const char *text)
{
    size_t used;
    const char *end;

    out->size = 0;
    if (text == NULL)
        return false;
    used = strlen(text);
    return sodium_hex2bin(out->data, sizeof out->data, text, used, NULL,
                          &out->size, &end) == 0 &&
           *end == '\0';
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* Begins one side from the fields that begin with ${prefix}. */
static const char *begin_side(struct run *run, const cJSON *vector,
                              enum noise_role role)
{
    bool initiator = role == NOISE_INITIATOR;
    const char *prologue =
        text_of(vector, initiator ? "init_prologue" : "resp_prologue");

    if (!read_hex(&run->prologue, prologue == NULL ? "" : prologue))
        return "prologue is not hexadecimal";
    if (!read_hex(&run->secret,
                  text_of(vector, initiator ? "init_static" : "resp_static")) ||
        run->secret.size != KEY_SIZE)
        return "no static key of 32 bytes";
    if (!read_hex(
            &run->ephemeral,
            text_of(vector, initiator ? "init_ephemeral" : "resp_ephemeral")) ||
        run->ephemeral.size != KEY_SIZE)
        return "no ephemeral key of 32 bytes";
    noise_init(&run->sides[role], role,
               slice_of(run->prologue.data, run->prologue.size),
               run->secret.data, run->ephemeral.data);
    return NULL;
}

/* Writes message ${number}; its size in ${sent_size_out}. */
static enum status send_message(struct run *run, size_t *sent_size_out,
                                unsigned sender, bool handshake)
{
    struct slice payload = slice_of(run->payload.data, run->payload.size);
    const struct slice no_ad = {NULL, 0};
    struct writer out;
    enum status status;

    if (!handshake) {
        if (payload.size > sizeof run->sent - AEAD_TAG_SIZE)
            return ST_TOO_LARGE;
        *sent_size_out = payload.size + AEAD_TAG_SIZE;
        return noise_seal(&run->senders[sender], run->sent, no_ad, payload);
    }
    writer_init(&out, run->sent, sizeof run->sent);
    status = noise_write(&run->sides[sender], &out, payload);
    *sent_size_out = out.used;
    return status;
}

static enum status receive_message(struct run *run, size_t *size_out,
                                   unsigned receiver, bool handshake)
{
    struct slice message = slice_of(run->expected.data, run->expected.size);
    const struct slice no_ad = {NULL, 0};
    struct writer out;
    enum status status;

    if (!handshake) {
        status = noise_open(&run->receivers[receiver], run->received, no_ad,
                            message);
        *size_out = status == ST_OK ? message.size - AEAD_TAG_SIZE : 0;
        return status;
    }
    writer_init(&out, run->received, sizeof run->received);
    status = noise_read(&run->sides[receiver], &out, message);
    *size_out = out.used;
    return status;
}

static const char *run_message(struct run *run, const cJSON *message,
                               unsigned number)
{
    unsigned sender = number % 2;
    bool handshake = number < NOISE_MESSAGES;
    size_t size;

    if (!read_hex(&run->payload, text_of(message, "payload")) ||
        !read_hex(&run->expected, text_of(message, "ciphertext")))
        return "payload or ciphertext is not hexadecimal";
    if (send_message(run, &size, sender, handshake) != ST_OK)
        return "message cannot be written";
    if (size != run->expected.size ||
        memcmp(run->sent, run->expected.data, size) != 0)
        return "ciphertext differs";
    if (receive_message(run, &size, 1 - sender, handshake) != ST_OK)
        return "ciphertext is not taken";
    if (size != run->payload.size ||
        memcmp(run->received, run->payload.data, size) != 0)
        return "payload differs";
    return NULL;
}

/* After the last handshake message. */
static const char *split(struct run *run, const cJSON *vector)
{
    const char *hash = text_of(vector, "handshake_hash");

    for (unsigned side = 0; side < 2; side++)
        noise_split(&run->sides[side], &run->senders[side],
                    &run->receivers[side], run->hashes[side]);
    if (hash == NULL)
        return NULL;
    if (!read_hex(&run->expected, hash))
        return "handshake hash is not hexadecimal";
    for (unsigned side = 0; side < 2; side++) {
        if (run->expected.size != HASH_SIZE ||
            memcmp(run->hashes[side], run->expected.data, HASH_SIZE) != 0)
            return "handshake hash differs";
    }
    return NULL;
}

/* NULL, or what is wrong. */
static const char *run_vector(struct run *run, const cJSON *vector)
{
    const cJSON *messages =
        cJSON_GetObjectItemCaseSensitive(vector, "messages");
    const cJSON *message;
    unsigned number = 0;
    const char *wrong = begin_side(run, vector, NOISE_INITIATOR);

    if (wrong == NULL)
        wrong = begin_side(run, vector, NOISE_RESPONDER);
    cJSON_ArrayForEach(message, messages)
    {
        if (wrong == NULL)
            wrong = run_message(run, message, number);
        number++;
        if (wrong == NULL && number == NOISE_MESSAGES)
            wrong = split(run, vector);
    }
    if (wrong == NULL && number < NOISE_MESSAGES)
        wrong = "fewer than three messages";
    return wrong;
}

static cJSON *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(FILE_SIZE_MAX);
    cJSON *root = NULL;

    if (file != NULL && text != NULL)
        root = cJSON_ParseWithLength(text, fread(text, 1, FILE_SIZE_MAX, file));
    if (file != NULL)
        fclose(file);
    free(text);
    return root;
}

static const char *name_of(const cJSON *vector)
{
    const char *name = text_of(vector, "protocol_name");

    return name != NULL ? name : text_of(vector, "name");
}

static int run_all(struct run *run, const cJSON *list)
{
    unsigned passed = 0;
    unsigned failed = 0;
    unsigned others = 0;
    const cJSON *vector;

    cJSON_ArrayForEach(vector, list)
    {
        const char *name = name_of(vector);
        const char *wrong;

        if (name == NULL || strcmp(name, suite_name) != 0) {
            others++;
            continue;
        }
        wrong = run_vector(run, vector);
        if (wrong == NULL) {
            passed++;
            continue;
        }
        failed++;
        printf("%s, vector %u: %s\n", name, passed + failed + others, wrong);
    }
    if (others > 0)
        printf("%u of other protocol names passed over\n", others);
    printf("%u passed, %u failed\n", passed, failed);
    if (failed > 0)
        return EXIT_FAILED;
    return passed > 0 ? EXIT_SUCCESS : EXIT_NONE;
}

int main(int argc, char **argv)
{
    struct run *run;
    cJSON *root;
    cJSON *list;
    int status;

    if (argc != 2) {
        fprintf(stderr, "usage: noise_vectors FILE\n");
        return EXIT_USAGE;
    }
    run = malloc(sizeof *run);
    root = read_file(argv[1]);
    if (sodium_init() < 0 || run == NULL || root == NULL) {
        fprintf(stderr, "noise_vectors: cannot read %s as JSON\n", argv[1]);
        cJSON_Delete(root);
        free(run);
        return EXIT_USAGE;
    }
    list = cJSON_GetObjectItemCaseSensitive(root, "vectors");
    if (list == NULL && !cJSON_IsArray(root)) {
        list = cJSON_CreateArray();
        cJSON_AddItemToArray(list, root);
        root = list;
    }
    status = run_all(run, list == NULL ? root : list);
    cJSON_Delete(root);
    free(run);
    return status;
}
