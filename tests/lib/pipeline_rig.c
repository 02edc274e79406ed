#include "tests/lib/pipeline_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <sodium.h>

#include "protocol/genesis.h"
#include "server/pipeline/erasure.h"
#include "server/store/snapshot.h"

enum { RIG_SEGMENT = 1024 * 1024 };

static int64_t rig_wall(void *context)
{
    return ((struct rig *)context)->wall;
}

static int64_t rig_boot(void *context)
{
    return ((struct rig *)context)->boot;
}

static enum status rig_read_entry(void *log, uint64_t index,
                                  struct slice *entry_out)
{
    struct rig *rig = log;

    return journal_read_entry(rig->journal, entry_out, rig->entry_buffer,
                              index);
}

void rig_identity(struct rig *rig, struct identity *out)
{
    uint8_t seed[SEED_SIZE] = {0x5a};

    store_u32(seed + 4, ++rig->seeds);
    identity_init(out, seed);
}

static void rig_path(const struct rig *rig, char *out, const char *name)
{
    int size = snprintf(out, RIG_PATH_SIZE, "%.200s/%s", rig->directory, name);

    ck_assert_int_lt(size, RIG_PATH_SIZE);
}

/* ---- Starting and stopping ---------------------------------------------- */

static struct journal_options rig_options(const struct rig *rig)
{
    return (struct journal_options){
        .segment_size = RIG_SEGMENT,
        .incarnation = rig->incarnation,
        .epoch = rig->epoch,
    };
}

static void rig_append_genesis(struct rig *rig)
{
    struct op_system_genesis fields = {.environment = 2, .realms = 3};
    struct genesis_random random = {.idem = {1}, .salt = {2}};
    uint8_t bytes[GENESIS_SIZE_MAX];
    struct journal_entry entry;
    size_t size;

    fields.origin = slice_of("rig.test", 8);
    fields.owner = slice_of("Owner", 5);
    fields.node_channel_key.b[0] = 9;
    memcpy(fields.node_receipt_key.b, rig->node.public_key, PUBLIC_KEY_SIZE);
    memcpy(fields.log_key.b, rig->node.public_key, PUBLIC_KEY_SIZE);
    memcpy(fields.operator_key.b, rig->admin.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(genesis_write(bytes, &size, &fields, &rig->authority,
                                   rig->wall, &random),
                     ST_OK);
    entry.bytes = slice_of(bytes, size);
    entry_leaf_hash(entry.leaf, entry.bytes);
    ck_assert_int_eq(journal_append(rig->journal, &entry, 1), ST_OK);
    ck_assert_int_eq(journal_sync(rig->journal, 1), ST_OK);
}

static enum status rig_replay(struct rig *rig)
{
    struct journal_cursor *cursor;
    enum status status;
    struct slice entry;

    ck_assert_int_eq(
        journal_cursor_open(&cursor, rig->journal, apply_size(rig->apply)),
        ST_OK);
    apply_begin(rig->apply);
    while ((status = journal_cursor_next(cursor, &entry)) == ST_OK) {
        status = apply_replay(rig->apply, entry);
        if (status != ST_OK)
            break;
        if (erasure_waits(rig->apply)) {
            apply_commit(rig->apply);
            ck_assert_int_eq(erasure_keep(rig->apply), ST_OK);
            apply_begin(rig->apply);
        }
    }
    journal_cursor_close(cursor);
    if (status == ST_END || status == ST_CONTENT_GONE)
        apply_commit(rig->apply);
    return status == ST_END ? ST_OK : status;
}

/* Everything above the log, from what the files hold. */
static enum status rig_start(struct rig *rig)
{
    static const uint8_t wrapping_key[KEY_SIZE] = {7};
    char path[RIG_PATH_SIZE];
    enum status status;

    rig_path(rig, path, "keyring.db");
    ck_assert_int_eq(
        keyring_open(&rig->keyring, path, wrapping_key, rig->cluster_id),
        ST_OK);
    rig_path(rig, path, "state.db");
    ck_assert_int_eq(state_open(&rig->state, path), ST_OK);
    rig->search = search_open();
    rig->keys = directory_open();
    rig->idempotency = idempotency_open();
    struct apply_parts parts = {
        .state = rig->state,
        .keyring = rig->keyring,
        .search = rig->search,
        .directory = rig->keys,
        .idempotency = rig->idempotency,
        .identity = &rig->node,
        .snapshots = rig->disk,
        .log = rig,
        .read_entry = rig_read_entry,
    };
    if (rig->from_snapshot && state_head(rig->state)->applied_size == 0)
        ck_assert_int_eq(snapshot_load(rig->state, rig->disk,
                                       snapshot_newest(rig->disk, UINT64_MAX)),
                         ST_OK);
    memcpy(parts.cluster_id, rig->cluster_id, CLUSTER_ID_SIZE);
    ck_assert_int_eq(apply_open(&rig->apply, &parts), ST_OK);
    status = rig_replay(rig);
    rig->epoch++;
    rig->sequencer = sequencer_open(
        &(struct sequencer_parts){
            .keyring = rig->keyring,
            .idempotency = rig->idempotency,
            .clock = {rig, rig_wall, rig_boot},
        },
        &(struct sequencer_start){.end = journal_end(rig->journal),
                                  .epoch = rig->epoch});
    return status;
}

static void rig_stop(struct rig *rig)
{
    sequencer_close(rig->sequencer);
    apply_close(rig->apply);
    idempotency_close(rig->idempotency);
    directory_close(rig->keys);
    search_close(rig->search);
    state_close(rig->state);
    keyring_close(rig->keyring);
}

static void rig_own(struct rig *rig, uint16_t opcode, const void *fields)
{
    struct node_command *command = node_command_begin(&rig->signer);
    struct rig_answer answer;

    node_command_add(command, opcode, fields);
    struct work *work = node_command_finish(command, rig->wall);
    rig_run(rig, &answer, work);
    ck_assert_int_eq(answer.code, ST_OK);
}

static void rig_enter_epoch(struct rig *rig)
{
    struct op_system_epoch epoch = {.epoch = rig->epoch};

    rig_own(rig, OPCODE_SYSTEM_EPOCH, &epoch);
}

static void rig_make_disk(struct rig *rig, bool on_files)
{
    if (on_files) {
        ck_assert_int_eq(disk_posix_open(&rig->posix, rig->directory), ST_OK);
        rig->disk = disk_posix_disk(rig->posix);
        return;
    }
    rig->model = disk_model_new();
    rig->disk = disk_model_disk(rig->model);
}

static void rig_make(struct rig *rig, bool on_files)
{
    const char *temporary = getenv("TMPDIR");

    memset(rig, 0, sizeof *rig);
    ck_assert_int_ge(sodium_init(), 0);
    (void)snprintf(rig->directory, sizeof rig->directory, "%.200s/rig.XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(rig->directory));
    rig->wall = RIG_TIME;
    rig->boot = RIG_SECOND;
    rig->incarnation = 0;
    rig->entry_buffer = malloc(JOURNAL_READ_SIZE);
    rig_identity(rig, &rig->authority);
    rig_identity(rig, &rig->node);
    rig_identity(rig, &rig->admin);
    identity_cluster_id(rig->cluster_id, rig->authority.public_key);
    rig->signer.identity = &rig->node;
    memcpy(rig->signer.cluster_id, rig->cluster_id, CLUSTER_ID_SIZE);
    rig->group = group_open();

    struct journal_options options = rig_options(rig);
    struct journal_report report;
    rig_make_disk(rig, on_files);
    ck_assert_int_eq(journal_create(rig->disk, &options), ST_OK);
    options.incarnation = ++rig->incarnation;
    ck_assert_int_eq(journal_open(&rig->journal, &report, rig->disk, &options),
                     ST_OK);
    rig_append_genesis(rig);
    ck_assert_int_eq(rig_start(rig), ST_OK);
}

static void rig_begin_term(struct rig *rig)
{
    struct op_system_secret secret = {.secret = {{4}}};

    rig_enter_epoch(rig);
    rig_own(rig, OPCODE_SYSTEM_SECRET, &secret);
}

void rig_open(struct rig *rig)
{
    rig_make(rig, false);
    rig_begin_term(rig);
}

void rig_open_on_files(struct rig *rig)
{
    rig_make(rig, true);
    rig_begin_term(rig);
}

void rig_open_bare(struct rig *rig)
{
    rig_make(rig, true);
}

static void rig_remove(const char *folder, const char *prefix)
{
    DIR *directory = opendir(folder);
    const struct dirent *name;
    char path[RIG_PATH_SIZE];

    ck_assert_ptr_nonnull(directory);
    while ((name = readdir(directory)) != NULL) {
        if (name->d_name[0] == '.' ||
            strncmp(name->d_name, prefix, strlen(prefix)) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%.128s/%.100s", folder,
                       name->d_name);
        if (unlink(path) != 0) {
            rig_remove(path, "");
            (void)rmdir(path);
        }
    }
    (void)closedir(directory);
}

void rig_close(struct rig *rig)
{
    rig_stop(rig);
    journal_close(rig->journal);
    if (rig->model != NULL)
        disk_model_free(rig->model);
    disk_posix_close(rig->posix);
    group_close(rig->group);
    free(rig->entry_buffer);
    rig_remove(rig->directory, "");
    (void)rmdir(rig->directory);
}

enum status rig_restart(struct rig *rig, bool keep_state)
{
    struct journal_report report;
    enum status status;

    rig_stop(rig);
    journal_close(rig->journal);
    if (!keep_state)
        rig_remove(rig->directory, "state.db");
    rig->incarnation++;
    struct journal_options options = rig_options(rig);
    ck_assert_int_eq(journal_open(&rig->journal, &report, rig->disk, &options),
                     ST_OK);
    status = rig_start(rig);
    return status;
}

void rig_wait(struct rig *rig, int64_t microseconds)
{
    rig->wall += microseconds;
    rig->boot += microseconds;
}

/* ---- Commands ----------------------------------------------------------- */

void rig_begin(struct rig *rig, struct rig_command *command)
{
    memset(&command->header, 0, sizeof command->header);
    command->header.realm = REALM_REGISTRY;
    command->header.signed_at = rig->wall;
    command->header.ttl_s = TTL_S_DEFAULT;
    randombytes_buf(command->header.idem, IDEM_SIZE);
    command->carrier = 0;
    command->carrier_kind = 0;
    command->organisation = 0;
    command_build_begin(&command->build, command->buffer,
                        sizeof command->buffer, &command->header);
}

void rig_item(struct rig *rig, struct rig_command *command, uint16_t opcode,
              uint64_t subject, uint32_t duty, const void *fields)
{
    const struct operation_info *operation = operation_info(opcode);
    struct item_clear clear = {
        .opcode = opcode, .version = 1, .subject = subject, .duty = duty};
    uint8_t salt[SALT_SIZE];
    struct writer writer;

    (void)rig;
    writer_init(&writer, command->fields, sizeof command->fields);
    if (operation != NULL)
        schema_encode(operation->fields, &writer, fields);
    ck_assert_int_eq(writer.status, ST_OK);
    if (operation != NULL && operation->realm == OP_REALM_SYSTEM)
        command->header.realm = REALM_SYSTEM;
    randombytes_buf(salt, sizeof salt);
    command_build_item(&command->build, &clear, salt, writer_slice(&writer));
}

struct work *rig_finish(struct rig *rig, struct rig_command *command,
                        const struct identity *signer)
{
    struct command_policy policy = {
        .env_tag = rig->cluster_id[0],
        .portal = true,
        .registry = true,
        .system = true,
        .ttl_s_max = TTL_S_MAX,
        .items_max = ITEMS_MAX,
    };
    struct work_origin origin = {.carrier = command->carrier,
                                 .carrier_kind = command->carrier_kind,
                                 .organisation = command->organisation};
    const struct operation_info *operation;
    struct command parsed;
    struct work *work;
    struct slice body;

    command->build.header = command->header;
    ck_assert_int_eq(
        command_build_sign(&command->build, &body, rig->cluster_id, signer),
        ST_OK);
    ck_assert_int_eq(command_decode(&parsed, command->items, body, &policy),
                     ST_OK);
    command_digest(&parsed, rig->cluster_id);
    ck_assert_int_eq(command_verify(&parsed, signer->public_key), ST_OK);
    memcpy(origin.session_key.b, signer->key_id, KEY_ID_SIZE);
    work = work_open(&parsed, &origin);
    ck_assert_ptr_nonnull(work);
    /* Whoever signs it stands for a node that entered it by itself. */
    operation = operation_info(parsed.items[0].clear_part.opcode);
    work->node_made = operation != NULL && decode_is_nodes_own(operation);
    return work;
}

/* ---- Steps -------------------------------------------------------------- */

enum sequencer_verdict rig_commit(struct rig *rig, struct work *work)
{
    struct group *group = rig->group;

    group_reset(group, journal_room(rig->journal));
    decode_work(work);
    enum sequencer_verdict verdict = sequencer_put(rig->sequencer, group, work);
    if (keyring_staged(rig->keyring) > 0)
        keyring_commit(rig->keyring);
    if (group->entries_count > 0) {
        ck_assert_int_eq(
            journal_append(rig->journal, group->entries, group->entries_count),
            ST_OK);
        ck_assert_int_eq(
            journal_sync(rig->journal, journal_end(rig->journal).size), ST_OK);
    }
    return verdict;
}

enum status rig_apply(struct rig *rig, struct rig_answer *answer)
{
    struct work *work = rig->group->works;
    struct apply_outcome outcome;
    enum status status;

    memset(answer, 0, sizeof *answer);
    apply_begin(rig->apply);
    if (work->known)
        status = apply_known(rig->apply, &outcome, work);
    else
        status = apply_entry(rig->apply, &outcome, work, rig->boot / 1000);
    if (status == ST_DIVERGED)
        return status;
    apply_commit(rig->apply);
    if (erasure_waits(rig->apply))
        ck_assert_int_eq(erasure_keep(rig->apply), ST_OK);
    rig->group->works = NULL;
    answer->known = work->known;
    answer->is_error = status != ST_OK;
    answer->code = status != ST_OK ? (uint16_t)status : outcome.code;
    if (status == ST_OK) {
        answer->index = outcome.index;
        answer->omitted = outcome.result_omitted;
        answer->result_size = outcome.result.size;
        if (outcome.result.size > 0)
            memcpy(answer->result, outcome.result.data,
                   outcome.result.size < sizeof answer->result
                       ? outcome.result.size
                       : sizeof answer->result);
        memcpy(answer->result_hash, outcome.result_hash, HASH_SIZE);
    }
    work_close(work);
    return ST_OK;
}

void rig_run(struct rig *rig, struct rig_answer *answer, struct work *work)
{
    if (rig_commit(rig, work) == SEQUENCER_TAKEN) {
        ck_assert_int_eq(rig_apply(rig, answer), ST_OK);
        return;
    }
    memset(answer, 0, sizeof *answer);
    answer->is_error = true;
    answer->code = (uint16_t)work->fault.status;
    answer->item = work->fault.item;
    work_close(work);
}

void rig_do(struct rig *rig, const struct identity *signer,
            struct rig_answer *answer, uint16_t opcode, uint64_t subject,
            uint32_t duty, const void *fields)
{
    struct rig_command *command = malloc(sizeof *command);

    ck_assert_ptr_nonnull(command);
    rig_begin(rig, command);
    rig_item(rig, command, opcode, subject, duty, fields);
    rig_run(rig, answer, rig_finish(rig, command, signer));
    free(command);
}

void rig_ping(struct rig *rig, const struct identity *signer,
              struct rig_answer *answer, const char *text)
{
    struct op_system_ping ping = {.text = slice_of(text, strlen(text))};

    rig_do(rig, signer, answer, OPCODE_SYSTEM_PING, 0, 0, &ping);
}

/* ---- Files -------------------------------------------------------------- */

static bool rig_file_holds(const char *path, const char *text)
{
    FILE *file = fopen(path, "rb");
    size_t length = strlen(text);
    bool found = false;
    long size;

    if (file == NULL)
        return false;
    (void)fseek(file, 0, SEEK_END);
    size = ftell(file);
    (void)fseek(file, 0, SEEK_SET);
    uint8_t *bytes = malloc((size_t)size + 1);
    ck_assert_ptr_nonnull(bytes);
    size_t read = fread(bytes, 1, (size_t)size, file);
    (void)fclose(file);
    for (size_t i = 0; !found && i + length <= read; i++)
        found = memcmp(bytes + i, text, length) == 0;
    free(bytes);
    return found;
}

bool rig_files_hold(struct rig *rig, const char *text)
{
    DIR *directory = opendir(rig->directory);
    const struct dirent *name;
    char path[RIG_PATH_SIZE];
    bool found = false;

    ck_assert_ptr_nonnull(directory);
    while (!found && (name = readdir(directory)) != NULL) {
        (void)snprintf(path, sizeof path, "%.128s/%.100s", rig->directory,
                       name->d_name);
        found = name->d_name[0] != '.' && rig_file_holds(path, text);
    }
    (void)closedir(directory);
    return found;
}
