#include <inttypes.h>
#include <stdlib.h>

#include "replication/halt.h"
#include "replication/need.h"
#include "server/diag.h"
#include "server/node_private.h"

/* What halted it, as far as the file says. */
static void resume_say(struct disk *disk)
{
    uint8_t *bytes = malloc(HALT_SIZE_MAX + 1);
    struct halt_note note;

    NEED(bytes != NULL);
    if (halt_load(&note, bytes, disk) == ST_OK)
        diag_say(DIAG_NOTE,
                 "this node halted %" PRId64
                 " s after 1970, because %s (number %" PRIu64 ", %zu bytes of "
                 "evidence)",
                 note.time_us / 1000000, halt_text(note.cause), note.index,
                 note.evidence.size);
    else
        diag_say(DIAG_NOTE, "this node halted; the file is damaged");
    free(bytes);
}

static enum node_exit resume_clear(struct disk *disk, const char *directory)
{
    char name[DISK_NAME_SIZE_MAX];
    uint32_t cause;
    enum status status = halt_cause(&cause, disk);

    if (status == ST_OK && cause == HALT_NONE)
        return node_fail(ST_NO_FILE, "this node is not halted", directory);
    if (status == ST_OK) {
        resume_say(disk);
        status = halt_clear(disk, name);
    }
    if (status != ST_OK)
        return node_fail(status, "resuming", directory);
    diag_say(DIAG_WARNING,
             "its halt is taken away by hand, and kept in %s: the next start "
             "goes on with what it holds",
             name);
    return NODE_DRAINED;
}

enum node_exit node_resume(const struct options *options)
{
    enum node_exit exit;
    struct disk_posix *posix;

    exit = node_take(&posix, options->directory);
    if (exit != NODE_DRAINED)
        return exit;
    exit = resume_clear(disk_posix_disk(posix), options->directory);
    disk_posix_close(posix);
    return exit;
}
