#include "client/program/words.h"

#include <stdlib.h>
#include <string.h>

/* Where the splitter stands. */
struct splitter {
    const char *from;
    char *to;
    int depth;   /* Of braces. */
    bool quoted; /* Inside "..." of a brace: JSON's own quotes stay. */
};

/* One '...' or "..." outside braces; false if it does not end. */
static bool take_quoted(struct splitter *at)
{
    char quote = *at->from++;

    while (*at->from != '\0' && *at->from != quote) {
        if (*at->from == '\\' && quote == '"' && at->from[1] != '\0')
            at->from++;
        *at->to++ = *at->from++;
    }
    if (*at->from == '\0')
        return false;
    at->from++;
    return true;
}

/* One character inside braces: kept as it is. */
static void take_braced(struct splitter *at)
{
    char c = *at->from++;

    *at->to++ = c;
    if (at->quoted && c == '\\' && *at->from != '\0')
        *at->to++ = *at->from++;
    else if (c == '"')
        at->quoted = !at->quoted;
    else if (c == '{' && !at->quoted)
        at->depth++;
    else if (c == '}' && !at->quoted)
        at->depth--;
}

static bool take_word(struct splitter *at)
{
    while (*at->from != '\0' && (at->depth > 0 || *at->from != ' ')) {
        if (at->depth > 0 || *at->from == '{') {
            take_braced(at);
        } else if (*at->from == '"' || *at->from == '\'') {
            if (!take_quoted(at))
                return false;
        } else {
            if (*at->from == '\\' && at->from[1] != '\0')
                at->from++;
            *at->to++ = *at->from++;
        }
    }
    *at->to++ = '\0';
    return at->depth == 0;
}

bool words_split(struct words *words, const char *line)
{
    struct splitter at = {.from = line};

    *words = (struct words){0};
    words->memory = malloc(2 * strlen(line) + 2);
    if (words->memory == NULL)
        return false;
    at.to = words->memory;
    for (;;) {
        while (*at.from == ' ' || *at.from == '\t')
            at.from++;
        if (*at.from == '\0')
            return true;
        if (words->count == WORDS_MAX)
            break;
        words->at[words->count++] = at.to;
        if (!take_word(&at))
            break;
    }
    words_free(words);
    return false;
}

void words_free(struct words *words)
{
    free(words->memory);
    *words = (struct words){0};
}
