/*
 * search.h: which subjects' names hold which words; for subject.find.
 *
 * In memory only: it holds names in the clear.  It is kept in the order of
 * applied entries and rebuilt at start, and is no part of the state digest.
 * Words are folded (FOLD_PLAIN), so that case and diacritics do not matter.
 */
#ifndef DEFTER_SERVER_STORE_SEARCH_H
#define DEFTER_SERVER_STORE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

struct search; /* Opaque. */

/* Aborts when memory runs out: that must never become an outcome. */
struct search *search_open(void);
void search_close(struct search *search);

/* Replaces what is known of ${subject} by the words of ${text} (valid UTF-8);
 * what is beyond SEARCH_WORDS_MAX is left out. */
void search_put(struct search *search, uint64_t subject, struct slice text);
void search_remove(struct search *search, uint64_t subject);

/*
 * Together with state_mark(), state_undo() and state_keep(): what a search
 * finds must follow from the state alone.
 */
void search_mark(struct search *search);
void search_undo(struct search *search);
void search_keep(struct search *search);

/* Subjects that have words. */
size_t search_count(const struct search *search);

/*
 * search_find(search, subjects_out, count_out, query, after, limit):
 * Subjects whose names hold every word of ${query}, the last one as the
 * beginning of a word if ${prefix}; ordered by number, above ${after}, at most
 * ${limit}.
 *
 * Returns: ST_OK; ST_BAD_FIELD if ${query} has no word, more than
 *          FIND_TOKENS_MAX, more than FIND_TEXT_SIZE_MAX bytes, or a prefix
 *          below FIND_PREFIX_POINTS_MIN code points.
 */
struct search_query {
    struct slice text; /* Valid UTF-8, not folded. */
    bool prefix;
    uint64_t after;
    size_t limit;
};
NODISCARD enum status search_find(const struct search *search,
                                  uint64_t *subjects_out, size_t *count_out,
                                  const struct search_query *query);

#endif
