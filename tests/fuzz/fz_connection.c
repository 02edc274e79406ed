/*
 * fz_connection.c: what a client sends behind the handshake, to one connection
 * of a loop whose pipeline is a stand-in.
 *
 * The input is a byte of choices (1: log in first, 2: as a carrier, 4: end with
 * a record that is not whole, 8: with a FIN) and then the parts of
 * mutate_parts(), each a record's plaintext.  They are sealed with the
 * channel's key, so that the fuzzer meets what lies behind the cipher; its
 * mutator knows frames, and signs the commands in them.
 */
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/login.h"
#include "protocol/record.h"
#include "server/net/home.h"
#include "tests/lib/mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

enum { RUNS_PER_NET = 1000, TOOK_PER_RUN_MAX = 4 * 1024 * 1024 };

static struct net *net;
static struct identity client;
static bool is_carrier;
static uint64_t runs;
static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {0x48};

/* ---- The stand-in ---------------------------------------------------------
 */

static struct reply *replies; /* Not given yet. */

enum status pipeline_submit(struct pipeline *pipeline, struct work *work)
{
    struct reply *reply = calloc(1, sizeof *reply + 16);

    MAYBE(pipeline == NULL);
    INVARIANT(reply != NULL);
    reply->connection = work->origin.connection;
    reply->request_id = work->origin.request_id;
    reply->result_size = 16;
    reply->next = replies;
    replies = reply;
    work_close(work);
    return ST_OK;
}

enum status pipeline_place(struct pipeline *pipeline,
                           const struct pipeline_place *place)
{
    struct reply *reply = calloc(1, sizeof *reply);

    MAYBE(pipeline == NULL);
    INVARIANT(reply != NULL);
    reply->connection = place->connection;
    reply->request_id = place->request_id;
    reply->is_place = true;
    reply->which = place->which;
    reply->of_bytes = place->of_bytes;
    reply->index = place->of_bytes ? place->index : place->idem.b[0];
    reply->next = replies;
    replies = reply;
    return ST_OK;
}

enum status pipeline_place_bytes(struct pipeline *pipeline,
                                 struct pipeline_place *place, uint64_t index,
                                 const uint8_t key_id[KEY_ID_SIZE],
                                 uint16_t carrier)
{
    MAYBE(key_id == NULL || carrier == 0);
    place->of_bytes = true;
    place->index = index;
    return pipeline_place(pipeline, place);
}

static enum status prove(struct evidence_proof *proof, uint8_t *standing,
                         uint64_t index)
{
    if (index % 4 == 3)
        return index % 8 == 3 ? ST_NO_SUCH : ST_BUSY;
    *standing = EVIDENCE_LOCAL;
    proof->tree_size = index;
    proof->hashes_count = index % (PROOF_HASHES_MAX + 1);
    proof->note_size = index % (EVIDENCE_NOTE_SIZE_MAX + 1);
    memset(proof->hashes, 1, sizeof proof->hashes);
    memset(proof->note, 2, proof->note_size);
    return ST_OK;
}

enum status pipeline_inclusion(struct pipeline *pipeline,
                               struct evidence_proof *proof_out,
                               uint8_t *standing_out, uint64_t index,
                               enum evidence_which which)
{
    MAYBE(pipeline == NULL || which == EVIDENCE_BEST);
    return prove(proof_out, standing_out, index);
}

enum status pipeline_consistency(struct pipeline *pipeline,
                                 struct evidence_proof *proof_out,
                                 uint8_t *standing_out, uint64_t older,
                                 enum evidence_which which)
{
    MAYBE(pipeline == NULL || which == EVIDENCE_BEST);
    return prove(proof_out, standing_out, older);
}

uint8_t pipeline_standing(struct pipeline *pipeline, uint64_t index)
{
    MAYBE(pipeline == NULL || index == 0);
    return EVIDENCE_REPLICATED;
}

enum status pipeline_entry_of(struct pipeline *pipeline,
                              struct slice *entry_out, uint8_t *buffer,
                              uint64_t index, const uint8_t key_id[KEY_ID_SIZE],
                              uint16_t carrier)
{
    MAYBE(pipeline == NULL || key_id == NULL || carrier == 0);
    if (index > ENTRY_SIZE_MAX)
        return ST_NO_SUCH;
    memset(buffer, 3, index);
    *entry_out = slice_of(buffer, index);
    return ST_OK;
}

enum status pipeline_attestation(struct pipeline *pipeline,
                                 struct slice *entry_out, uint8_t *buffer,
                                 uint64_t index)
{
    MAYBE(pipeline == NULL || index == 0);
    memset(buffer, 3, ENTRY_SIZE_MAX);
    *entry_out = slice_of(buffer, ENTRY_SIZE_MAX);
    return ST_OK;
}

struct directory *pipeline_directory(struct pipeline *pipeline)
{
    MAYBE(pipeline == NULL);
    return NULL;
}

uint64_t pipeline_size(struct pipeline *pipeline)
{
    MAYBE(pipeline == NULL);
    return 1;
}

void pipeline_refused(struct pipeline *pipeline,
                      const struct refused_line *line)
{
    MAYBE(pipeline == NULL);
    INVARIANT(line->count == 1);
}

void pipeline_noise(struct pipeline *pipeline, enum status cause,
                    uint32_t count)
{
    MAYBE(pipeline == NULL);
    INVARIANT(cause != ST_OK && count > 0);
}

void pipeline_lock_key(struct pipeline *pipeline,
                       const uint8_t key_id[KEY_ID_SIZE])
{
    MAYBE(pipeline == NULL);
    MAYBE(key_id == NULL);
}

enum status pipeline_query(struct pipeline *pipeline, struct writer *rows_out,
                           uint16_t query, uint16_t version,
                           struct slice fields)
{
    MAYBE(pipeline == NULL);
    if (version != 1)
        return ST_OP_VERSION;
    /* As long as the fuzzer likes. */
    writer_zeros(rows_out, query % BLOB_SIZE_MAX);
    return fields.size > 100 ? ST_BAD_FIELD : ST_OK;
}

enum status pipeline_watch_open(struct pipeline *pipeline,
                                struct watch *watch_out, uint64_t entry,
                                const uint8_t key_id[KEY_ID_SIZE])
{
    MAYBE(pipeline == NULL);
    MAYBE(key_id == NULL);
    *watch_out = (struct watch){.entry = entry};
    return entry % 4 == 3 ? ST_NO_SUCH : ST_OK;
}

enum status pipeline_watch_next(struct pipeline *pipeline, struct watch *watch,
                                struct slice *entry_out, uint8_t *buffer)
{
    static const enum status ends[] = {ST_END, ST_SESSION_OVER, ST_CORRUPT};

    MAYBE(pipeline == NULL);
    if (watch->next++ > 100)
        return ends[watch->entry % 3];
    if (watch->next % 2 == 0)
        return ST_AGAIN;
    memset(buffer, 0, ENTRY_SIZE_MAX);
    *entry_out = slice_of(buffer, (watch->entry * 64) % ENTRY_SIZE_MAX);
    return ST_OK;
}

void pipeline_set_figures(struct pipeline *pipeline, void *context,
                          void (*report)(void *context,
                                         const struct pipeline_figures *to))
{
    MAYBE(pipeline == NULL);
    MAYBE(context == NULL);
    MAYBE(report == NULL);
}

bool pipeline_primary_elsewhere(struct pipeline *pipeline,
                                struct pipeline_primary *primary_out)
{
    MAYBE(pipeline == NULL);
    *primary_out = (struct pipeline_primary){.address = ""};
    return false;
}

void pipeline_set_moved(struct pipeline *pipeline, void *context,
                        void (*moved)(void *context))
{
    MAYBE(pipeline == NULL);
    MAYBE(context == NULL);
    MAYBE(moved == NULL);
}

void reply_close(struct reply *reply)
{
    free(reply);
}

bool directory_find(struct directory *directory, struct directory_key *key_out,
                    const uint8_t key_id[KEY_ID_SIZE])
{
    MAYBE(directory == NULL);
    *key_out = (struct directory_key){.role = ROLE_STAFF, .state = 1};
    memcpy(key_out->key_id.b, key_id, KEY_ID_SIZE);
    memcpy(key_out->public_key.b, client.public_key, PUBLIC_KEY_SIZE);
    if (is_carrier) {
        key_out->role = ROLE_EHIS;
        key_out->carrier = 1;
    }
    return key_id[0] != 0xff;
}

bool directory_find_account(struct directory *directory,
                            struct directory_account *account_out,
                            struct slice username)
{
    MAYBE(directory == NULL);
    memset(account_out, 0, sizeof *account_out);
    account_out->state = 1;
    return username.size % 2 == 0;
}

bool directory_has_account(struct directory *directory,
                           const struct directory_account *account)
{
    MAYBE(directory == NULL);
    return account->state == 1;
}

void directory_password_salt(struct directory *directory, uint8_t salt_out[16],
                             struct slice username)
{
    MAYBE(directory == NULL);
    MAYBE(username.size == 0);
    memset(salt_out, 1, 16);
}

/* ---- One connection -------------------------------------------------------
 */

static void renew_net(void)
{
    static uint8_t anything;
    struct net_options options;
    struct net_identity identity = {.log_vkey = ""};
    enum status status;

    if (net != NULL)
        net_close(net);
    net_defaults(&options);
    options.address = "127.0.0.1:0";
    options.loops = 1;
    options.connections = 4;
    memcpy(identity.cluster_id, cluster_id, CLUSTER_ID_SIZE);
    status = net_open(&net, &options, &identity);
    INVARIANT(status == ST_OK);
    net->pipeline = (struct pipeline *)&anything;
}

static struct connection *begin(int fd)
{
    struct net_loop *home = &net->homes[0];
    struct source source = {{1}};
    struct connection *connection;
    bool done = usage_enter(net->sources, source.name, 1, loop_now_us());

    INVARIANT(done);
    atomic_fetch_add(&net->before_login, 1);
    atomic_fetch_add(&net->connections, 1);
    done = connection_open(home, fd, &source);
    INVARIANT(done);
    connection = home->slots[0];
    INVARIANT(connection != NULL);
    channel_wipe(&connection->channel); /* Both directions: a key of zeros. */
    connection->channel.state = CHANNEL_OPEN;
    connection->phase = PHASE_LOGIN;
    return connection;
}

/* Let the loop work, and read what it says.  False once it has closed. */
static bool turn(int fd, size_t *took)
{
    static uint8_t words[65536];
    struct net_loop *home = &net->homes[0];
    ssize_t got;

    (void)event_base_loop(loop_base(home->loop), EVLOOP_NONBLOCK | EVLOOP_ONCE);
    while (replies != NULL) {
        struct reply *reply = replies;
        struct connection *connection = home_find(home, reply->connection);
        replies = reply->next;
        if (connection != NULL)
            request_reply(connection, reply);
        else
            reply_close(reply);
    }
    connection_end_pass(home);
    while ((got = recv(fd, words, sizeof words, MSG_DONTWAIT)) > 0)
        *took += (size_t)got;
    return got != 0 && home->slots[0] != NULL;
}

static void say(struct noise_cipher *cipher, int fd, struct slice plain)
{
    static uint8_t record[RECORD_SIZE_MAX + RECORD_HEADER_SIZE];
    enum status status = record_seal(cipher, record, plain);

    INVARIANT(status == ST_OK);
    (void)send(fd, record, plain.size + RECORD_OVERHEAD,
               MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void log_in(struct noise_cipher *cipher, int fd)
{
    static const uint8_t binding[HASH_SIZE];
    struct login_claim claim = {.way = LOGIN_BY_KEY,
                                .role = is_carrier ? ROLE_EHIS : ROLE_STAFF};
    struct message_auth_key body = {.role = claim.role};
    uint8_t plain[256];
    struct writer writer;

    store_u64(body.key_id.b, runs); /* No run pays for another's strikes. */
    memcpy(claim.name, body.key_id.b, KEY_ID_SIZE);
    login_sign(body.signature.b, &claim, cluster_id, binding, &client);
    writer_init(&writer, plain, sizeof plain);
    frame_write(&writer, MESSAGE_AUTH_KEY, 1, &body);
    say(cipher, fd, writer_slice(&writer));
}

/* How a client may stop: inside a record of the greatest size, and for good. */
static void break_off(uint8_t choices, int fd)
{
    static uint8_t record[RECORD_SIZE_MAX];
    size_t size = 1 + (size_t)(choices >> 4) * ((sizeof record - 1) / 16);

    store_u16(record, UINT16_MAX);
    if ((choices & 4) != 0)
        (void)send(fd, record, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if ((choices & 8) != 0)
        (void)shutdown(fd, SHUT_WR);
}

static void end(int fd)
{
    struct net_loop *home = &net->homes[0];

    close(fd);
    if (home->slots[0] != NULL)
        connection_kill(home->slots[0]);
    connection_end_pass(home);
    while (replies != NULL) {
        struct reply *reply = replies;
        replies = reply->next;
        reply_close(reply);
    }
    INVARIANT(atomic_load(&net->connections) == 0);
    INVARIANT(atomic_load(&net->before_login) == 0);
    INVARIANT(atomic_load(&net->watching) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[SEED_SIZE] = {9};
    struct noise_cipher cipher = {0};
    int fds[2];
    size_t took = 0;
    bool lives = true;
    uint8_t choices;

    if (size == 0 || sodium_init() < 0)
        return 0;
    if (runs++ % RUNS_PER_NET == 0) {
        identity_init(&client, seed);
        renew_net();
    }
    choices = data[0];
    is_carrier = (choices & 2) != 0;
    INVARIANT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    (void)begin(fds[0]);
    if ((choices & 1) != 0)
        log_in(&cipher, fds[1]);
    data++;
    size--;
    while (lives && size > 2 && took < TOOK_PER_RUN_MAX) {
        size_t part = load_u16(data) % RECORD_PLAINTEXT_SIZE_MAX + 1;
        if (part > size - 2)
            part = size - 2;
        say(&cipher, fds[1], slice_of(data + 2, part));
        data += 2 + part;
        size -= 2 + part;
        lives = turn(fds[1], &took);
    }
    if (lives)
        break_off(choices, fds[1]);
    /* Its end of it may be closed while ours is read off. */
    for (int i = 0; i < 6 && net->homes[0].slots[0] != NULL; i++)
        (void)turn(fds[1], &took);
    end(fds[1]);
    return 0;
}

/* ---- How inputs change ----------------------------------------------------
 */

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
    struct mutate_signer signs = {&client, cluster_id};

    return mutate_parts(&random, data, size, size_max, change, &signs);
}
