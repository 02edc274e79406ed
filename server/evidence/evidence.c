#include "server/evidence/evidence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replication/need.h"
#include "server/evidence/checkpoint_files.h"
#include "server/evidence/evidence_private.h"

enum {
    EVIDENCE_TICK_MS = 100,
    EVIDENCE_MEND_MS = 10000,     /* Between two attempts. */
    EVIDENCE_BUILD_SAID = 100000, /* Entries whose reading people notice. */
    EVIDENCE_TURN_ENTRIES = 16384,
    EVIDENCE_LINE_SIZE = 256
};

/* ---- Words -------------------------------------------------------------- */

const char *evidence_idle_text(enum evidence_idle idle)
{
    switch (idle) {
    case EVIDENCE_SIGNS:
        return "signs";
    case EVIDENCE_FOLLOWS:
        return "follows";
    case EVIDENCE_NO_KEY:
        return "no log key here";
    case EVIDENCE_BEHIND:
        return "behind what was signed";
    case EVIDENCE_CONTRADICTS:
        return "contradicts what was signed";
    case EVIDENCE_DISK:
        return "its state cannot be read or written";
    }
    return "?";
}

void evidence_say(const struct evidence *evidence, enum evidence_level level,
                  const char *format, ...)
{
    const struct evidence_events *events = &evidence->parts.events;
    char line[EVIDENCE_LINE_SIZE];
    va_list arguments;

    if (events->say == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    events->say(events->context, level, line);
}

void evidence_short(char out[EVIDENCE_SHORT_SIZE],
                    const uint8_t hash[HASH_SIZE])
{
    for (size_t i = 0; i < (EVIDENCE_SHORT_SIZE - 1) / 2; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

int64_t evidence_boot_ms(const struct evidence *evidence)
{
    return evidence->parts.boot_us(evidence->parts.clock_context) / 1000;
}

int64_t evidence_wall_s(const struct evidence *evidence)
{
    return evidence->parts.wall_us(evidence->parts.clock_context) / 1000000;
}

/* ---- Opening ------------------------------------------------------------ */

static void open_locks(struct evidence *evidence)
{
    pthread_condattr_t attributes;

    NEED(pthread_mutex_init(&evidence->state_lock, NULL) == 0);
    NEED(pthread_mutex_init(&evidence->lock, NULL) == 0);
    NEED(pthread_condattr_init(&attributes) == 0);
    NEED(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    NEED(pthread_cond_init(&evidence->changed, &attributes) == 0);
    (void)pthread_condattr_destroy(&attributes);
}

/* A node goes on without it, and signs nothing. */
static void open_state(struct evidence *evidence)
{
    enum status status = evidence_state_open(
        &evidence->state, evidence->parts.disk, evidence->parts.origin);

    evidence->has_state = status == ST_OK;
    if (status != ST_OK)
        evidence_say(evidence, EVIDENCE_FAILURE,
                     "the file " EVIDENCE_STATE_FILE
                     " cannot be used (%s): nothing is signed",
                     status_info(status)->english);
    else if (evidence->state.value.contradicted)
        evidence_say(evidence, EVIDENCE_FAILURE,
                     "this log was not the one that was signed here: nothing "
                     "is signed");
}

/* Where the tree files can begin: the largest size that is known. */
static struct tree_anchor open_anchor(const struct evidence *evidence,
                                      uint64_t applied)
{
    const struct evidence_value *value = &evidence->state.value;
    const struct evidence_head *const heads[] = {
        &value->signed_here, &value->witnessed, &value->cosigned, &value->seen};
    struct tree_anchor anchor = {.size = 0};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        if (heads[i]->size <= anchor.size || heads[i]->size > applied)
            continue;
        anchor.size = heads[i]->size;
        memcpy(anchor.root, heads[i]->root, HASH_SIZE);
    }
    return anchor;
}

/* A note of before; it is compared with the log like one that comes in. */
static void open_note(struct evidence *evidence, const char *name)
{
    uint8_t *bytes = malloc(EVIDENCE_NOTE_SIZE_MAX);
    struct notes_note *note;
    size_t size;
    enum status status;

    NEED(bytes != NULL);
    status = checkpoint_file_read(bytes, &size, evidence->parts.disk, name);
    if (status == ST_OK)
        status = notes_read(&note, &evidence->notes, slice_of(bytes, size));
    free(bytes);
    if (status == ST_OK) {
        note->own = note->size == evidence->state.value.signed_here.size;
        note->time_s = note->own ? evidence->state.value.signed_here.time_s
                                 : evidence_wall_s(evidence);
        notes_wait(&evidence->notes, note);
    } else if (status != ST_NO_FILE) {
        evidence_say(evidence, EVIDENCE_WARNING,
                     "the file %s is passed over: %s", name,
                     status_info(status)->english);
    }
}

/* Evidence of before: it is never written over. */
static void open_foreign(struct evidence *evidence)
{
    struct disk_file *file;
    enum status status =
        disk_open(evidence->parts.disk, &file, FILE_CHECKPOINT_CONTRADICTS);

    if (status == ST_OK)
        disk_close(file);
    evidence->has_foreign = status != ST_NO_FILE;
    if (evidence->has_foreign)
        evidence_say(evidence, EVIDENCE_FAILURE,
                     "the file " FILE_CHECKPOINT_CONTRADICTS
                     " is here: the log's key signed another log than this "
                     "one; see OPERATING, Two logs of one key");
}

enum status evidence_open(struct evidence **evidence_out,
                          const struct evidence_parts *parts,
                          uint64_t applied_size)
{
    struct evidence *evidence = calloc(1, sizeof *evidence);
    struct tree_anchor anchor;
    bool anchored;
    enum status status;

    NEED(evidence != NULL);
    evidence->parts = *parts;
    evidence->scratch = calloc(1, sizeof *evidence->scratch);
    NEED(evidence->scratch != NULL);
    evidence->signed_ms = INT64_MIN / 2;
    evidence->mended_ms = INT64_MIN / 2;
    evidence->idle = EVIDENCE_FOLLOWS;
    atomic_store(&evidence->applied, applied_size);
    open_locks(evidence);
    note_key_init(&evidence->log_key,
                  slice_of(parts->origin, strlen(parts->origin)), NOTE_ED25519,
                  parts->log_public_key);
    notes_init(&evidence->notes, &evidence->log_key, parts->policy,
               &parts->cosigners);
    open_state(evidence);
    open_foreign(evidence);
    anchor = open_anchor(evidence, applied_size);
    status = tree_files_open(&evidence->tree, &anchored, parts->disk,
                             parts->journal, &anchor);
    if (status != ST_OK)
        goto fail;
    if (!anchored && anchor.size > 0)
        evidence_say(evidence, EVIDENCE_WARNING,
                     "the tree files do not lead to the root of %" PRIu64
                     " entries: they are made anew from the log",
                     anchor.size);
    evidence->building =
        applied_size - tree_files_size(evidence->tree) > EVIDENCE_BUILD_SAID;
    open_note(evidence, FILE_CHECKPOINT_WITNESSED);
    open_note(evidence, FILE_CHECKPOINT);
    *evidence_out = evidence;
    return ST_OK;
fail:
    evidence_close(evidence);
    ENSURE(status != ST_OK);
    return status;
}

void evidence_set_events(struct evidence *evidence,
                         const struct evidence_events *events)
{
    REQUIRE(!evidence->started);
    evidence->parts.events = *events;
}

void evidence_close(struct evidence *evidence)
{
    if (evidence == NULL)
        return;
    REQUIRE(!evidence->started);
    notes_wipe(&evidence->notes);
    notes_close(evidence->witnessed);
    free(evidence->scratch);
    tree_files_close(evidence->tree);
    evidence_state_close(&evidence->state);
    (void)pthread_cond_destroy(&evidence->changed);
    (void)pthread_mutex_destroy(&evidence->lock);
    (void)pthread_mutex_destroy(&evidence->state_lock);
    free(evidence);
}

/* ---- What the pipeline tells -------------------------------------------- */

static void leaves_offer(struct evidence *evidence)
{
    struct evidence_leaves *leaves = &evidence->leaves;

    if (leaves->count > 0)
        tree_files_offer(evidence->tree, leaves->first,
                         (const uint8_t(*)[HASH_SIZE])leaves->hashes,
                         leaves->count);
    leaves->first += leaves->count;
    leaves->count = 0;
}

void evidence_applied(struct evidence *evidence, uint64_t index,
                      const uint8_t leaf[HASH_SIZE])
{
    struct evidence_leaves *leaves = &evidence->leaves;

    if (leaves->count == TREE_FILES_OFFER_MAX ||
        index != leaves->first + leaves->count) {
        leaves_offer(evidence);
        leaves->first = index;
    }
    memcpy(leaves->hashes[leaves->count++], leaf, HASH_SIZE);
}

void evidence_publish(struct evidence *evidence)
{
    leaves_offer(evidence);
    /* What was not taken is read from the log. */
    if (evidence->leaves.first > atomic_load(&evidence->applied))
        atomic_store(&evidence->applied, evidence->leaves.first);
}

void evidence_lead(struct evidence *evidence, uint64_t size)
{
    (void)pthread_mutex_lock(&evidence->lock);
    evidence->leads = true;
    evidence->lead_size = size;
    (void)pthread_mutex_unlock(&evidence->lock);
}

void evidence_follow(struct evidence *evidence)
{
    (void)pthread_mutex_lock(&evidence->lock);
    evidence->leads = false;
    (void)pthread_mutex_unlock(&evidence->lock);
}

/* ---- The thread --------------------------------------------------------- */

/* Entries that the apply thread could not give. */
static void turn_catch_up(struct evidence *evidence)
{
    enum status status = tree_files_catch_up(
        evidence->tree, evidence->parts.journal,
        atomic_load(&evidence->applied), EVIDENCE_TURN_ENTRIES);

    if (status != ST_OK && status != evidence->unreadable)
        evidence_say(evidence, EVIDENCE_WARNING,
                     "entry %" PRIu64 " cannot be read for the tree now: %s",
                     tree_files_size(evidence->tree),
                     status_info(status)->english);
    evidence->unreadable = status;
    if (evidence->building &&
        tree_files_size(evidence->tree) == atomic_load(&evidence->applied)) {
        evidence->building = false;
        evidence_say(evidence, EVIDENCE_NOTE,
                     "the tree has %" PRIu64 " entries",
                     tree_files_size(evidence->tree));
    }
}

static void turn_mend(struct evidence *evidence)
{
    int64_t now_ms = evidence_boot_ms(evidence);
    enum status status;

    if (!tree_files_damaged(evidence->tree) ||
        now_ms - evidence->mended_ms < EVIDENCE_MEND_MS)
        return;
    evidence->mended_ms = now_ms;
    evidence_say(evidence, EVIDENCE_WARNING,
                 "the tree files are damaged: they are written anew");
    status = tree_files_mend(evidence->tree, evidence->parts.journal);
    if (status == ST_OK)
        evidence_say(evidence, EVIDENCE_NOTE, "the tree files are whole again");
    else
        evidence_say(evidence, EVIDENCE_FAILURE,
                     "the tree files could not be written anew: %s",
                     status_info(status)->english);
}

static bool turn_is_behind(const struct evidence *evidence)
{
    return evidence->unreadable == ST_OK &&
           tree_files_size(evidence->tree) < atomic_load(&evidence->applied);
}

uint32_t evidence_turn(struct evidence *evidence)
{
    turn_catch_up(evidence);
    turn_mend(evidence);
    evidence_agree(evidence);
    evidence_compare(evidence);
    evidence_sign(evidence, false);
    evidence_settle(evidence);
    evidence_anchor(evidence, false);
    return turn_is_behind(evidence) ? 0 : EVIDENCE_TICK_MS;
}

static void turn_wait(struct evidence *evidence, uint32_t wait_ms)
{
    enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)wait_ms * NS_PER_MS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    (void)pthread_mutex_lock(&evidence->lock);
    if (!evidence->poked && !evidence->stopping && wait_ms > 0)
        (void)pthread_cond_timedwait(&evidence->changed, &evidence->lock,
                                     &until);
    evidence->poked = false;
    (void)pthread_mutex_unlock(&evidence->lock);
}

static void *evidence_main(void *argument)
{
    struct evidence *evidence = argument;
    bool stopping = false;

    while (!stopping) {
        turn_wait(evidence, evidence_turn(evidence));
        (void)pthread_mutex_lock(&evidence->lock);
        stopping = evidence->stopping;
        (void)pthread_mutex_unlock(&evidence->lock);
    }
    return NULL;
}

enum status evidence_start(struct evidence *evidence)
{
    REQUIRE(!evidence->started);
    evidence->started =
        pthread_create(&evidence->thread, NULL, evidence_main, evidence) == 0;
    return evidence->started ? ST_OK : ST_EXHAUSTED;
}

void evidence_stop(struct evidence *evidence)
{
    if (evidence->started) {
        (void)pthread_mutex_lock(&evidence->lock);
        evidence->stopping = true;
        (void)pthread_cond_signal(&evidence->changed);
        (void)pthread_mutex_unlock(&evidence->lock);
        (void)pthread_join(evidence->thread, NULL);
        evidence->started = false;
    }
    turn_catch_up(evidence);
    evidence_agree(evidence);
    evidence_compare(evidence);
    evidence_sign(evidence, true);
    evidence_settle(evidence);
    evidence_anchor(evidence, true);
}
