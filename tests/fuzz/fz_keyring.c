/* fuzz-runs: 100 plain
 *
 * fz_keyring.c: rows of seal keys as another node of the cluster, or who has
 * its key, may send them.  What a keyring takes it gives out again as the same
 * bytes, each number once, and after it was closed and opened too; what it held
 * before stays as it was.
 *
 * The first byte says how many rows are taken before those that came are made
 * durable; the rest are the rows.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "server/store/keyring_rows.h"
#include "tests/lib/quick_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_ROWS_MAX = 64, PATH_SIZE = QUICK_FOLDER_SIZE + 16 };

static const uint8_t wrapping_key[KEY_SIZE] = {1};
static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {2};
static char folder[QUICK_FOLDER_SIZE];

/* The row that the keyring begins with, of a subject. */
static const struct keyring_row held_row = {.number = UINT64_C(1) << 32,
                                            .owner = 1400057421,
                                            .first_index = 3,
                                            .class = KEYRING_RECORD};
static const uint8_t held_key[KEY_SIZE] = {3};

static void path_of(char out[PATH_SIZE], const char *end)
{
    (void)snprintf(out, PATH_SIZE, "%s/keyring.db%s", folder, end);
}

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[PATH_SIZE];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        path_of(path, ends[i]);
        (void)unlink(path);
    }
}

static void end(void)
{
    remove_files();
    (void)rmdir(folder);
}

static struct keyring *open_keyring(void)
{
    struct keyring *keyring;
    char path[PATH_SIZE];

    path_of(path, "");
    INVARIANT(keyring_open(&keyring, path, wrapping_key, cluster_id) == ST_OK);
    return keyring;
}

/* The first row that was taken of a number, as it came; NULL: of another. */
static const uint8_t *first_of(struct slice rows, uint64_t number)
{
    for (size_t at = 0; rows.size - at >= KEYRING_ROW_SIZE;
         at += KEYRING_ROW_SIZE) {
        if (load_u64(rows.data + at) == number)
            return rows.data + at;
    }
    return NULL;
}

/* Each row that is given out came so, and only the one held did not come. */
static void check_rows(struct keyring *keyring, struct slice taken)
{
    uint8_t out[4 * KEYRING_ROW_SIZE + 7];
    struct keyring_cursor cursor = {0, 0};
    uint64_t index = 0, number = 0;
    size_t used;
    bool held = false;

    while ((used = keyring_rows_next(keyring, out, sizeof out, &cursor,
                                     UINT64_MAX)) > 0) {
        for (size_t at = 0; at < used; at += KEYRING_ROW_SIZE) {
            const uint64_t this_number = load_u64(out + at);
            const uint8_t *from = first_of(taken, this_number);

            INVARIANT(
                load_u64(out + at + 16) > index ||
                (load_u64(out + at + 16) == index && this_number > number));
            index = load_u64(out + at + 16);
            number = this_number;
            if (this_number == held_row.number) {
                INVARIANT(memcmp(out + at + 25, held_key, KEY_SIZE) == 0);
                held = true;
                continue;
            }
            INVARIANT(from != NULL &&
                      memcmp(from, out + at, KEYRING_ROW_SIZE) == 0);
        }
        INVARIANT(used % KEYRING_ROW_SIZE == 0);
    }
    INVARIANT(held);
}

/* How much of the rows was taken, up to the one that diverges. */
static size_t take_rows(struct keyring *keyring, struct slice rows,
                        uint8_t commit_after)
{
    struct slice rest = rows;
    struct keyring_row row;
    uint8_t key[KEY_SIZE];
    enum status status;
    size_t count = 0;

    while (count < FUZZ_ROWS_MAX &&
           keyring_rows_take(&row, key, &rest) == ST_OK) {
        status = keyring_accept(keyring, &row, key);
        INVARIANT(status == ST_OK || status == ST_DIVERGED);
        if (status != ST_OK)
            return count * KEYRING_ROW_SIZE;
        count++;
        if (count == commit_after)
            keyring_commit(keyring);
    }
    return count * KEYRING_ROW_SIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyring *keyring;
    struct slice rows;

    if (size < 1 || sodium_init() < 0)
        return 0;
    if (folder[0] == '\0') {
        quick_folder(folder, "fz-keyring");
        (void)atexit(end);
    }
    rows = slice_of(data + 1, size - 1);
    keyring = open_keyring();
    keyring_stage(keyring, &held_row, held_key);
    keyring_commit(keyring);
    rows.size = take_rows(keyring, rows, data[0]);
    keyring_commit(keyring);
    check_rows(keyring, rows);
    keyring_close(keyring);
    keyring = open_keyring();
    check_rows(keyring, rows);
    keyring_close(keyring);
    remove_files();
    return 0;
}
