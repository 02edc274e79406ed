/*
 * operator_stage: one node of a cluster as the operator's tool sees it, for
 * tests/process/operator.sh.
 *
 *   operator_stage boot COMMON CLUSTER_ID PRIMARY BACKUP ARCHIVE
 *       writes COMMON/config: members PRIMARY and BACKUP, ARCHIVE learns
 *   operator_stage serve CONF IDENTITY_DIR COMMON
 *       serves a single node's directory, and states and takes certificates as
 *       the node whose keys and certificates lie in IDENTITY_DIR
 *
 * What it states of its log stands in COMMON/ID.said, six numbers: flags, size,
 * committed, incarnation, other's incarnation, other's acknowledged size.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sodium.h>

#include "protocol/catalogue.h"
#include "protocol/files.h"
#include "protocol/genesis.h"
#include "protocol/nodecert.h"
#include "protocol/statement.h"
#include "replication/witness.h"
#include "server/diag.h"
#include "server/files.h"
#include "server/node.h"
#include "server/pipeline/pipeline.h"
#include "server/store/disk_posix.h"

enum { STAGE_PATH_SIZE = 1024, STAGE_LINEAGE = 0x11, STAGE_US = 1000000 };

struct stage {
    const char *common;
    char id[2 * NODE_ID_SIZE + 1];
    uint8_t certificate[NODECERT_SIZE];
    struct nodecert read;
    struct identity identity;
    struct config_cert_keys keys;
    uint8_t config[CONFIG_ENCODED_SIZE_MAX];
    size_t config_size;
    uint8_t signed_as[CONFIG_CERT_ENCODED_SIZE_MAX];
    size_t signed_size;
    struct disk_posix *disk;
    struct witness witness;
};

static int fail(const char *what)
{
    fprintf(stderr, "operator_stage: %s\n", what);
    return 1;
}

static struct slice copied(struct writer *space, const void *data, size_t size)
{
    uint8_t *at = writer_reserve(space, size);

    if (at == NULL || size == 0)
        return slice_of(NULL, 0);
    memcpy(at, data, size);
    return slice_of(at, size);
}

static struct config current(const struct stage *stage)
{
    struct config config;
    enum status status =
        config_decode(&config, slice_of(stage->config, stage->config_size));

    INVARIANT(status == ST_OK);
    return config;
}

/* The six numbers; a missing file leaves zeros. */
static void read_said(const struct stage *stage, struct statement *out)
{
    char path[STAGE_PATH_SIZE];
    unsigned flags = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s.said", stage->common, stage->id);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fscanf(file,
               "%u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
               &flags, &out->size, &out->committed, &out->incarnation,
               &out->other_incarnation, &out->other_matched) != 6)
        flags = 0;
    out->flags = (uint16_t)flags;
    (void)fclose(file);
}

static void state(const struct stage *stage, struct statement *out,
                  const struct statement_request *request)
{
    struct config config = current(stage);

    memset(out, 0, sizeof *out);
    read_said(stage, out);
    out->epoch = out->promised = config.epoch;
    memcpy(out->cluster_id, config.cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->lineage, config.lineage, LINEAGE_SIZE);
    memcpy(out->node_id, stage->read.node_id, NODE_ID_SIZE);
    out->config_number = config.number;
    config_hash(out->config_hash, slice_of(stage->config, stage->config_size));
    if (out->size > 0)
        memset(out->leaf, 0x55, HASH_SIZE);
    out->time_us = (int64_t)time(NULL) * STAGE_US;
    if (memcmp(config.primary, out->node_id, NODE_ID_SIZE) == 0)
        out->flags |= STATEMENT_PRIMARY;
    if (request == NULL) {
        out->other_incarnation = out->other_matched = 0;
        return;
    }
    out->why = request->why;
    memcpy(out->other, request->about, NODE_ID_SIZE);
    if (out->other_matched >= out->committed)
        out->flags |= STATEMENT_ACK;
    if (request->why == CONFIG_SWITCHOVER)
        out->flags |= STATEMENT_SEALED;
}

static void on_statement(void *context, struct rows_cluster_statement *out,
                         struct writer *space, struct slice request)
{
    struct stage *stage = context;
    struct statement_request asked;
    struct statement statement;
    uint8_t bytes[STATEMENT_SIZE];

    out->mode = 2;
    if (request.size > 0) {
        enum status status =
            statement_request_read(&asked, request, stage->keys.operator_key,
                                   (int64_t)time(NULL) * STAGE_US);
        out->code = (uint16_t)status;
        if (status == ST_OK &&
            memcmp(asked.asked, stage->read.node_id, NODE_ID_SIZE) != 0)
            out->code = ST_WRONG_STATE;
        if (out->code != 0)
            return;
    }
    state(stage, &statement, request.size > 0 ? &asked : NULL);
    statement_sign(bytes, &statement, &stage->identity);
    out->statement = copied(space, bytes, sizeof bytes);
    out->certificate =
        copied(space, stage->certificate, sizeof stage->certificate);
    out->config = copied(space, stage->config, stage->config_size);
    out->config_cert = copied(space, stage->signed_as, stage->signed_size);
}

/* As a node judges one: signatures, then V1 to V7. */
static const char *take(struct stage *stage, struct slice certificate)
{
    struct config older = current(stage), newer;
    struct config_cert_keys keys = stage->keys;
    struct config_cert cert;
    enum config_cert_fault fault;
    enum config_fault broken;

    keys.witness_needed = config_has_archive(&older);
    if (config_cert_decode(&cert, certificate) != ST_OK)
        return "not a certificate";
    fault = config_cert_verify(&cert, &keys, (int64_t)time(NULL));
    if (fault != CONFIG_CERT_GOOD)
        return config_cert_fault_text(fault);
    if (cert.config.size == stage->config_size &&
        memcmp(cert.config.data, stage->config, stage->config_size) == 0)
        return NULL;
    if (config_decode(&newer, cert.config) != ST_OK)
        return "not a configuration";
    broken = config_judge(&newer, &older,
                          slice_of(stage->config, stage->config_size));
    if (broken != CONFIG_GOOD)
        return config_fault_text(broken);
    memcpy(stage->config, cert.config.data, cert.config.size);
    stage->config_size = cert.config.size;
    memcpy(stage->signed_as, certificate.data, certificate.size);
    stage->signed_size = certificate.size;
    return NULL;
}

static void on_certificate(void *context, struct rows_cluster_certificate *out,
                           struct writer *space, struct slice certificate)
{
    const char *why = take(context, certificate);

    if (why == NULL)
        return;
    out->code = ST_WRONG_STATE;
    out->text = copied(space, why, strlen(why));
}

static void on_witness(void *context, struct rows_cluster_witness *out,
                       struct writer *space, struct slice certificate)
{
    struct stage *stage = context;
    struct witness_view view = {.config =
                                    slice_of(stage->config, stage->config_size),
                                .keys = stage->keys,
                                .now_s = (int64_t)time(NULL),
                                .identity = &stage->identity};
    enum status status =
        witness_sign(&stage->witness, out->signature.b, certificate, &view);

    (void)space;
    out->code = (uint16_t)status;
    memcpy(out->node_id.b, stage->read.node_id, NODE_ID_SIZE);
}

static bool read_file(uint8_t *out, size_t *size_out, size_t size_max,
                      const char *directory, const char *name)
{
    char path[STAGE_PATH_SIZE];

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return files_read(out, size_out, path, size_max, false) == ST_OK;
}

static bool read_identity(struct stage *stage, const char *directory)
{
    struct keyfile key;
    char path[STAGE_PATH_SIZE];
    size_t size;

    (void)snprintf(path, sizeof path, "%s/%s", directory, FILE_RECEIPT_KEY);
    if (files_read_key(&key, path, KEYFILE_RECEIPT) != ST_OK ||
        !read_file(stage->certificate, &size, NODECERT_SIZE, directory,
                   FILE_LINK_CERT))
        return false;
    identity_init(&stage->identity, key.secret);
    nodecert_decode(&stage->read, stage->certificate);
    sodium_bin2hex(stage->id, sizeof stage->id, stage->read.node_id,
                   NODE_ID_SIZE);
    return read_file(stage->config, &stage->config_size, sizeof stage->config,
                     stage->common, "config");
}

/* The keys that genesis names, and the archive's, which lies in COMMON. */
static bool read_keys(struct stage *stage, const char *directory)
{
    uint8_t bytes[GENESIS_SIZE_MAX], archive[NODECERT_SIZE];
    struct op_system_genesis genesis;
    struct nodecert read;
    struct entry entry;
    size_t size;

    if (!read_file(bytes, &size, sizeof bytes, directory, FILE_GENESIS) ||
        genesis_read(&genesis, &entry, slice_of(bytes, size)) != ST_OK ||
        !read_file(archive, &size, sizeof archive, stage->common,
                   "archive.certificate"))
        return false;
    memcpy(stage->keys.operator_key, genesis.operator_key.b, PUBLIC_KEY_SIZE);
    memcpy(stage->keys.authority_key, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    nodecert_decode(&read, archive);
    memcpy(stage->keys.witnesses[0].node_id, read.node_id, NODE_ID_SIZE);
    memcpy(stage->keys.witnesses[0].receipt_key, read.receipt_key,
           PUBLIC_KEY_SIZE);
    stage->keys.witnesses_count = 1;
    return true;
}

/* The witness's memory lies with the identity, and outlives the process. */
static bool open_witness(struct stage *stage, const char *directory)
{
    struct disk *disk;
    enum status status;

    if (disk_posix_open(&stage->disk, directory) != ST_OK)
        return false;
    disk = disk_posix_disk(stage->disk);
    status = witness_open(&stage->witness, disk, stage->read.cluster_id);
    if (status == ST_NO_FILE) {
        status = witness_create(disk, stage->read.cluster_id);
        if (status == ST_OK)
            status =
                witness_open(&stage->witness, disk, stage->read.cluster_id);
    }
    return status == ST_OK;
}

static int serve(const char *conf, const char *directory, const char *common)
{
    static struct stage stage;
    struct pipeline_operator functions = {&stage, on_statement, on_certificate,
                                          on_witness};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct options options;
    struct node *node = NULL;
    char error[OPTIONS_ERROR_SIZE];
    sigset_t waited;
    int signal;

    stage.common = common;
    if (!read_identity(&stage, directory) || !read_keys(&stage, directory) ||
        !open_witness(&stage, directory))
        return fail("the files of the stage cannot be read");
    if (options_read(&options, error, conf) != ST_OK)
        return fail(error);
    (void)sigemptyset(&waited);
    (void)sigaddset(&waited, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &waited, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)umask(S_IRWXG | S_IRWXO);
    if (node_open(&node, &options) != NODE_DRAINED ||
        node_start(node) != NODE_DRAINED)
        return fail("the node does not start");
    pipeline_set_operator(node_pipeline(node), &functions);
    fprintf(stderr, "stage is ready\n");
    (void)sigwait(&waited, &signal);
    node_drain(node);
    node_close(node);
    disk_posix_close(stage.disk);
    return 0;
}

static bool id_of(uint8_t out[NODE_ID_SIZE], const char *hex)
{
    size_t got;

    return sodium_hex2bin(out, NODE_ID_SIZE, hex, strlen(hex), NULL, &got,
                          NULL) == 0 &&
           got == NODE_ID_SIZE;
}

/* COMMON CLUSTER_ID PRIMARY BACKUP ARCHIVE */
static int boot(char **words)
{
    struct config config = {.phase = CONFIG_NORMAL,
                            .why = CONFIG_ADD,
                            .epoch = 1,
                            .number = 2,
                            .base_size = 1,
                            .minimum = 2};
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX], ids[3][NODE_ID_SIZE];
    char path[STAGE_PATH_SIZE];

    if (!id_of(config.cluster_id, words[1]) || !id_of(ids[0], words[2]) ||
        !id_of(ids[1], words[3]) || !id_of(ids[2], words[4]))
        return fail("ids are 32 hex digits");
    memset(config.lineage, STAGE_LINEAGE, LINEAGE_SIZE);
    memcpy(config.primary, ids[0], NODE_ID_SIZE);
    config_add_member(&config, ids[0], 1);
    config_add_member(&config, ids[1], 1);
    config_add_learner(&config, ids[2]);
    config_add_eligible(&config, ids[0]);
    config_add_eligible(&config, ids[1]);
    config_encode(bytes, &config);
    (void)snprintf(path, sizeof path, "%s/config", words[0]);
    return files_write_new(path, bytes, config_size(&config), 0600) == ST_OK
               ? 0
               : fail(path);
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0)
        return fail("libsodium does not start");
    if (argc == 7 && strcmp(argv[1], "boot") == 0)
        return boot(argv + 2);
    if (argc == 5 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3], argv[4]);
    return fail("usage: operator_stage boot|serve ...");
}
