#include "tests/lib/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"

enum { LINE_SIZE = 1024, WORDS_MAX = 16, OP_WORDS = 13, ENTRY_WORDS = 5 };

/* Room for one more; contents beyond the count are zeros. */
static void *grow(void *array, size_t count, size_t *capacity, size_t size)
{
    void *larger;

    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 1024 : 2 * *capacity;
    larger = realloc(array, *capacity * size);
    INVARIANT(larger != NULL);
    memset((char *)larger + count * size, 0, (*capacity - count) * size);
    return larger;
}

static size_t split(char *line, char *words[WORDS_MAX])
{
    size_t count = 0;
    char *rest = line, *word;

    while ((word = strsep(&rest, " \n")) != NULL) {
        if (*word == '\0')
            continue;
        if (count == WORDS_MAX)
            return 0;
        words[count++] = word;
    }
    return count;
}

static bool is_none(const char *word)
{
    return strcmp(word, "-") == 0;
}

/* A number, or "-" if ${optional}. */
static bool take_number(uint64_t *out, const char *word, bool optional)
{
    char *end;

    if (optional && is_none(word)) {
        *out = HISTORY_NONE;
        return true;
    }
    errno = 0;
    *out = strtoull(word, &end, 10);
    return errno == 0 && *word >= '0' && *word <= '9' && *end == '\0' &&
           *out != HISTORY_NONE;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(uint8_t *out, size_t size, const char *word)
{
    if (strlen(word) != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit(word[2 * i]), low = digit(word[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool take_outcome(enum history_outcome *out, const char *word)
{
    static const char *const names[] = {"acked", "refused", "unknown"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = (enum history_outcome)i;
            return true;
        }
    }
    return false;
}

/* What an outcome must have beside it. */
static bool is_whole(const struct history_op *op, bool has_leaf)
{
    if (op->outcome == HISTORY_UNKNOWN)
        return op->returned == HISTORY_NONE;
    if (op->returned == HISTORY_NONE || op->returned < op->invoked)
        return false;
    return op->outcome == HISTORY_REFUSED ||
           (has_leaf && op->index != HISTORY_NONE && op->epoch != HISTORY_NONE);
}

static bool take_op(struct history *history, char **words, uint32_t line)
{
    struct history_op *op;
    uint64_t client, code;
    bool has_leaf = !is_none(words[10]);

    history->ops = grow(history->ops, history->ops_count,
                        &history->ops_capacity, sizeof *op);
    op = &history->ops[history->ops_count];
    if (!take_number(&client, words[1], false) ||
        !take_hex(op->id, sizeof op->id, words[3]) ||
        !take_number(&op->invoked, words[4], false) ||
        !take_number(&op->returned, words[5], true) ||
        !take_outcome(&op->outcome, words[6]) ||
        !take_number(&code, words[7], false) ||
        !take_number(&op->epoch, words[8], true) ||
        !take_number(&op->index, words[9], true) ||
        (has_leaf && !take_hex(op->leaf, sizeof op->leaf, words[10])) ||
        !take_number(&op->value, words[11], true))
        return false;
    op->has_seen = !is_none(words[12]);
    if (op->has_seen && !take_hex(op->seen, sizeof op->seen, words[12]))
        return false;
    op->client = (uint32_t)client;
    op->code = (uint32_t)code;
    op->line = line;
    if (!is_whole(op, has_leaf))
        return false;
    history->ops_count++;
    return true;
}

static bool take_log(struct history *history, char **words)
{
    struct history_log *log;

    if (history->logs_count == HISTORY_LOGS_MAX ||
        strlen(words[1]) >= HISTORY_NAME_SIZE)
        return false;
    log = &history->logs[history->logs_count++];
    memcpy(log->name, words[1], strlen(words[1]) + 1);
    return true;
}

static bool take_entry(struct history *history, char **words)
{
    struct history_log *log;
    struct history_entry *entry;

    if (history->logs_count == 0)
        return false;
    log = &history->logs[history->logs_count - 1];
    log->entries = grow(log->entries, log->entries_count,
                        &log->entries_capacity, sizeof *entry);
    entry = &log->entries[log->entries_count];
    if (!take_number(&entry->index, words[1], false) ||
        entry->index != log->entries_count ||
        !take_number(&entry->epoch, words[2], false) ||
        !take_hex(entry->id, sizeof entry->id, words[3]) ||
        !take_hex(entry->leaf, sizeof entry->leaf, words[4]))
        return false;
    log->entries_count++;
    return true;
}

static bool take_line(struct history *history, char *line, uint32_t number)
{
    char *words[WORDS_MAX];
    size_t count = split(line, words);

    if (count == OP_WORDS && strcmp(words[0], "op") == 0)
        return take_op(history, words, number);
    if (count == 2 && strcmp(words[0], "log") == 0)
        return take_log(history, words);
    if (count == ENTRY_WORDS && strcmp(words[0], "entry") == 0)
        return take_entry(history, words);
    return false;
}

bool history_read(struct history *history, FILE *file, char *why_out,
                  size_t why_size)
{
    char line[LINE_SIZE];
    uint32_t number = 0;

    while (fgets(line, sizeof line, file) != NULL) {
        size_t size = strlen(line);
        number++;
        if (size == 0 || line[size - 1] != '\n') {
            (void)snprintf(why_out, why_size, "%u: a torn line", number);
            return false;
        }
        if (!take_line(history, line, number)) {
            (void)snprintf(why_out, why_size,
                           "%u: not a line of a history or a log", number);
            return false;
        }
    }
    return true;
}

void history_free(struct history *history)
{
    for (size_t i = 0; i < history->logs_count; i++)
        free(history->logs[i].entries);
    free(history->ops);
    memset(history, 0, sizeof *history);
}
