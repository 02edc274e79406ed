/*
 * log_list NAME DIRECTORY: a node's log as lines for history_check.
 *
 *     log NAME
 *     entry INDEX EPOCH ID LEAF
 *
 * ID: the signer's key number and the command's own number.  Exit codes: 0;
 * 1 the log ends in something else than zeros, or an entry does not follow the
 * one before, after the good entries were listed; 3 there is no log.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/audit/walk.h"
#include "protocol/entry.h"

struct listing {
    uint64_t next;
    uint8_t previous[HASH_SIZE];
};

static void print_hex(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
}

/* What is wrong with the entry, or NULL and its line is printed. */
static const char *list(struct listing *listing, struct slice frame)
{
    struct slice bytes;
    struct entry entry;

    if (segment_frame_decode(&bytes, frame) != ST_OK)
        return "a frame's checksum does not match";
    if (entry_decode(&entry, bytes) != ST_OK)
        return "an entry is not well formed";
    if (entry.place.index != listing->next ||
        memcmp(entry.place.previous, listing->previous, HASH_SIZE) != 0)
        return "an entry does not follow the one before";
    entry_leaf_hash(listing->previous, bytes);
    printf("entry %" PRIu64 " %u ", listing->next++, entry.place.epoch);
    print_hex(entry.header.key_id, KEY_ID_SIZE);
    print_hex(entry.header.idem, IDEM_SIZE);
    putchar(' ');
    print_hex(listing->previous, HASH_SIZE);
    putchar('\n');
    return NULL;
}

static const char *list_all(struct walk *walk, struct listing *listing)
{
    struct walk_batch batch;
    const char *why = NULL;

    if (walk_batch_open(&batch, walk) != ST_OK)
        return "no memory";
    do {
        walk_next(walk, &batch);
        for (size_t i = 0; why == NULL && i < batch.frames_count; i++)
            why = list(listing, batch.frames[i].bytes);
    } while (why == NULL && batch.stop == WALK_MORE);
    if (why == NULL && batch.stop != WALK_DONE)
        why = "no more entries can be read";
    walk_batch_close(&batch);
    return why;
}

int main(int argc, char **argv)
{
    struct listing listing = {0};
    struct walk *walk;
    const char *why;

    if (argc != 3) {
        fputs("usage: log_list NAME DIRECTORY\n", stderr);
        return 3;
    }
    if (walk_open(&walk, argv[2]) != ST_OK) {
        fprintf(stderr, "log_list: %s: there is no log\n", argv[2]);
        return 3;
    }
    printf("log %s\n", argv[1]);
    why = list_all(walk, &listing);
    walk_close(walk);
    if (why != NULL)
        fprintf(stderr, "log_list: %s: behind entry %" PRIu64 ": %s\n", argv[2],
                listing.next, why);
    return fflush(stdout) == 0 && why == NULL ? 0 : 1;
}
