#include "client/audit/vouch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/audit/tile_files.h"

enum { VOUCH_LINEAGE_DIGITS = 8 };

/* ---- Files ----------------------------------------------------------------
 */

enum status vouch_read_file(uint8_t **bytes_out, size_t *size_out,
                            const char *path, size_t size_max)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
    uint8_t *bytes;
    bool is_read;

    if (file < 0)
        return errno == ENOENT || errno == ENOTDIR ? ST_NO_FILE
                                                   : ST_DISK_FAILED;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(file);
        return ST_DISK_FAILED;
    }
    bytes = malloc(size_max + 1);
    if (bytes == NULL) {
        close(file);
        return ST_EXHAUSTED;
    }
    is_read = tile_files_read(file, bytes, size_out, size_max + 1, 0);
    close(file);
    if (is_read && *size_out <= size_max) {
        *bytes_out = bytes;
        return ST_OK;
    }
    free(bytes);
    return is_read ? ST_TOO_LARGE : ST_DISK_FAILED;
}

static enum status vouch_read(struct vouch *vouch, size_t size)
{
    struct report_checkpoint *told = &vouch->told;
    const struct checkpoint *checkpoint = &vouch->checkpoint;
    enum status status;

    vouch->file = slice_of(vouch->bytes, size);
    status = note_read(&vouch->note, vouch->file);
    if (status == ST_OK)
        status = checkpoint_read(&vouch->checkpoint, vouch->note.text);
    if (status != ST_OK)
        return status;
    (void)snprintf(told->origin, sizeof told->origin, "%.*s",
                   (int)checkpoint->origin.size,
                   (const char *)checkpoint->origin.data);
    told->size = checkpoint->size;
    memcpy(told->root, checkpoint->root, HASH_SIZE);
    return ST_OK;
}

enum status vouch_load(struct vouch *vouch, const char *path, const char *name)
{
    size_t size;
    enum status status;

    memset(vouch, 0, sizeof *vouch);
    (void)snprintf(vouch->told.file, sizeof vouch->told.file, "%s", name);
    status = vouch_read_file(&vouch->bytes, &size, path, NOTE_SIZE_MAX);
    return status == ST_OK ? vouch_read(vouch, size) : status;
}

enum status vouch_take(struct vouch *vouch, struct slice note, const char *name)
{
    memset(vouch, 0, sizeof *vouch);
    (void)snprintf(vouch->told.file, sizeof vouch->told.file, "%s", name);
    vouch->bytes = malloc(note.size + 1);
    if (vouch->bytes == NULL)
        return ST_EXHAUSTED;
    memcpy(vouch->bytes, note.data, note.size);
    return vouch_read(vouch, note.size);
}

void vouch_close(struct vouch *vouch)
{
    free(vouch->bytes);
    vouch->bytes = NULL;
}

/* ---- Signatures -----------------------------------------------------------
 */

struct slice vouch_lineage(const struct vouch *vouch, struct slice origin)
{
    const struct slice *own = &vouch->checkpoint.origin;

    if (own->size != origin.size + 1 + VOUCH_LINEAGE_DIGITS ||
        memcmp(own->data, origin.data, origin.size) != 0 ||
        own->data[origin.size] != '/')
        return slice_of(own->data, 0);
    return slice_of(own->data + origin.size + 1, VOUCH_LINEAGE_DIGITS);
}

/* The log's own key, as genesis names it. */
static const char *vouch_judge_own(struct vouch *vouch, const uint8_t *log_key)
{
    struct note_key key;
    enum status status;

    if (!note_name_valid(vouch->checkpoint.origin))
        return "the checkpoint's origin is no name";
    note_key_init(&key, vouch->checkpoint.origin, NOTE_ED25519, log_key);
    status = note_verify(&vouch->note, &key);
    if (status == ST_BAD_SIG)
        return "the log's signature on the checkpoint is wrong";
    if (status != ST_OK)
        return "the checkpoint is not signed with the log key of genesis";
    vouch->told.is_signed = true;
    return NULL;
}

static void vouch_cosigned(struct vouch *vouch,
                           const struct tlog_policy *policy,
                           const struct tlog_policy_verdict *verdict)
{
    struct report_checkpoint *told = &vouch->told;

    told->cosigned_count = 0;
    for (size_t i = 0; i < policy->witnesses_count; i++) {
        const struct slice name = policy->witnesses[i].name;

        if ((verdict->signed_by >> i & 1) == 0)
            continue;
        (void)snprintf(told->cosigned[told->cosigned_count++], REPORT_NAME_SIZE,
                       "%.*s", (int)name.size, (const char *)name.data);
    }
}

static const char *vouch_judge_policy(struct vouch *vouch,
                                      const struct tlog_policy *policy,
                                      const uint8_t *log_key)
{
    struct tlog_policy_verdict verdict;
    struct checkpoint checkpoint;
    enum status status;

    status = tlog_policy_judge(&verdict, &checkpoint, policy, vouch->file);
    if (status == ST_ORIGIN)
        return "the checkpoint is of another log than the policy's";
    if (status == ST_NO_SUCH)
        return "the checkpoint is not signed with the policy's log key";
    if (status == ST_BAD_SIG)
        return "a signature on the checkpoint is wrong";
    if (status != ST_OK)
        return "the checkpoint is not of its format";
    if (log_key != NULL &&
        memcmp(verdict.log->key.public_key, log_key, PUBLIC_KEY_SIZE) != 0)
        return "genesis names another log key than the policy";
    vouch->told.is_signed = true;
    vouch->told.quorum =
        verdict.satisfied ? REPORT_QUORUM_MET : REPORT_QUORUM_NOT;
    vouch_cosigned(vouch, policy, &verdict);
    return NULL;
}

const char *vouch_judge(struct vouch *vouch, const struct vouch_policy *policy,
                        struct slice origin, const uint8_t *log_key)
{
    if (log_key != NULL && !slice_equal(vouch->checkpoint.origin, origin) &&
        vouch_lineage(vouch, origin).size == 0)
        return "the checkpoint is of another log: its origin is not that of "
               "genesis";
    if (policy->bytes != NULL)
        return vouch_judge_policy(vouch, &policy->policy, log_key);
    return log_key != NULL ? vouch_judge_own(vouch, log_key) : NULL;
}

bool vouch_is_alone(const struct vouch_policy *policy)
{
    return policy->bytes == NULL || policy->policy.quorum == TLOG_POLICY_NONE;
}

bool vouch_stands(const struct vouch *vouch)
{
    return vouch->told.is_signed && vouch->told.quorum != REPORT_QUORUM_NOT;
}

enum status vouch_policy_load(struct vouch_policy *policy, const char *path)
{
    enum status status;

    memset(policy, 0, sizeof *policy);
    status = vouch_read_file(&policy->bytes, &policy->size, path,
                             TLOG_POLICY_SIZE_MAX);
    if (status != ST_OK)
        return status;
    return tlog_policy_read(&policy->policy, &policy->error,
                            slice_of(policy->bytes, policy->size));
}

void vouch_policy_close(struct vouch_policy *policy)
{
    free(policy->bytes);
    policy->bytes = NULL;
}
