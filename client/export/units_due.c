#include "client/export/units_due.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/audit/archive_records.h"
#include "client/audit/unit.h"
#include "client/audit/verify_parts.h"

enum { DUE_DESCRIPTORS = 16 };

struct units_due {
    const struct units_due_options *options;
    struct units_due_result *result;
    struct verify verify;
    struct verify_options judging;
    int directory; /* The target, which is locked. */
    /* Of the unit in the making. */
    const struct archive_record *record;
    uint8_t hash[HASH_SIZE];
    const char *differs;
    bool is_other; /* It is good, and not the one that was sealed. */
};

static enum status due_refuse(struct units_due *due, enum status status,
                              const char *what)
{
    due->result->what = what;
    return status;
}

/* ---- The directory ------------------------------------------------------- */

static enum status due_lock(struct units_due *due)
{
    const char *target = due->options->target;

    if (mkdir(target, 0755) != 0 && errno != EEXIST)
        return due_refuse(due, ST_NO_FILE, "the directory cannot be made");
    due->directory = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (due->directory < 0)
        return due_refuse(due, ST_NO_FILE, "it is no directory");
    if (flock(due->directory, LOCK_EX | LOCK_NB) == 0)
        return ST_OK;
    return errno == EWOULDBLOCK ? due_refuse(due, ST_WRONG_STATE,
                                             "another run is making units here")
                                : ST_DISK_FAILED;
}

static bool due_path(const struct units_due *due, char out[VERIFY_PATH_SIZE],
                     uint64_t number, const char *end)
{
    const int size = snprintf(out, VERIFY_PATH_SIZE, "%s/unit-%06" PRIu64 "%s",
                              due->options->target, number, end);

    return size > 0 && size < VERIFY_PATH_SIZE;
}

static int remove_one(const char *path, const struct stat *found, int kind,
                      struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

/* What a run that was killed has left. */
static enum status due_remove(const char *path)
{
    struct stat found;

    if (lstat(path, &found) != 0)
        return errno == ENOENT ? ST_OK : ST_DISK_FAILED;
    if (nftw(path, remove_one, DUE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0)
        return ST_OK;
    return errno == ENOMEM ? ST_EXHAUSTED : ST_DISK_FAILED;
}

static enum status due_rename(struct units_due *due, const char *part,
                              const char *path)
{
    if (rename(part, path) != 0)
        return due_refuse(due,
                          errno == ENOTEMPTY || errno == EEXIST ||
                                  errno == ENOTDIR
                              ? ST_EXISTS
                              : ST_DISK_FAILED,
                          "something lies at the unit's place");
    return fsync(due->directory) == 0 ? ST_OK : ST_DISK_FAILED;
}

/* ---- One unit ------------------------------------------------------------ */

/* Whether the unit that lies there is the record's. */
static enum status due_there(struct units_due *due, const char *path)
{
    struct report *report = due->result->report;
    const char *differs = NULL;
    struct unit unit;
    enum status status = unit_open(&unit, report, path, "");

    if (status == ST_OK && report->fault.found)
        differs = report->fault.what;
    else if (status == ST_OK)
        differs = unit.told.number == due->record->number
                      ? archive_records_fit(due->record, &unit.told, unit.hash)
                      : "it has another number";
    unit_close(&unit);
    if (status == ST_OK && differs != NULL)
        return due_refuse(due, ST_EXISTS, differs);
    due->result->there_count += status == ST_OK;
    return status;
}

static void due_made(void *context, const struct archive_unit *unit,
                     const char *path, const uint8_t hash[HASH_SIZE])
{
    struct units_due *due = context;
    const struct units_due_options *options = due->options;
    const struct archive_record *record = due->record;
    struct archive_record unsealed = *record;
    char whole[VERIFY_PATH_SIZE];

    unsealed.sealed = 0;
    due->differs = archive_records_fit(&unsealed, unit, hash);
    due->is_other = due->differs == NULL && record->sealed != 0 &&
                    memcmp(record->manifest, hash, HASH_SIZE) != 0;
    if (due->differs != NULL || due->is_other)
        return;
    if (!due_path(due, whole, unit->number, "")) {
        due->differs = "the path is too long";
        return;
    }
    if (due_rename(due, path, whole) != ST_OK) {
        due->differs = "it cannot be put at its place";
        return;
    }
    due->result->made_count++;
    if (options->made != NULL)
        options->made(options->context, unit, whole, hash);
}

static void due_missing(struct units_due *due)
{
    const struct units_due_options *options = due->options;

    due->result->missing_count++;
    if (options->missing != NULL)
        options->missing(options->context, due->record);
}

static enum status due_make(struct units_due *due, const char *part)
{
    const struct units_due_options *options = due->options;
    struct unit_export_options making = {.directory = options->directory,
                                         .checkpoint = options->checkpoint,
                                         .policy = options->policy,
                                         .target = part,
                                         .number = due->record->number,
                                         .first = due->record->first,
                                         .last = due->record->last,
                                         .threads = options->threads,
                                         .context = due,
                                         .made = due_made};
    struct unit_export_result result = {.report = due->result->report};
    enum status status = due_remove(part);

    if (status != ST_OK)
        return due_refuse(due, status, "a former run's part stays there");
    due->differs = NULL;
    due->is_other = false;
    status = unit_export(&result, &making);
    if (status != ST_OK)
        return due_refuse(due, status, result.what);
    if (due->is_other)
        due_missing(due);
    if (due->differs == NULL && !due->is_other)
        return ST_OK;
    status = due_remove(part);
    if (status != ST_OK)
        return due_refuse(due, status, "what was made stays there");
    return due->differs == NULL ? ST_OK
                                : due_refuse(due, ST_CHECKSUM, due->differs);
}

/* A newer checkpoint never gives the manifest that was sealed. */
static enum status due_absent(struct units_due *due, const char *part)
{
    if (due->record->sealed == 0 || due->options->checkpoint != NULL)
        return due_make(due, part);
    due_missing(due);
    return due_remove(part);
}

static enum status due_unit(struct units_due *due)
{
    char path[VERIFY_PATH_SIZE], part[VERIFY_PATH_SIZE];
    enum status status;

    if (!due_path(due, path, due->record->number, "") ||
        !due_path(due, part, due->record->number, ".part"))
        return due_refuse(due, ST_NO_FILE, "the path is too long");
    status = unit_is_one(path) ? due_there(due, path) : due_absent(due, part);
    if (status != ST_OK)
        due->result->number = due->record->number;
    return status;
}

/* ---- The log ------------------------------------------------------------- */

/* Which units it says that there are. */
static enum status due_read(struct units_due *due, uint64_t *size_out)
{
    const struct units_due_options *options = due->options;
    struct report *report = due->result->report;
    struct verify *verify = &due->verify;
    char own[VERIFY_PATH_SIZE];
    const char *path = options->checkpoint;
    enum status status;

    if (path == NULL && verify_path(own, options->directory, VERIFY_CHECKPOINT))
        path = own;
    if (path == NULL)
        return ST_NO_FILE;
    status = walk_open(&verify->source.walk, options->directory);
    if (status != ST_OK)
        return status;
    status = verify_checkpoint(verify, report, path, VERIFY_CHECKPOINT);
    if (status == ST_EXHAUSTED)
        return status;
    if (status != ST_OK || report->fault.found)
        return due_refuse(due, ST_ORIGIN,
                          "there is no checkpoint that can be read");
    due->judging = (struct verify_options){.directory = options->directory,
                                           .no_signatures = true,
                                           .threads = options->threads};
    status = verify_entries(verify, report, &due->judging);
    if (status != ST_OK)
        return status;
    *size_out = verify->vouches.all[0].checkpoint.size;
    /* What is behind the checkpoint is being written, perhaps. */
    if (report->fault.found && verify->judge.tree.size < *size_out)
        return due_refuse(due, ST_CHECKSUM, "the log has a fault");
    return ST_OK;
}

static enum status due_units(struct units_due *due)
{
    const struct archive_records *records = &due->verify.judge.records;
    enum status status;
    uint64_t size;

    status = due_read(due, &size);
    for (size_t i = 0; status == ST_OK && i < records->count; i++) {
        due->record = &records->rows[i];
        memset(due->result->report, 0, sizeof *due->result->report);
        if (due->record->last < size)
            status = due_unit(due);
        else
            due->result->waiting_count++;
    }
    return status;
}

enum status units_due(struct units_due_result *result,
                      const struct units_due_options *options)
{
    struct units_due *due = calloc(1, sizeof *due);
    struct report *report = result->report;
    enum status status;

    memset(report, 0, sizeof *report);
    *result = (struct units_due_result){.report = report};
    if (due == NULL)
        return ST_EXHAUSTED;
    due->options = options;
    due->result = result;
    due->directory = -1;
    status = due_lock(due);
    if (status == ST_OK)
        status = due_units(due);
    verify_close(&due->verify);
    if (due->directory >= 0)
        (void)close(due->directory); /* And so the lock. */
    free(due);
    return status;
}
