#include "server/store/search.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/store/fold.h"
#include "server/store/statements.h"
#include "server/store/words.h"

enum { CAPACITY_MIN = 1024 };

/* What a subject's slot holds: its words' numbers, each once.  A slot without
 * words is empty. */
struct known {
    uint64_t subject;
    uint32_t *words;
    uint32_t count;
};

/* What a subject was known by before a change; for search_undo. */
struct former {
    uint64_t subject;
    uint8_t *text;
    size_t size;
};

/* Invariants: capacity is a power of two; count <= 3/4 capacity; a subject is
 * in the postings of exactly its words. */
struct search {
    struct words words;
    struct known *slots;
    size_t capacity;
    size_t count;
    uint8_t hash_key[16];
    bool marked;
    struct former *formers; /* Since the mark, oldest first. */
    size_t formers_count;
    size_t formers_capacity;
};

static void *need(void *memory)
{
    if (memory == NULL)
        statements_failed(NULL, "the search index");
    return memory;
}

struct search *search_open(void)
{
    struct search *search = need(calloc(1, sizeof *search));

    words_init(&search->words);
    search->capacity = CAPACITY_MIN;
    search->slots = need(calloc(search->capacity, sizeof *search->slots));
    randombytes_buf(search->hash_key, sizeof search->hash_key);
    return search;
}

static void forget_formers(struct search *search)
{
    for (size_t i = 0; i < search->formers_count; i++) {
        sodium_memzero(search->formers[i].text, search->formers[i].size);
        free(search->formers[i].text);
    }
    search->formers_count = 0;
}

void search_close(struct search *search)
{
    if (search == NULL)
        return;
    for (size_t i = 0; i < search->capacity; i++)
        free(search->slots[i].words);
    forget_formers(search);
    free(search->formers);
    free(search->slots);
    words_wipe(&search->words);
    free(search);
}

/* ---- The table of subjects ----------------------------------------------- */

static size_t home_of(const struct search *search, uint64_t subject)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)&subject,
                     sizeof subject, search->hash_key);
    return hash & (search->capacity - 1);
}

/* The slot of the subject, or the empty one where it would stand. */
static size_t slot_of(const struct search *search, uint64_t subject)
{
    size_t at = home_of(search, subject);

    while (search->slots[at].count > 0 && search->slots[at].subject != subject)
        at = (at + 1) & (search->capacity - 1);
    return at;
}

static void grow(struct search *search)
{
    struct known *old = search->slots;
    size_t old_capacity = search->capacity;

    search->capacity *= 2;
    search->slots = need(calloc(search->capacity, sizeof *search->slots));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].count > 0)
            search->slots[slot_of(search, old[i].subject)] = old[i];
    }
    free(old);
}

/* Whatever probed past the hole moves back into it. */
static void empty_slot(struct search *search, size_t hole)
{
    const size_t mask = search->capacity - 1;

    for (size_t at = (hole + 1) & mask; search->slots[at].count > 0;
         at = (at + 1) & mask) {
        size_t home = home_of(search, search->slots[at].subject);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        search->slots[hole] = search->slots[at];
        hole = at;
    }
    memset(&search->slots[hole], 0, sizeof search->slots[hole]);
    search->count--;
}

/* ---- Changing ------------------------------------------------------------ */

static void forget(struct search *search, uint64_t subject)
{
    size_t at = slot_of(search, subject);
    struct known *known = &search->slots[at];

    for (uint32_t i = 0; i < known->count; i++) {
        struct words_word *word = &search->words.list[known->words[i]];
        bool removed = postings_remove(&word->postings, subject);

        INVARIANT(removed);
        if (word->postings.count == 0)
            words_remove(&search->words, known->words[i]);
    }
    if (known->count == 0)
        return;
    free(known->words);
    empty_slot(search, at);
}

static void learn(struct search *search, uint64_t subject, struct slice text)
{
    uint32_t numbers[SEARCH_WORDS_MAX];
    uint32_t count = 0;
    uint8_t *folded = need(malloc(text.size + 1));
    struct slice plain = slice_of(folded, fold_text(folded, text, FOLD_PLAIN));
    struct slice token;
    size_t used = 0;
    struct known *known;

    forget(search, subject);
    while (count < SEARCH_WORDS_MAX &&
           (token = fold_token(plain, &used)).size > 0) {
        uint32_t number = words_add(&search->words, token);
        /* A word that comes twice has the subject already. */
        if (postings_add(&search->words.list[number].postings, subject))
            numbers[count++] = number;
    }
    sodium_memzero(folded, text.size);
    free(folded);
    if (count == 0)
        return;
    if (search->count >= search->capacity / 4 * 3)
        grow(search);
    known = &search->slots[slot_of(search, subject)];
    known->subject = subject;
    known->words = need(malloc(count * sizeof *numbers));
    memcpy(known->words, numbers, count * sizeof *numbers);
    known->count = count;
    search->count++;
}

/* The words of the subject, with blanks between them, as they fold again. */
static void note_former(struct search *search, uint64_t subject)
{
    const struct known *known = &search->slots[slot_of(search, subject)];
    struct former *former;
    struct writer text;

    if (search->formers_count == search->formers_capacity) {
        search->formers_capacity = 2 * search->formers_capacity + 16;
        search->formers =
            need(realloc(search->formers,
                         search->formers_capacity * sizeof *search->formers));
    }
    former = &search->formers[search->formers_count++];
    *former = (struct former){subject, NULL, 0};
    for (uint32_t i = 0; i < known->count; i++)
        former->size += search->words.list[known->words[i]].size + 1;
    former->text = need(malloc(former->size + 1));
    writer_init(&text, former->text, former->size);
    for (uint32_t i = 0; i < known->count; i++) {
        const struct words_word *word = &search->words.list[known->words[i]];
        writer_bytes(&text, word->text, word->size);
        writer_u8(&text, ' ');
    }
    ENSURE(text.status == ST_OK && text.used == former->size);
}

void search_put(struct search *search, uint64_t subject, struct slice text)
{
    if (search->marked)
        note_former(search, subject);
    learn(search, subject, text);
}

void search_remove(struct search *search, uint64_t subject)
{
    if (search->marked)
        note_former(search, subject);
    forget(search, subject);
}

void search_mark(struct search *search)
{
    REQUIRE(!search->marked);
    search->marked = true;
}

void search_undo(struct search *search)
{
    REQUIRE(search->marked);
    for (size_t i = search->formers_count; i-- > 0;) {
        const struct former *former = &search->formers[i];
        learn(search, former->subject, slice_of(former->text, former->size));
    }
    forget_formers(search);
    search->marked = false;
}

void search_keep(struct search *search)
{
    REQUIRE(search->marked);
    forget_formers(search);
    search->marked = false;
}

size_t search_count(const struct search *search)
{
    return search->count;
}

/* ---- Finding ------------------------------------------------------------- */

/* A query taken apart.  words: whole ones, the rarest first. */
struct plan {
    uint32_t words[FIND_TOKENS_MAX];
    size_t words_count;
    struct slice beginning; /* Empty: none. */
    bool hopeless;          /* A word that nobody has. */
};

static void plan_word(struct plan *plan, const struct search *search,
                      struct slice token)
{
    uint32_t number = words_find(&search->words, token);

    if (number == WORDS_NONE)
        plan->hopeless = true;
    else
        plan->words[plan->words_count++] = number;
}

/* ${folded} lives as long as the plan. */
static enum status make_plan(struct plan *plan, const struct search *search,
                             struct slice folded, bool prefix)
{
    struct slice token, last = {NULL, 0};
    size_t used = 0, count = 0;

    memset(plan, 0, sizeof *plan);
    while ((token = fold_token(folded, &used)).size > 0) {
        if (++count > FIND_TOKENS_MAX)
            return ST_BAD_FIELD;
        if (last.size > 0)
            plan_word(plan, search, last);
        last = token;
    }
    if (count == 0)
        return ST_BAD_FIELD;
    if (!prefix) {
        plan_word(plan, search, last);
        return ST_OK;
    }
    if (fold_points(last) < FIND_PREFIX_POINTS_MIN)
        return ST_BAD_FIELD;
    plan->beginning = last;
    return ST_OK;
}

static const struct postings *postings_of(const struct search *search,
                                          uint32_t word)
{
    return &search->words.list[word].postings;
}

/* The rarest word first: it moves the search on by the longest steps. */
static void put_rarest_first(struct plan *plan, const struct search *search)
{
    for (size_t i = 1; i < plan->words_count; i++) {
        uint32_t word = plan->words[i];
        if (postings_of(search, word)->count >=
            postings_of(search, plan->words[0])->count)
            continue;
        plan->words[i] = plan->words[0];
        plan->words[0] = word;
    }
}

static bool has_beginning(const struct search *search, uint64_t subject,
                          struct slice beginning)
{
    const struct known *known = &search->slots[slot_of(search, subject)];

    for (uint32_t i = 0; i < known->count; i++) {
        if (words_begins(&search->words, known->words[i], beginning))
            return true;
    }
    return false;
}

/* The least subject from ${from} on that has every whole word. */
static bool next_with_words(const struct search *search,
                            const struct plan *plan, uint64_t *subject_out,
                            uint64_t from)
{
    uint64_t subject = from;
    size_t agreed = 0;

    while (agreed < plan->words_count) {
        uint64_t found;
        if (!postings_seek(postings_of(search, plan->words[agreed]), &found,
                           subject))
            return false;
        agreed = found == subject || agreed == 0 ? agreed + 1 : 0;
        subject = found;
    }
    *subject_out = subject;
    return true;
}

static size_t find_by_words(const struct search *search,
                            const struct plan *plan, uint64_t *out,
                            const struct search_query *query)
{
    uint64_t subject, from = query->after + 1;
    size_t count = 0;

    while (count < query->limit &&
           next_with_words(search, plan, &subject, from)) {
        if (plan->beginning.size == 0 ||
            has_beginning(search, subject, plan->beginning))
            out[count++] = subject;
        from = subject + 1;
    }
    return count;
}

/* The next subject of each word that begins so. */
struct cursor {
    uint32_t word;
    uint64_t subject;
};

static size_t open_cursors(const struct search *search, struct cursor **out,
                           struct slice beginning, uint64_t from)
{
    size_t count = 0, capacity = 16;
    struct cursor *cursors = need(malloc(capacity * sizeof *cursors));
    uint32_t word = words_chain(&search->words, beginning);

    for (; word != WORDS_NONE; word = search->words.list[word].next) {
        struct cursor cursor = {word, 0};
        if (!words_begins(&search->words, word, beginning) ||
            !postings_seek(postings_of(search, word), &cursor.subject, from))
            continue;
        if (count == capacity) {
            capacity *= 2;
            cursors = need(realloc(cursors, capacity * sizeof *cursors));
        }
        cursors[count++] = cursor;
    }
    *out = cursors;
    return count;
}

static size_t find_by_beginning(const struct search *search,
                                const struct plan *plan, uint64_t *out,
                                const struct search_query *query)
{
    struct cursor *cursors;
    size_t open =
        open_cursors(search, &cursors, plan->beginning, query->after + 1);
    size_t count = 0;

    while (open > 0 && count < query->limit) {
        uint64_t least = UINT64_MAX;
        for (size_t i = 0; i < open; i++)
            least = cursors[i].subject < least ? cursors[i].subject : least;
        out[count++] = least;
        for (size_t i = open; i-- > 0;) {
            if (cursors[i].subject == least &&
                !postings_seek(postings_of(search, cursors[i].word),
                               &cursors[i].subject, least + 1))
                cursors[i] = cursors[--open];
        }
    }
    free(cursors);
    return count;
}

enum status search_find(const struct search *search, uint64_t *subjects_out,
                        size_t *count_out, const struct search_query *query)
{
    uint8_t folded[FIND_TEXT_SIZE_MAX];
    struct plan plan;
    enum status status;

    *count_out = 0;
    REQUIRE(query->after < UINT64_MAX);
    if (query->text.size > sizeof folded)
        return ST_BAD_FIELD;
    status =
        make_plan(&plan, search,
                  slice_of(folded, fold_text(folded, query->text, FOLD_PLAIN)),
                  query->prefix);
    if (status != ST_OK || plan.hopeless)
        return status;
    put_rarest_first(&plan, search);
    *count_out = plan.words_count > 0
                     ? find_by_words(search, &plan, subjects_out, query)
                     : find_by_beginning(search, &plan, subjects_out, query);
    ENSURE(*count_out <= query->limit);
    return ST_OK;
}
