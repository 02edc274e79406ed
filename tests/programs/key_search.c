/*
 * key_search keys DIRECTORY: every seal key of a stopped node, a line each:
 *
 *     CLASS OWNER NUMBER WRAPPED KEY      the last two in hex
 *     buried NUMBER
 *
 * key_search fold: the lines of standard input, folded as the search index has
 * them.
 *
 * Exit codes: 0; 3 the keyring cannot be read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>
#include <sqlite3.h>

#include "server/files.h"
#include "server/store/fold.h"
#include "server/store/keyring.h"

enum { LINE_SIZE_MAX = 4096 };

static void print_hex(const void *bytes, int size)
{
    const uint8_t *at = bytes;

    for (int i = 0; i < size; i++)
        printf("%02x", at[i]);
}

static void list_key(struct keyring *keyring, sqlite3_stmt *statement)
{
    uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
    uint8_t key[KEY_SIZE];

    if (keyring_key(keyring, key, number) != ST_OK)
        return;
    printf("%d %" PRId64 " %" PRIu64 " ", sqlite3_column_int(statement, 1),
           (int64_t)sqlite3_column_int64(statement, 2), number);
    print_hex(sqlite3_column_blob(statement, 3),
              sqlite3_column_bytes(statement, 3));
    putchar(' ');
    print_hex(key, sizeof key);
    putchar('\n');
}

static void list_all(struct keyring *keyring, sqlite3 *db)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db, "SELECT number, class, owner, wrapped FROM key",
                           -1, &statement, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(statement) == SQLITE_ROW)
        list_key(keyring, statement);
    sqlite3_finalize(statement);
    if (sqlite3_prepare_v2(db, "SELECT number FROM buried", -1, &statement,
                           NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(statement) == SQLITE_ROW)
        printf("buried %" PRId64 "\n",
               (int64_t)sqlite3_column_int64(statement, 0));
    sqlite3_finalize(statement);
}

static int keys(const char *directory)
{
    char path[FILES_PATH_SIZE_MAX];
    struct keyring *keyring;
    struct keyfile wrapping;
    enum status status;
    sqlite3 *db;

    if (!files_path(path, directory, FILE_KEYRING_KEY))
        return 3;
    status = files_read_key(&wrapping, path, KEYFILE_KEYRING);
    if (status == ST_OK && files_path(path, directory, FILE_KEYRING_DB))
        status =
            keyring_open(&keyring, path, wrapping.secret, wrapping.cluster_id);
    if (status != ST_OK) {
        fprintf(stderr, "key_search: %s: %s\n", path,
                status_info(status)->english);
        return 3;
    }
    if (sqlite3_open(path, &db) == SQLITE_OK)
        list_all(keyring, db);
    (void)sqlite3_close(db);
    keyring_close(keyring);
    keyfile_wipe(&wrapping);
    return 0;
}

static int fold(void)
{
    char line[LINE_SIZE_MAX];
    uint8_t folded[LINE_SIZE_MAX];

    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t size = strcspn(line, "\n");

        size = fold_text(folded, slice_of(line, size), FOLD_PLAIN);
        printf("%.*s\n", (int)size, (const char *)folded);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0)
        return 3;
    if (argc == 3 && strcmp(argv[1], "keys") == 0)
        return keys(argv[2]);
    if (argc == 2 && strcmp(argv[1], "fold") == 0)
        return fold();
    fputs("usage: key_search keys DIRECTORY | fold\n", stderr);
    return 3;
}
