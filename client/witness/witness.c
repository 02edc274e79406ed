#include "client/witness/witness.h"

#include <stdlib.h>
#include <string.h>

#include "client/witness/witness_logs.h"
#include "protocol/lines.h"

#define WITNESS_TEXT "text/plain; charset=utf-8"
#define WITNESS_SIZE "text/x.tlog.size"

/* One log, whatever number of keys it has; its name is keys[key].name.
 * Invariant: note is what is on the disk, and state is that of its text. */
struct witness_log {
    size_t key;
    char name[WITNESS_STORE_NAME_SIZE];
    struct witness_state state;
    size_t note_size; /* 0: nothing was signed. */
    uint8_t note[WITNESS_STORE_SIZE_MAX];
};

struct witness {
    struct witness_store *store;
    struct witness_options options;
    struct witness_log logs[WITNESS_LOGS_MAX];
    size_t logs_count;
};

static struct slice log_origin(const struct witness *witness,
                               const struct witness_log *log)
{
    return note_key_name(&witness->options.logs[log->key]);
}

/* NULL if there is none. */
static struct witness_log *log_find(struct witness *witness,
                                    struct slice origin)
{
    for (size_t i = 0; i < witness->logs_count; i++) {
        if (slice_equal(log_origin(witness, &witness->logs[i]), origin))
            return &witness->logs[i];
    }
    return NULL;
}

/* ---- Opening ------------------------------------------------------------ */

/* What is on the disk counts because this witness signed it. */
static enum status log_load(struct witness *witness, struct witness_log *log)
{
    struct slice origin = log_origin(witness, log);
    struct checkpoint checkpoint;
    struct note note;
    uint64_t time_s;
    enum status status =
        witness_store_read(witness->store, log->note, &log->note_size, origin,
                           WITNESS_STORE_SIGNED);

    if (status == ST_NO_FILE) {
        log->note_size = 0;
        return ST_OK;
    }
    if (status == ST_OK)
        status = note_read(&note, slice_of(log->note, log->note_size));
    if (status == ST_OK)
        status = checkpoint_read(&checkpoint, note.text);
    if (status == ST_OK && !slice_equal(checkpoint.origin, origin))
        status = ST_ORIGIN;
    if (status == ST_OK)
        status = checkpoint_cosigned(&time_s, &note, &witness->options.key);
    if (status != ST_OK)
        return status == ST_NO_SUCH ? ST_BAD_SIG : status;
    log->state.size = checkpoint.size;
    memcpy(log->state.root, checkpoint.root, HASH_SIZE);
    return ST_OK;
}

enum status witness_open(struct witness **witness_out,
                         struct witness_store *store,
                         const struct witness_options *options)
{
    struct witness *witness = calloc(1, sizeof *witness);
    enum status status = ST_OK;

    REQUIRE(options->key.type == NOTE_COSIGNATURE);
    REQUIRE(options->logs_count <= WITNESS_LOGS_MAX);
    if (witness == NULL)
        return ST_INTERNAL;
    witness->store = store;
    witness->options = *options;
    for (size_t i = 0; i < options->logs_count && status == ST_OK; i++) {
        struct slice origin = note_key_name(&options->logs[i]);
        struct witness_log *log = &witness->logs[witness->logs_count];

        if (log_find(witness, origin) != NULL)
            continue;
        log->key = i;
        witness_store_name(log->name, origin);
        witness->logs_count++;
        status = log_load(witness, log);
    }
    if (status != ST_OK) {
        witness_close(witness);
        return status;
    }
    *witness_out = witness;
    return ST_OK;
}

void witness_close(struct witness *witness)
{
    free(witness);
}

/* ---- Signing ------------------------------------------------------------ */

static void reply_line(struct witness_reply *reply, unsigned http_status,
                       const char *line)
{
    struct writer writer;

    writer_init(&writer, reply->body, sizeof reply->body);
    lines_write(&writer, line);
    INVARIANT(writer.status == ST_OK);
    reply->http_status = http_status;
    reply->content_type = WITNESS_TEXT;
    reply->size = writer.used;
}

/* The text, the line with which the log signed it, and room for one's own.
 * Lines of others are left out. */
static enum status signed_note(const struct witness *witness,
                               struct writer *writer, const struct note *note,
                               struct slice origin)
{
    const struct witness_options *options = &witness->options;

    writer_bytes(writer, note->text.data, note->text.size);
    lines_write(writer, "\n");
    for (size_t i = 0; i < note->count; i++) {
        const struct note_signature *line = &note->signatures[i];
        bool of_log = false;

        for (size_t key = 0; key < options->logs_count; key++)
            of_log = of_log || (slice_equal(line->name, origin) &&
                                note_is_of(line, &options->logs[key]));
        if (!of_log)
            continue;
        lines_write(writer, "\xe2\x80\x94 ");
        writer_bytes(writer, line->name.data, line->name.size);
        lines_write(writer, " ");
        writer_bytes(writer, line->base64.data, line->base64.size);
        lines_write(writer, "\n");
        break; /* One is enough, and they are verified all. */
    }
    return writer->status;
}

static void reply_signed(struct witness_reply *reply, struct slice line)
{
    memcpy(reply->body, line.data, line.size);
    reply->http_status = WITNESS_SIGNS;
    reply->content_type = WITNESS_TEXT;
    reply->size = line.size;
}

/* Whether ${text} is what was signed last: the same line is given once more.
 * Anybody can repeat what is public, and costs no write by it. */
static bool sign_again(const struct witness *witness,
                       const struct witness_log *log,
                       struct witness_reply *reply, struct slice text)
{
    struct note kept;

    if (log->note_size == 0 ||
        note_read(&kept, slice_of(log->note, log->note_size)) != ST_OK ||
        !slice_equal(kept.text, text))
        return false;
    for (size_t i = 0; i < kept.count; i++) {
        const struct note_signature *line = &kept.signatures[i];
        const uint8_t *begin = line->name.data - strlen("\xe2\x80\x94 ");
        const uint8_t *end = line->base64.data + line->base64.size + 1;

        if (!note_is_of(line, &witness->options.key))
            continue;
        reply_signed(reply, slice_of(begin, (size_t)(end - begin)));
        return true;
    }
    return false;
}

/* Durable first, then in memory, and only then in the answer. */
static void sign(struct witness *witness, struct witness_log *log,
                 struct witness_reply *reply,
                 const struct witness_request *request,
                 const struct witness_state *next, uint64_t time_s)
{
    uint8_t bytes[WITNESS_STORE_SIZE_MAX];
    struct writer writer;
    struct slice line;
    size_t begin;
    enum status status;

    if (sign_again(witness, log, reply, request->note.text))
        return;
    writer_init(&writer, bytes, sizeof bytes);
    status = signed_note(witness, &writer, &request->note,
                         request->checkpoint.origin);
    begin = writer.used;
    if (status == ST_OK)
        checkpoint_cosign_line(&writer, request->note.text,
                               &witness->options.key, witness->options.identity,
                               time_s);
    if (status != ST_OK || writer.status != ST_OK) {
        reply_line(reply, WITNESS_MALFORMED, "the note is too long\n");
        return;
    }
    line = slice_of(bytes + begin, writer.used - begin);
    status = witness_store_write(witness->store, log_origin(witness, log),
                                 WITNESS_STORE_SIGNED, writer_slice(&writer));
    if (status != ST_OK) {
        reply->why = status_info(status)->english;
        reply_line(reply, WITNESS_FAILED, "the witness's disk fails\n");
        return;
    }
    log->state = *next;
    log->note_size = writer.used;
    memcpy(log->note, bytes, writer.used);
    reply_signed(reply, line);
}

/* ---- Not signing -------------------------------------------------------- */

/* Two roots of one size, both signed by the log: nobody can explain that away,
 * so both are kept. */
static void keep_conflict(struct witness *witness,
                          const struct witness_log *log,
                          const struct witness_request *request,
                          struct witness_reply *reply)
{
    struct slice origin = log_origin(witness, log);
    uint8_t bytes[WITNESS_STORE_SIZE_MAX];
    struct writer writer;
    size_t size;

    if (request->checkpoint.size != log->state.size || log->state.size == 0 ||
        memcmp(request->checkpoint.root, log->state.root, HASH_SIZE) == 0)
        return;
    reply->why = "THE LOG SIGNED TWO ROOTS OF ONE SIZE: both are kept in state";
    if (witness_store_read(witness->store, bytes, &size, origin,
                           WITNESS_STORE_CONFLICT) != ST_NO_FILE)
        return;
    writer_init(&writer, bytes, sizeof bytes);
    if (signed_note(witness, &writer, &request->note,
                    request->checkpoint.origin) != ST_OK ||
        witness_store_write(witness->store, origin, WITNESS_STORE_CONFLICT,
                            writer_slice(&writer)) != ST_OK)
        reply->why = "the log signed two roots of one size, and the second "
                     "could not be kept";
}

static void refuse(const struct witness_log *log, struct witness_reply *reply,
                   enum witness_answer answer)
{
    struct writer writer;

    switch (answer) {
    case WITNESS_SIGNS:
        return;
    case WITNESS_MALFORMED:
        reply_line(reply, answer, "malformed\n");
        return;
    case WITNESS_UNSIGNED:
        reply_line(reply, answer, "no key of this log signed it\n");
        return;
    case WITNESS_UNKNOWN:
        reply_line(reply, answer, "no such log here\n");
        return;
    case WITNESS_OTHER_SIZE:
        writer_init(&writer, reply->body, sizeof reply->body);
        witness_size_write(&writer, &log->state);
        INVARIANT(writer.status == ST_OK);
        reply->http_status = answer;
        reply->content_type = WITNESS_SIZE;
        reply->size = writer.used;
        return;
    case WITNESS_INCONSISTENT:
        reply->why = "the log does not show that its history goes on";
        reply_line(reply, answer, "not consistent\n");
        return;
    }
}

void witness_add_checkpoint(struct witness *witness,
                            struct witness_reply *reply_out, struct slice body,
                            uint64_t time_s)
{
    static const struct witness_state nothing;
    struct witness_request *request = calloc(1, sizeof *request);
    struct witness_state next;
    struct witness_log *log;
    enum witness_answer answer = WITNESS_MALFORMED;

    memset(reply_out, 0, sizeof *reply_out);
    if (request == NULL) {
        reply_out->why = status_info(ST_EXHAUSTED)->english;
        reply_line(reply_out, WITNESS_FAILED, "the witness has no memory\n");
        return;
    }
    if (witness_request_read(request, body) != ST_OK) {
        reply_line(reply_out, WITNESS_MALFORMED, "malformed\n");
        free(request);
        return;
    }
    log = log_find(witness, request->checkpoint.origin);
    answer = witness_judge(&next, log == NULL ? &nothing : &log->state, request,
                           witness->options.logs, witness->options.logs_count);
    INVARIANT(IMPLIES(log == NULL, answer == WITNESS_UNKNOWN));
    if (answer == WITNESS_SIGNS)
        sign(witness, log, reply_out, request, &next, time_s);
    else
        refuse(log, reply_out, answer);
    if (log != NULL && answer == WITNESS_INCONSISTENT)
        keep_conflict(witness, log, request, reply_out);
    free(request);
}

void witness_checkpoint(const struct witness *witness,
                        struct witness_reply *reply_out, struct slice name)
{
    memset(reply_out, 0, sizeof *reply_out);
    for (size_t i = 0; i < witness->logs_count; i++) {
        const struct witness_log *log = &witness->logs[i];

        if (log->note_size == 0 || !lines_equal(name, log->name))
            continue;
        reply_out->http_status = WITNESS_SIGNS;
        reply_out->content_type = WITNESS_TEXT;
        reply_out->size = log->note_size;
        memcpy(reply_out->body, log->note, log->note_size);
        return;
    }
    reply_line(reply_out, WITNESS_UNKNOWN, "no such checkpoint here\n");
}
