#include "server/evidence/notes.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/lines.h"

void notes_init(struct notes *notes)
{
    memset(notes, 0, sizeof *notes);
}

void notes_wipe(struct notes *notes)
{
    for (size_t i = 0; i < notes->kept_count; i++)
        notes_close(notes->kept[i]);
    for (size_t i = 0; i < notes->waiting_count; i++)
        notes_close(notes->waiting[i]);
    notes_init(notes);
}

enum status notes_read(struct notes_note **note_out, struct slice bytes,
                       const struct note_key *log_key)
{
    struct checkpoint checkpoint;
    struct notes_note *kept;
    struct note note;
    enum status status;

    if (bytes.size > EVIDENCE_NOTE_SIZE_MAX)
        return ST_TOO_LARGE;
    status = checkpoint_open(&checkpoint, &note, bytes, log_key);
    if (status != ST_OK)
        return status;
    kept = calloc(1, sizeof *kept);
    INVARIANT(kept != NULL);
    kept->size = checkpoint.size;
    memcpy(kept->root, checkpoint.root, HASH_SIZE);
    kept->text_size = note.text.size;
    kept->bytes_size = bytes.size;
    memcpy(kept->bytes, bytes.data, bytes.size);
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
static void notes_join(struct notes_note *into, const struct notes_note *from)
{
    struct slice rest = slice_of(from->bytes + from->text_size + 1,
                                 from->bytes_size - from->text_size - 1);
    struct slice line;

    while (lines_next(&line, &rest) == ST_OK) {
        enum status status =
            notes_add_line(into, slice_of(line.data, line.size + 1));

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
        notes_join(there, note);
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

enum status notes_add_line(struct notes_note *note, struct slice line)
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
    note->bytes_size += line.size;
    note->changed = true;
    return ST_OK;
}
