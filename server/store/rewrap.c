#include "server/store/rewrap.h"

#include <sodium.h>

#include "protocol/files.h"
#include "protocol/keyfile.h"
#include "server/store/keyring_rewrap.h"
#include "server/store/statements.h"

/* Keys on their way, in memory that is locked, and wiped at the end. */
struct rewrap_keys {
    struct keyfile current;
    struct keyfile next;
    uint8_t bytes[KEYFILE_SIZE];
};

static struct rewrap_keys *keys_open(void)
{
    struct rewrap_keys *keys = sodium_malloc(sizeof *keys);

    if (keys == NULL)
        statements_failed(NULL, "keys of the keyring");
    sodium_memzero(keys, sizeof *keys);
    return keys;
}

static enum status fail_with(struct rewrap_report *report, enum status status,
                             const char *file, const char *fault)
{
    report->file = file;
    report->fault = fault;
    return status;
}

/* ---- The key files ------------------------------------------------------- */

static enum status is_there(bool *there_out, struct disk *disk,
                            const char *name)
{
    struct disk_file *file = NULL;
    enum status status = disk_open(disk, &file, name);

    disk_close(file);
    *there_out = status == ST_OK;
    return status == ST_NO_FILE ? ST_OK : status;
}

/* Returns: ST_OK; ST_NO_FILE; as keyfile_decode(); ST_DISK_FAILED. */
static enum status key_read(struct keyfile *out, struct rewrap_keys *keys,
                            struct disk *disk, const char *name)
{
    struct disk_file *file = NULL;
    uint64_t size = 0;
    enum status status = disk_open(disk, &file, name);

    if (status == ST_OK)
        status = disk_size(file, &size);
    if (status == ST_OK && size != KEYFILE_SIZE)
        status = ST_FILE_FORMAT;
    if (status == ST_OK)
        status = disk_read_all(file, keys->bytes, KEYFILE_SIZE, 0);
    disk_close(file);
    if (status == ST_OK)
        status = keyfile_decode(out, slice_of(keys->bytes, KEYFILE_SIZE),
                                KEYFILE_KEYRING);
    return status;
}

/* The name is durable before the first byte, which could not be found else. */
static enum status key_write_part(struct rewrap_keys *keys, struct disk *disk)
{
    struct disk_file *file = NULL;
    enum status status = disk_create(disk, &file, FILE_KEYRING_KEY_PART);

    keyfile_encode(keys->bytes, &keys->next);
    if (status == ST_OK)
        status = disk_sync_directory(disk, "");
    if (status == ST_OK)
        status = disk_write(file, keys->bytes, KEYFILE_SIZE, 0);
    if (status == ST_OK)
        status = disk_sync(file);
    disk_close(file);
    return status;
}

static enum status key_rename(struct disk *disk, const char *older,
                              const char *newer)
{
    enum status status = disk_rename(disk, older, newer);

    return status == ST_OK ? disk_sync_directory(disk, "") : status;
}

/* The former name is durable before another file takes the one that it had. */
static enum status key_put_in_place(struct disk *disk)
{
    bool is_current;
    enum status status = is_there(&is_current, disk, FILE_KEYRING_KEY);

    if (status == ST_OK && is_current)
        status = disk_discard(disk, FILE_KEYRING_KEY_FORMER, "");
    if (status == ST_OK && is_current)
        status = key_rename(disk, FILE_KEYRING_KEY, FILE_KEYRING_KEY_FORMER);
    if (status == ST_OK)
        status = key_rename(disk, FILE_KEYRING_KEY_NEXT, FILE_KEYRING_KEY);
    return status == ST_OK ? disk_discard(disk, FILE_KEYRING_KEY_FORMER, "")
                           : status;
}

/* As a part nobody takes it for a key while its bytes go. */
static enum status key_take_back(struct disk *disk)
{
    enum status status = disk_discard(disk, FILE_KEYRING_KEY_PART, "");

    if (status == ST_OK)
        status = key_rename(disk, FILE_KEYRING_KEY_NEXT, FILE_KEYRING_KEY_PART);
    return status == ST_OK ? disk_discard(disk, FILE_KEYRING_KEY_PART, "")
                           : status;
}

/* ---- After a crash ------------------------------------------------------- */

static enum status judge(enum keyring_rewrap_fit *fit_out,
                         struct rewrap_report *report,
                         const struct rewrap *rewrap, const struct keyfile *key)
{
    enum status status = keyring_rewrap_judge(fit_out, rewrap->keyring,
                                              key->secret, rewrap->cluster_id);

    return status == ST_OK ? ST_OK
                           : fail_with(report, status, FILE_KEYRING_DB,
                                       "opening the keyring");
}

/* Requires: ${key} is its current one. */
static enum status settle_keyring(struct rewrap_report *report,
                                  const struct rewrap *rewrap,
                                  const struct keyfile *key)
{
    struct keyring *keyring = NULL;
    enum status status = keyring_open(&keyring, rewrap->keyring, key->secret,
                                      rewrap->cluster_id);

    if (status != ST_OK)
        return fail_with(report, status, FILE_KEYRING_DB,
                         "opening the keyring");
    keyring_rewrap_settle(keyring);
    keyring_close(keyring);
    return ST_OK;
}

/* keyring.key opens the keyring, or nothing is touched. */
static enum status expect_current(struct rewrap_report *report,
                                  const struct rewrap *rewrap,
                                  struct rewrap_keys *keys)
{
    enum keyring_rewrap_fit fit;
    enum status status =
        key_read(&keys->current, keys, rewrap->disk, FILE_KEYRING_KEY);

    if (status != ST_OK)
        return fail_with(report, status, FILE_KEYRING_KEY,
                         "another key was to take its place, and it cannot be "
                         "read; nothing was changed");
    status = judge(&fit, report, rewrap, &keys->current);
    if (status == ST_OK && fit != KEYRING_REWRAP_CURRENT)
        return fail_with(report, ST_SEAL, FILE_KEYRING_KEY,
                         "another key was to take its place, and neither opens "
                         "the keyring; nothing was changed");
    return status;
}

static enum status settle_finish(struct rewrap_report *report,
                                 const struct rewrap *rewrap,
                                 const struct keyfile *next)
{
    enum status status = settle_keyring(report, rewrap, next);

    if (status != ST_OK)
        return status;
    status = key_put_in_place(rewrap->disk);
    report->found = REWRAP_FINISHED;
    return status == ST_OK ? ST_OK
                           : fail_with(report, status, FILE_KEYRING_KEY_NEXT,
                                       "putting the new key in its place");
}

/* The keyring forgets the next key when there is none any more: until then it
 * has to know that it made it. */
static enum status settle_undo(struct rewrap_report *report,
                               const struct rewrap *rewrap,
                               struct rewrap_keys *keys)
{
    enum status status = expect_current(report, rewrap, keys);

    if (status != ST_OK)
        return status;
    report->found = REWRAP_UNDONE;
    status = key_take_back(rewrap->disk);
    return status == ST_OK ? settle_keyring(report, rewrap, &keys->current)
                           : fail_with(report, status, FILE_KEYRING_KEY_NEXT,
                                       "overwriting the key that was not used");
}

static enum status settle_next(struct rewrap_report *report,
                               const struct rewrap *rewrap,
                               struct rewrap_keys *keys)
{
    enum keyring_rewrap_fit fit;
    enum status status =
        key_read(&keys->next, keys, rewrap->disk, FILE_KEYRING_KEY_NEXT);

    if (status != ST_OK)
        return fail_with(report, status, FILE_KEYRING_KEY_NEXT,
                         "reading a key; nothing was changed");
    status = judge(&fit, report, rewrap, &keys->next);
    if (status != ST_OK)
        return status;
    switch (fit) {
    case KEYRING_REWRAP_CURRENT:
        return settle_finish(report, rewrap, &keys->next);
    case KEYRING_REWRAP_ANNOUNCED:
        return settle_undo(report, rewrap, keys);
    case KEYRING_REWRAP_FOREIGN:
        break;
    }
    return fail_with(report, ST_SEAL, FILE_KEYRING_KEY_NEXT,
                     "this key opens nothing and was not made here; nothing "
                     "was changed: take it to another place");
}

/* What lost its use goes: a former key once keyring.key is the new one. */
static enum status settle_rest(struct rewrap_report *report,
                               const struct rewrap *rewrap,
                               struct rewrap_keys *keys)
{
    struct disk *disk = rewrap->disk;
    bool is_former = false, is_part = false;
    enum status status = is_there(&is_former, disk, FILE_KEYRING_KEY_FORMER);

    if (status == ST_OK)
        status = is_there(&is_part, disk, FILE_KEYRING_KEY_PART);
    if (status == ST_OK && is_former) {
        status = expect_current(report, rewrap, keys);
        if (status != ST_OK)
            return status;
        report->found = REWRAP_FINISHED;
        status = disk_discard(disk, FILE_KEYRING_KEY_FORMER, "");
    }
    if (status == ST_OK && is_part) {
        if (report->found == REWRAP_NOTHING)
            report->found = REWRAP_UNDONE;
        status = disk_discard(disk, FILE_KEYRING_KEY_PART, "");
    }
    return status == ST_OK ? ST_OK
                           : fail_with(report, status, FILE_KEYRING_KEY,
                                       "overwriting what is left beside it");
}

enum status rewrap_settle(struct rewrap_report *report_out,
                          const struct rewrap *rewrap)
{
    struct rewrap_keys *keys = keys_open();
    bool is_next;
    enum status status;

    *report_out = (struct rewrap_report){.found = REWRAP_NOTHING};
    status = is_there(&is_next, rewrap->disk, FILE_KEYRING_KEY_NEXT);
    if (status != ST_OK)
        status = fail_with(report_out, status, FILE_KEYRING_KEY_NEXT,
                           "looking for it");
    if (status == ST_OK && is_next)
        status = settle_next(report_out, rewrap, keys);
    if (status == ST_OK)
        status = settle_rest(report_out, rewrap, keys);
    sodium_free(keys); /* Wipes it. */
    return status;
}

/* ---- Another key --------------------------------------------------------- */

static enum status run_keyring(struct rewrap_report *report,
                               struct rewrap_keys *keys,
                               const struct rewrap *rewrap,
                               struct keyring *keyring)
{
    struct disk *disk = rewrap->disk;
    enum status status;

    keyring_rewrap_announce(keyring, keys->next.secret);
    status = key_write_part(keys, disk);
    if (status == ST_OK)
        status = key_rename(disk, FILE_KEYRING_KEY_PART, FILE_KEYRING_KEY_NEXT);
    if (status != ST_OK)
        return fail_with(report, status, FILE_KEYRING_KEY_NEXT,
                         "writing the new key");
    status = keyring_rewrap(keyring, &report->rows_count, keys->next.secret);
    return status == ST_OK
               ? ST_OK
               : fail_with(report, status, FILE_KEYRING_DB,
                           "a key in it is damaged; nothing was changed");
}

/* An open would make a keyring where there is none. */
static enum status run_open(struct keyring **keyring_out,
                            struct rewrap_report *report,
                            const struct rewrap *rewrap,
                            const struct keyfile *current)
{
    enum keyring_rewrap_fit fit;
    enum status status = judge(&fit, report, rewrap, current);

    if (status == ST_OK && fit != KEYRING_REWRAP_CURRENT)
        return fail_with(report, ST_SEAL, FILE_KEYRING_KEY,
                         "this key does not open the keyring");
    if (status == ST_OK)
        status = keyring_open(keyring_out, rewrap->keyring, current->secret,
                              rewrap->cluster_id);
    return status == ST_OK ? ST_OK
                           : fail_with(report, status, FILE_KEYRING_DB,
                                       "opening the keyring");
}

static enum status run_with(struct rewrap_report *report,
                            const struct rewrap *rewrap,
                            struct rewrap_keys *keys)
{
    struct keyring *keyring = NULL;
    enum status status = run_open(&keyring, report, rewrap, &keys->current);

    if (status != ST_OK)
        return status;
    status = run_keyring(report, keys, rewrap, keyring);
    keyring_close(keyring);
    if (status != ST_OK)
        return status;
    status = key_put_in_place(rewrap->disk);
    return status == ST_OK ? ST_OK
                           : fail_with(report, status, FILE_KEYRING_KEY,
                                       "putting the new key in its place");
}

enum status rewrap_run(struct rewrap_report *report_out,
                       const struct rewrap *rewrap, const uint8_t key[KEY_SIZE])
{
    struct rewrap_keys *keys = keys_open();
    enum status status;

    *report_out = (struct rewrap_report){.found = REWRAP_NOTHING};
    keyfile_make(&keys->current, KEYFILE_KEYRING, rewrap->cluster_id, key);
    randombytes_buf(keys->bytes, KEY_SIZE);
    keyfile_make(&keys->next, KEYFILE_KEYRING, rewrap->cluster_id, keys->bytes);
    status = run_with(report_out, rewrap, keys);
    sodium_free(keys); /* Wipes it. */
    return status;
}
