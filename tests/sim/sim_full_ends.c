/*
 * sim_full_ends.c: where a node's process would end, one node ends; and what
 * else of the server's surroundings stands here: diagnostics, the keyring's
 * file, chance.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/diag.h"
#include "server/files.h"
#include "server/store/keyring_private.h"
#include "server/store/statements.h"
#include "tests/sim/sim_full_parts.h"

/* The innermost call of a node. */
struct attempt {
    struct attempt *outer;
    struct sim_full_node *full;
    uint64_t failures; /* Of SQLite's disks, when it began. */
    jmp_buf back;
};
static struct attempt *innermost;

bool sim_full_try(struct sim_full_node *full,
                  void (*call)(struct sim_full_node *full, void *context),
                  void *context)
{
    struct attempt attempt = {
        .outer = innermost, .full = full, .failures = sim_full_vfs_failures()};

    /* What it held when it ended it holds for ever. */
    if (full->ended)
        return false;
    innermost = &attempt;
    if (setjmp(attempt.back) != 0) {
        innermost = attempt.outer;
        full->ended = true;
        return false;
    }
    call(full, context);
    innermost = attempt.outer;
    return true;
}

__attribute__((noreturn)) static void attempt_fails(void)
{
    longjmp(innermost->back, 1);
}

/* A process that SQLite fails aborts; that has a cause on its disk. */
void statements_failed(sqlite3 *db, const char *what)
{
    const char *why = db == NULL ? "no memory" : sqlite3_errmsg(db);
    struct sim_full_node *full;

    if (innermost == NULL) {
        (void)fprintf(stderr, "database: %s: %s\n", what, why);
        abort();
    }
    full = innermost->full;
    sim_trace(full->sim, "%u ends: %.40s: %s", full->node->number, what, why);
    if (innermost->failures == sim_full_vfs_failures())
        sim_fail(full->sim, SIM_WRONG, "%u: SQLite fails by itself: %.60s: %s",
                 full->node->number, what, why);
    attempt_fails();
}

/* parts.failed of the pipeline. */
void sim_full_failed(void *context, enum status status, uint64_t index,
                     const char *what)
{
    struct sim_full_node *full = context;

    sim_trace(full->sim, "%u ends at entry %u: %s: %d", full->node->number,
              (unsigned)index, what, (int)status);
    if (status == ST_DIVERGED)
        sim_fail(full->sim, SIM_WRONG, "I14: %u diverges at entry %u",
                 full->node->number, (unsigned)index);
    else if (status != ST_DISK_FAILED && status != ST_CHECKSUM)
        sim_fail(full->sim, SIM_WRONG, "%u ends at entry %u, %s: %d",
                 full->node->number, (unsigned)index, what, (int)status);
    REQUIRE(innermost != NULL);
    attempt_fails();
}

/* ---- Diagnostics -------------------------------------------------------- */

void diag_say(enum diag_level level, const char *format, ...)
{
    char line[DIAG_LINE_SIZE_MAX];
    va_list list;

    (void)level;
    va_start(list, format);
    (void)vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (innermost != NULL)
        sim_trace(innermost->full->sim, "%u says: %s",
                  innermost->full->node->number, line);
}

void node_failed(void *context, enum status status, uint64_t index,
                 const char *what)
{
    (void)context;
    diag_say(DIAG_FAILURE, "%s at entry %" PRIu64 ": %d", what, index,
             (int)status);
    abort();
}

enum status files_why(enum status status, const char *directory,
                      const char *name)
{
    (void)directory;
    (void)name;
    return status;
}

enum node_exit node_fail(enum status status, const char *what,
                         const char *where)
{
    diag_say(DIAG_FAILURE, "%s: %s: %d", where, what, (int)status);
    return NODE_REFUSED;
}

bool files_path(char out[FILES_PATH_SIZE_MAX], const char *directory,
                const char *name)
{
    int size = snprintf(out, FILES_PATH_SIZE_MAX, "%s/%s", directory, name);

    return size > 0 && size < FILES_PATH_SIZE_MAX;
}

/* SQLite makes it. */
enum status keyring_file_create(const char *path)
{
    (void)path;
    return ST_OK;
}

/* ---- Chance ------------------------------------------------------------- */

static struct sim *chance_of;

static const char *chance_name(void)
{
    return "simulated";
}

static uint32_t chance_word(void)
{
    return (uint32_t)random_next(&chance_of->full->bytes);
}

static void chance_bytes(void *const out, const size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)random_next(&chance_of->full->bytes);
}

static struct randombytes_implementation chance = {
    .implementation_name = chance_name,
    .random = chance_word,
    .buf = chance_bytes,
};

void sim_full_chance(struct sim *sim)
{
    int code = 0;

    if (sim != NULL && chance_of == NULL)
        code = randombytes_set_implementation(&chance);
    INVARIANT(code == 0);
    if (sim != NULL)
        chance_of = sim;
}
