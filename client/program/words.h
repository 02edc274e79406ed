/*
 * words.h: a line split into words, as a person expects it.
 *
 * Blanks separate; "..." and '...' keep them; \ takes the next character as it
 * is outside '...'.  Braces keep blanks too, so that lists and JSON need no
 * quotes: record={"kind": "legal"}.
 */
#ifndef DEFTER_CLIENT_PROGRAM_WORDS_H
#define DEFTER_CLIENT_PROGRAM_WORDS_H

#include <stdbool.h>

enum { WORDS_MAX = 64 };

struct words {
    int count;
    char *at[WORDS_MAX];
    char *memory;
};

/* False for an open quote or brace, or too many words.  Order: words_free(). */
bool words_split(struct words *words, const char *line);
void words_free(struct words *words);

#endif
