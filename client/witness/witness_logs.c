#include "client/witness/witness_logs.h"

#include <string.h>

#include "protocol/lines.h"

/* The next word of ${*line}; empty at its end. */
static struct slice logs_word(struct slice *line)
{
    const uint8_t *at = line->data, *end = line->data + line->size;
    const uint8_t *from;

    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    from = at;
    while (at < end && *at != ' ' && *at != '\t')
        at++;
    *line = slice_of(at, (size_t)(end - at));
    return slice_of(from, (size_t)(at - from));
}

static bool logs_is_others(struct slice word)
{
    return lines_equal(word, "witness") || lines_equal(word, "group") ||
           lines_equal(word, "quorum");
}

static enum status logs_add(struct witness_logs *logs, struct slice line)
{
    struct slice key = logs_word(&line);
    struct note_key *out = &logs->keys[logs->count];

    (void)logs_word(&line); /* Where the log is served is no matter here. */
    if (logs_word(&line).size > 0)
        return ST_FILE_FORMAT;
    if (logs->count == WITNESS_LOGS_MAX)
        return ST_TOO_LARGE;
    if (note_key_read(out, key) != ST_OK || out->type != NOTE_ED25519)
        return ST_FILE_FORMAT;
    for (size_t i = 0; i < logs->count; i++) {
        if (slice_equal(note_key_name(&logs->keys[i]), note_key_name(out)) &&
            memcmp(logs->keys[i].public_key, out->public_key,
                   PUBLIC_KEY_SIZE) == 0)
            return ST_EXISTS;
    }
    logs->count++;
    return ST_OK;
}

static enum status logs_take(struct witness_logs *logs, struct slice line)
{
    struct slice word = logs_word(&line);

    if (word.size == 0 || word.data[0] == '#' || logs_is_others(word))
        return ST_OK;
    return lines_equal(word, "log") ? logs_add(logs, line) : ST_FILE_FORMAT;
}

enum status witness_logs_read(struct witness_logs *logs_out, size_t *line_out,
                              struct slice text)
{
    struct slice line;
    enum status status;

    memset(logs_out, 0, sizeof *logs_out);
    *line_out = 1;
    while ((status = lines_next(&line, &text)) == ST_OK) {
        status = logs_take(logs_out, line);
        if (status != ST_OK)
            return status;
        ++*line_out;
    }
    if (status != ST_END || logs_out->count == 0)
        return ST_FILE_FORMAT;
    return ST_OK;
}
