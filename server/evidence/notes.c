#include "server/evidence/notes.h"
#include "replication/need.h"

#include <stdlib.h>
#include <string.h>

/* Base64 of the keyid and of the signature. */
enum {
    LINE_BLOB_SIZE_MAX =
        (NOTE_KEYID_SIZE + NOTE_SIGNATURE_SIZE_MAX + 2) / 3 * 4,
    LINE_SIZE_MAX = 4 + NOTE_NAME_SIZE_MAX + 1 + LINE_BLOB_SIZE_MAX + 1,
    LINES_MAX = 1 + TLOG_POLICY_WITNESSES_MAX + CONFIG_NODES_MAX
};
static_assert((int)LINES_MAX <= (int)NOTE_SIGNATURES_MAX &&
                  CHECKPOINT_TEXT_SIZE_MAX + 1 + LINES_MAX * LINE_SIZE_MAX <=
                      (int)EVIDENCE_NOTE_SIZE_MAX,
              "a note holds the lines of all whom a node knows");

void notes_init(struct notes *notes, const struct note_key *log_key,
                const struct tlog_policy *policy,
                const struct evidence_cosigners *cosigners)
{
    memset(notes, 0, sizeof *notes);
    notes->log_key = log_key;
    notes->policy = policy;
    notes->cosigners = *cosigners;
}

void notes_wipe(struct notes *notes)
{
    for (size_t i = 0; i < notes->kept_count; i++)
        notes_close(notes->kept[i]);
    for (size_t i = 0; i < notes->waiting_count; i++)
        notes_close(notes->waiting[i]);
    notes->kept_count = 0;
    notes->waiting_count = 0;
}

/* A line as it stands in the note, with its "\n". */
static struct slice raw_line(const struct note_signature *line)
{
    enum { DASH_SIZE = 4 };
    const uint8_t *begin = line->name.data - DASH_SIZE;
    const uint8_t *end = line->base64.data + line->base64.size + 1;

    return slice_of(begin, (size_t)(end - begin));
}

/* Whether ${key} made ${line}. */
static bool line_is_good(const struct note_signature *line, struct slice text,
                         const struct note_key *key)
{
    struct note alone = {.text = text, .signatures = {*line}, .count = 1};
    uint64_t time_s;

    return checkpoint_cosigned(&time_s, &alone, key) == ST_OK;
}

/* Whether somebody made ${line} whom this node knows. */
static bool line_verifies(const struct notes *notes, struct slice text,
                          const struct note_signature *line)
{
    const struct tlog_policy *policy = notes->policy;
    struct note_key key;

    for (size_t i = 0; policy != NULL && i < policy->witnesses_count; i++) {
        if (note_is_of(line, &policy->witnesses[i].key))
            return line_is_good(line, text, &policy->witnesses[i].key);
    }
    return notes->cosigners.find != NULL &&
           notes->cosigners.find(notes->cosigners.context, &key, line) &&
           line_is_good(line, text, &key);
}

/* The text and the log's line, then what else is good. */
static void read_lines(struct notes_note *kept, const struct notes *notes,
                       const struct note *note)
{
    const struct note_signature *end = note->signatures + note->count;
    const struct note_signature *own = note->signatures;
    struct writer writer;

    /* checkpoint_open() found one. */
    while (own < end && !note_is_of(own, notes->log_key))
        own++;
    INVARIANT(own < end);
    writer_init(&writer, kept->bytes, sizeof kept->bytes);
    writer_bytes(&writer, note->text.data, note->text.size);
    writer_u8(&writer, '\n');
    writer_bytes(&writer, raw_line(own).data, raw_line(own).size);
    INVARIANT(writer.status == ST_OK);
    kept->bytes_size = writer.used;
    for (const struct note_signature *line = note->signatures; line < end;
         line++) {
        enum status status = ST_OK;

        if (line_verifies(notes, note->text, line))
            status = notes_add_line(kept, notes, raw_line(line));
        MAYBE(status != ST_OK);
    }
}

enum status notes_read(struct notes_note **note_out, const struct notes *notes,
                       struct slice bytes)
{
    struct checkpoint checkpoint;
    struct notes_note *kept;
    struct note note;
    enum status status;

    if (bytes.size > EVIDENCE_NOTE_SIZE_MAX)
        return ST_TOO_LARGE;
    status = checkpoint_open(&checkpoint, &note, bytes, notes->log_key);
    if (status != ST_OK)
        return status;
    kept = calloc(1, sizeof *kept);
    NEED(kept != NULL);
    kept->size = checkpoint.size;
    memcpy(kept->root, checkpoint.root, HASH_SIZE);
    kept->text_size = note.text.size;
    read_lines(kept, notes, &note);
    kept->changed = true;
    *note_out = kept;
    return ST_OK;
}

void notes_close(struct notes_note *note)
{
    free(note);
}

/* ---- Ordered arrays ----------------------------------------------------- */

/* Where a note of ${size} stands or would stand. */
static size_t place_of(struct notes_note *const *array, size_t count,
                       uint64_t size)
{
    size_t place = 0;

    while (place < count && array[place]->size < size)
        place++;
    return place;
}

static struct notes_note *take_from(struct notes_note **array, size_t *count,
                                    size_t place)
{
    struct notes_note *note = array[place];

    (*count)--;
    memmove(array + place, array + place + 1,
            (*count - place) * sizeof array[0]);
    return note;
}

static void put_at(struct notes_note **array, size_t *count, size_t place,
                   struct notes_note *note)
{
    memmove(array + place + 1, array + place,
            (*count - place) * sizeof array[0]);
    array[place] = note;
    (*count)++;
}

/* ---- Notes that wait ---------------------------------------------------- */

void notes_wait(struct notes *notes, struct notes_note *note)
{
    size_t place = place_of(notes->waiting, notes->waiting_count, note->size);

    if (place < notes->waiting_count &&
        notes->waiting[place]->size == note->size)
        notes_close(take_from(notes->waiting, &notes->waiting_count, place));
    if (notes->waiting_count == NOTES_WAITING_MAX) {
        notes_close(take_from(notes->waiting, &notes->waiting_count,
                              NOTES_WAITING_MAX - 1));
        if (place > notes->waiting_count)
            place = notes->waiting_count;
    }
    put_at(notes->waiting, &notes->waiting_count, place, note);
}

struct notes_note *notes_take_waiting(struct notes *notes, uint64_t size)
{
    if (notes->waiting_count == 0 || notes->waiting[0]->size > size)
        return NULL;
    return take_from(notes->waiting, &notes->waiting_count, 0);
}

/* ---- Notes that are true ------------------------------------------------ */

struct notes_note *notes_newest(const struct notes *notes)
{
    return notes->kept_count == 0 ? NULL : notes->kept[notes->kept_count - 1];
}

struct notes_note *notes_of(const struct notes *notes, uint64_t size)
{
    size_t place = place_of(notes->kept, notes->kept_count, size);

    return place < notes->kept_count && notes->kept[place]->size == size
               ? notes->kept[place]
               : NULL;
}

/* Lines that do not fit are left out. */
static void notes_join(const struct notes *notes, struct notes_note *into,
                       const struct notes_note *from)
{
    struct note note;
    enum status status =
        note_read(&note, slice_of(from->bytes, from->bytes_size));

    INVARIANT(status == ST_OK);
    for (size_t i = 0; i < note.count; i++) {
        status = notes_add_line(into, notes, raw_line(&note.signatures[i]));
        MAYBE(status != ST_OK);
    }
}

bool notes_keep(struct notes *notes, struct notes_note *note)
{
    struct notes_note *there = notes_of(notes, note->size);
    size_t place = place_of(notes->kept, notes->kept_count, note->size);
    bool newest = place == notes->kept_count;

    if (there != NULL) {
        REQUIRE(memcmp(there->root, note->root, HASH_SIZE) == 0);
        notes_join(notes, there, note);
        there->own = there->own || note->own;
        notes_close(note);
        return false;
    }
    if (notes->kept_count == EVIDENCE_NOTES_KEPT) {
        if (place == 0) {
            notes_close(note);
            return false;
        }
        notes_close(take_from(notes->kept, &notes->kept_count, 0));
        place--;
    }
    put_at(notes->kept, &notes->kept_count, place, note);
    return newest;
}

static bool notes_has_line(const struct note *note,
                           const struct note_signature *line)
{
    for (size_t i = 0; i < note->count; i++) {
        if (slice_equal(note->signatures[i].name, line->name) &&
            memcmp(note->signatures[i].keyid, line->keyid, NOTE_KEYID_SIZE) ==
                0)
            return true;
    }
    return false;
}

/* Whether the last line may stand there: it is no witness's, or verifies. */
static enum status judge_line(const struct notes *notes, struct note *note)
{
    const struct tlog_policy *policy = notes->policy;

    /* Alone: those before it were judged. */
    note->signatures[0] = note->signatures[note->count - 1];
    note->count = 1;
    for (size_t i = 0; policy != NULL && i < policy->witnesses_count; i++) {
        const struct note_key *key = &policy->witnesses[i].key;
        uint64_t time_s;

        if (note_is_of(&note->signatures[0], key))
            return checkpoint_cosigned(&time_s, note, key);
    }
    return ST_OK;
}

enum status notes_add_line(struct notes_note *note, const struct notes *notes,
                           struct slice line)
{
    struct note before;
    struct note after;
    enum status status;

    if (line.size == 0)
        return ST_FILE_FORMAT;
    if (line.size > sizeof note->bytes - note->bytes_size)
        return ST_TOO_LARGE;
    if (memchr(line.data, '\n', line.size) !=
        (const void *)(line.data + line.size - 1))
        return ST_FILE_FORMAT; /* One line, neither more nor less. */
    status = note_read(&before, slice_of(note->bytes, note->bytes_size));
    INVARIANT(status == ST_OK);
    memcpy(note->bytes + note->bytes_size, line.data, line.size);
    status =
        note_read(&after, slice_of(note->bytes, note->bytes_size + line.size));
    if (status != ST_OK)
        return status;
    INVARIANT(after.count == before.count + 1);
    if (notes_has_line(&before, &after.signatures[before.count]))
        return ST_OK;
    status = judge_line(notes, &after);
    if (status != ST_OK)
        return status;
    note->bytes_size += line.size;
    note->changed = true;
    return ST_OK;
}

bool notes_satisfies(const struct notes *notes, const struct notes_note *note)
{
    struct tlog_policy_verdict verdict;
    struct checkpoint checkpoint;

    return notes->policy != NULL && notes->policy->quorum != TLOG_POLICY_NONE &&
           tlog_policy_judge(&verdict, &checkpoint, notes->policy,
                             slice_of(note->bytes, note->bytes_size)) ==
               ST_OK &&
           verdict.satisfied;
}
