/*
 * words.h: the words of the search index, found whole or by their beginning.
 */
#ifndef DEFTER_SERVER_STORE_WORDS_H
#define DEFTER_SERVER_STORE_WORDS_H

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "server/store/postings.h"

enum { WORDS_NONE = 0 }; /* No word has this number. */

/* A folded word and who has it.  ${next}: the next word with the same first
 * FIND_PREFIX_POINTS_MIN code points; of a free number: the next free one. */
struct words_word {
    uint8_t *text;
    uint32_t size;
    uint32_t next;
    struct postings postings;
};

/*
 * Open addressing with linear probing; a slot holds a word's number.
 * Invariants: capacity is a power of two; count <= 3/4 capacity.
 */
struct words_table {
    uint32_t *slots;
    size_t capacity;
    size_t count;
    bool by_beginning; /* Keyed by the first points; else by the whole word. */
};

struct words {
    struct words_word *list; /* Number 0 is not used. */
    uint32_t list_count;
    uint32_t list_capacity;
    uint32_t free;
    struct words_table whole;
    struct words_table beginnings; /* First word of each chain. */
    uint8_t hash_key[16];
};

/* Aborts when memory runs out, here and below. */
void words_init(struct words *words);
void words_wipe(struct words *words);

/* Number of a word, or WORDS_NONE. */
uint32_t words_find(const struct words *words, struct slice word);

/* The same, adding it where it is new. */
uint32_t words_add(struct words *words, struct slice word);

/* Requires: its postings are empty.  The number may be given again. */
void words_remove(struct words *words, uint32_t number);

/*
 * The first word that may begin with ${beginning}: walk its chain by ->next and
 * compare with words_begins.  WORDS_NONE if there is none.
 *
 * Requires: ${beginning} has FIND_PREFIX_POINTS_MIN code points or more.
 */
uint32_t words_chain(const struct words *words, struct slice beginning);

bool words_begins(const struct words *words, uint32_t number,
                  struct slice beginning);

#endif
