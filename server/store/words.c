#include "server/store/words.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/store/fold.h"
#include "server/store/statements.h"

enum { CAPACITY_MIN = 1024 };

static void *need(void *memory)
{
    if (memory == NULL)
        statements_failed(NULL, "the search index");
    return memory;
}

static void table_init(struct words_table *table, bool by_beginning)
{
    table->capacity = CAPACITY_MIN;
    table->count = 0;
    table->by_beginning = by_beginning;
    table->slots = need(calloc(table->capacity, sizeof *table->slots));
}

void words_init(struct words *words)
{
    memset(words, 0, sizeof *words);
    words->list_count = 1;
    words->list_capacity = CAPACITY_MIN;
    words->list = need(calloc(words->list_capacity, sizeof *words->list));
    table_init(&words->whole, false);
    table_init(&words->beginnings, true);
    randombytes_buf(words->hash_key, sizeof words->hash_key);
}

void words_wipe(struct words *words)
{
    for (uint32_t i = 1; i < words->list_count; i++) {
        free(words->list[i].text);
        postings_wipe(&words->list[i].postings);
    }
    free(words->list);
    free(words->whole.slots);
    free(words->beginnings.slots);
    memset(words, 0, sizeof *words);
}

/* Bytes of the first points, or nothing if the word is shorter than that. */
static struct slice beginning_of(struct slice word)
{
    size_t size = 0;
    unsigned points = 0;

    while (size < word.size && points < FIND_PREFIX_POINTS_MIN) {
        size++;
        while (size < word.size && (word.data[size] & 0xc0) == 0x80)
            size++;
        points++;
    }
    return points < FIND_PREFIX_POINTS_MIN ? slice_of(NULL, 0)
                                           : slice_of(word.data, size);
}

static struct slice text_of(const struct words *words, uint32_t number)
{
    return slice_of(words->list[number].text, words->list[number].size);
}

static struct slice key_of(const struct words *words,
                           const struct words_table *table, uint32_t number)
{
    struct slice text = text_of(words, number);

    return table->by_beginning ? beginning_of(text) : text;
}

static size_t home_of(const struct words *words,
                      const struct words_table *table, struct slice key)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, key.data, key.size, words->hash_key);
    return hash & (table->capacity - 1);
}

/* The slot of the key, or the empty one where it would stand. */
static size_t slot_of(const struct words *words,
                      const struct words_table *table, struct slice key)
{
    size_t at = home_of(words, table, key);

    while (table->slots[at] != WORDS_NONE &&
           !slice_equal(key_of(words, table, table->slots[at]), key))
        at = (at + 1) & (table->capacity - 1);
    return at;
}

static void grow_table(const struct words *words, struct words_table *table)
{
    struct words_table larger = *table;

    larger.capacity = 2 * table->capacity;
    larger.slots = need(calloc(larger.capacity, sizeof *larger.slots));
    for (size_t i = 0; i < table->capacity; i++) {
        uint32_t number = table->slots[i];
        if (number != WORDS_NONE)
            larger
                .slots[slot_of(words, &larger, key_of(words, table, number))] =
                number;
    }
    free(table->slots);
    *table = larger;
}

/* Requires: the key of ${number} has an empty slot. */
static void table_put(const struct words *words, struct words_table *table,
                      uint32_t number)
{
    if (table->count >= table->capacity / 4 * 3)
        grow_table(words, table);
    table->slots[slot_of(words, table, key_of(words, table, number))] = number;
    table->count++;
}

/* Whatever probed past the hole moves back into it. */
static void table_empty(const struct words *words, struct words_table *table,
                        size_t hole)
{
    const size_t mask = table->capacity - 1;

    for (size_t at = (hole + 1) & mask; table->slots[at] != WORDS_NONE;
         at = (at + 1) & mask) {
        size_t home =
            home_of(words, table, key_of(words, table, table->slots[at]));
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        table->slots[hole] = table->slots[at];
        hole = at;
    }
    table->slots[hole] = WORDS_NONE;
    table->count--;
}

uint32_t words_find(const struct words *words, struct slice word)
{
    return words->whole.slots[slot_of(words, &words->whole, word)];
}

uint32_t words_chain(const struct words *words, struct slice beginning)
{
    struct slice key = beginning_of(beginning);

    REQUIRE(key.size > 0);
    return words->beginnings.slots[slot_of(words, &words->beginnings, key)];
}

bool words_begins(const struct words *words, uint32_t number,
                  struct slice beginning)
{
    const struct words_word *word = &words->list[number];

    return word->size >= beginning.size &&
           memcmp(word->text, beginning.data, beginning.size) == 0;
}

static uint32_t new_number(struct words *words)
{
    uint32_t number = words->free;

    if (number != WORDS_NONE) {
        words->free = words->list[number].next;
        return number;
    }
    if (words->list_count == words->list_capacity) {
        words->list_capacity *= 2;
        words->list = need(
            realloc(words->list, words->list_capacity * sizeof *words->list));
    }
    return words->list_count++;
}

/* Put a word at the head of its chain. */
static void chain(struct words *words, uint32_t number)
{
    struct words_table *table = &words->beginnings;
    struct slice key = beginning_of(text_of(words, number));
    size_t slot;

    if (key.size == 0)
        return;
    slot = slot_of(words, table, key);
    words->list[number].next = table->slots[slot];
    if (table->slots[slot] == WORDS_NONE)
        table_put(words, table, number);
    else
        table->slots[slot] = number;
}

static void unchain(struct words *words, uint32_t number)
{
    struct words_table *table = &words->beginnings;
    struct slice key = beginning_of(text_of(words, number));
    uint32_t next = words->list[number].next;
    size_t slot;
    uint32_t at;

    if (key.size == 0)
        return;
    slot = slot_of(words, table, key);
    at = table->slots[slot];
    INVARIANT(at != WORDS_NONE);
    if (at != number) {
        while (words->list[at].next != number)
            at = words->list[at].next;
        words->list[at].next = next;
    } else if (next != WORDS_NONE) {
        table->slots[slot] = next;
    } else {
        table_empty(words, table, slot);
    }
}

uint32_t words_add(struct words *words, struct slice word)
{
    uint32_t number = words_find(words, word);
    struct words_word *made;

    REQUIRE(word.size > 0 && word.size <= UINT32_MAX);
    if (number != WORDS_NONE)
        return number;
    number = new_number(words);
    made = &words->list[number];
    memset(made, 0, sizeof *made);
    made->text = need(malloc(word.size));
    memcpy(made->text, word.data, word.size);
    made->size = (uint32_t)word.size;
    table_put(words, &words->whole, number);
    chain(words, number);
    return number;
}

void words_remove(struct words *words, uint32_t number)
{
    struct words_word *word = &words->list[number];

    REQUIRE(number != WORDS_NONE && word->postings.count == 0);
    unchain(words, number);
    table_empty(words, &words->whole,
                slot_of(words, &words->whole, text_of(words, number)));
    postings_wipe(&word->postings);
    /* A name of somebody whose data were destroyed, perhaps. */
    sodium_memzero(word->text, word->size);
    free(word->text);
    memset(word, 0, sizeof *word);
    word->next = words->free;
    words->free = number;
}
