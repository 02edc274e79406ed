/*
 * evidence_private.h: what the files evidence*.c share.
 */
#ifndef DEFTER_SERVER_EVIDENCE_EVIDENCE_PRIVATE_H
#define DEFTER_SERVER_EVIDENCE_EVIDENCE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/evidence/evidence.h"
#include "server/evidence/evidence_state.h"
#include "server/evidence/notes.h"
#include "server/evidence/signer.h"
#include "server/evidence/tree_files.h"

/* Leaf hashes on their way from the apply thread, which alone uses it. */
struct evidence_leaves {
    uint64_t first;
    size_t count;
    uint8_t hashes[TREE_FILES_OFFER_MAX][HASH_SIZE];
};

struct evidence {
    struct evidence_parts parts;
    struct note_key log_key;
    struct tree_files *tree;
    struct evidence_leaves leaves;
    atomic_uint_fast64_t applied; /* Entries of the log. */

    /* Guards the state, and is held while it is made durable: never taken by
     * the apply thread or an I/O loop. */
    pthread_mutex_t state_lock;
    struct evidence_state state;
    bool has_state; /* It could be read, and every write succeeded. */
    bool agrees;    /* The log is that of which the state speaks. */

    /* Guards what follows; held for moments only.  Taken last. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct notes notes;
    struct notes_note *witnessed; /* The newest; a copy. */
    bool leads;
    uint64_t lead_size;
    bool has_foreign; /* A note of another log is kept. */
    enum evidence_idle idle;
    bool poked; /* There is something to look at. */
    bool stopping;

    /* The evidence thread's. */
    pthread_t thread;
    bool started;
    bool building; /* The tree is being made from the log. */
    int64_t signed_ms;
    int64_t mended_ms;
    enum status unreadable;     /* Said of the log. */
    struct notes_note *scratch; /* Lent to events. */
};

int64_t evidence_boot_ms(const struct evidence *evidence);
int64_t evidence_wall_s(const struct evidence *evidence);

__attribute__((format(printf, 3, 4))) void evidence_say(
    const struct evidence *evidence, enum evidence_level level,
    const char *format, ...);

/* With the state's lock held: a write failed, and nobody knows what the file
 * says now. */
void evidence_lose_state(struct evidence *evidence, enum status status);

/* For people: the first bytes of a hash. */
enum { EVIDENCE_SHORT_SIZE = 17 };
void evidence_short(char out[EVIDENCE_SHORT_SIZE],
                    const uint8_t hash[HASH_SIZE]);

/* ---- The evidence thread (evidence_sign.c) ------------------------------ */

/* Compare the log with the state, once it has come so far. */
void evidence_agree(struct evidence *evidence);
/* Notes that the log has reached. */
void evidence_compare(struct evidence *evidence);
/* What is new, if this node may; ${now}: whenever it was signed last. */
void evidence_sign(struct evidence *evidence, bool now);
/* Notes that changed: judged by the policy, and written. */
void evidence_settle(struct evidence *evidence);
/* Note durably how far the tree files may be believed; ${now}: even if it is
 * not far from where it was. */
void evidence_anchor(struct evidence *evidence, bool now);

#endif
