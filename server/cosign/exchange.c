#include "server/cosign/exchange.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "protocol/peer.h"

enum { EXCHANGE_ID_DIGITS = 8 };

void exchange_init(struct exchange *exchange,
                   const struct exchange_options *options,
                   const struct cosign_calls *calls)
{
    struct slice name = slice_of(options->origin, strlen(options->origin));

    REQUIRE(note_name_valid(name));
    memset(exchange, 0, sizeof *exchange);
    exchange->calls = calls;
    exchange->said_ms = INT64_MIN / 2;
    memcpy(exchange->origin, name.data, name.size);
    note_key_init(&exchange->log_key, name, NOTE_ED25519,
                  options->log_public_key);
    cosigner_init(&exchange->cosigner, calls, options->origin, options->node_id,
                  options->cosigner);
}

void exchange_wipe(struct exchange *exchange)
{
    cosigner_wipe(&exchange->cosigner);
    memset(exchange, 0, sizeof *exchange);
}

void exchange_lead(struct exchange *exchange, bool leads)
{
    exchange->leads = leads;
}

/* What a node does wrong it may do often. */
static void complain(struct exchange *exchange, const uint8_t *node_id,
                     const char *what, enum status status)
{
    const struct cosign_calls *calls = exchange->calls;
    int64_t now_ms = calls->boot_ms(calls->context);
    char line[CLUSTER_LINE_SIZE_MAX];
    char node[EXCHANGE_ID_DIGITS + 1];

    if (now_ms - exchange->said_ms < EXCHANGE_SAY_MS)
        return;
    exchange->said_ms = now_ms;
    sodium_bin2hex(node, sizeof node, node_id, EXCHANGE_ID_DIGITS / 2);
    (void)snprintf(line, sizeof line, "%s of node %s... is refused: %s", what,
                   node,
                   status == ST_NO_SUCH ? "it is not of the key that is known"
                                        : status_info(status)->english);
    calls->say(calls->context, CLUSTER_WARNING, line);
}

/* ---- The newest note ---------------------------------------------------- */

/* Lent until the next call. */
static enum status newest(struct exchange *exchange,
                          struct checkpoint *checkpoint, struct note *note,
                          struct slice *bytes_out)
{
    const struct cosign_calls *calls = exchange->calls;
    size_t size;
    enum status status = calls->note(calls->context, exchange->note, &size);

    if (status != ST_OK)
        return status;
    *bytes_out = slice_of(exchange->note, size);
    return checkpoint_open(checkpoint, note, *bytes_out, &exchange->log_key);
}

static void send_note(struct exchange *exchange, const uint8_t *node_id,
                      struct slice bytes)
{
    const struct cosign_calls *calls = exchange->calls;
    struct peer_frame frame = {.type = PEER_CHECKPOINT};

    frame.checkpoint.note = bytes;
    calls->send(calls->context, node_id, &frame);
}

/* Cosignatures come later, when there may be a newer one. */
static void remember(struct exchange *exchange, uint64_t size,
                     struct slice text)
{
    struct exchange_text *out = &exchange->texts[exchange->texts_next];

    for (size_t i = 0; i < EXCHANGE_TEXTS; i++) {
        if (exchange->texts[i].size == size)
            return;
    }
    if (size == 0 || text.size > sizeof out->text)
        return;
    out->size = size;
    out->text_size = text.size;
    memcpy(out->text, text.data, text.size);
    exchange->texts_next = (exchange->texts_next + 1) % EXCHANGE_TEXTS;
}

static void publish(struct exchange *exchange, const uint8_t *node_id)
{
    struct checkpoint checkpoint;
    struct slice bytes;
    struct note note;

    if (newest(exchange, &checkpoint, &note, &bytes) != ST_OK)
        return;
    remember(exchange, checkpoint.size, note.text);
    send_note(exchange, node_id, bytes);
}

/* ---- Cosigning ---------------------------------------------------------- */

static void send_line(struct exchange *exchange, uint64_t size,
                      struct slice line)
{
    const struct cosign_calls *calls = exchange->calls;
    struct peer_frame frame = {.type = PEER_COSIGNED};

    frame.cosigned.size = size;
    frame.cosigned.line = line;
    calls->send(calls->context,
                exchange->has_primary ? exchange->primary : NULL, &frame);
}

/* The newest note, if its size is at least ${least}; a smaller one was
 * cosigned when it was the newest. */
static void cosign(struct exchange *exchange, uint64_t least)
{
    const struct cosign_calls *calls = exchange->calls;
    struct checkpoint checkpoint;
    struct slice bytes, line;
    struct note note;
    enum status status = newest(exchange, &checkpoint, &note, &bytes);

    if (status != ST_OK || checkpoint.size < least || checkpoint.size == 0)
        return;
    status = cosigner_sign(&exchange->cosigner, &line, &checkpoint, note.text);
    if (status != ST_OK)
        return; /* Evidence says what is wrong; without a key it is known. */
    status = calls->add_cosignature(calls->context, checkpoint.size, line);
    MAYBE(status != ST_OK); /* Full of others' lines; it is sent all the same.
                             */
    send_line(exchange, checkpoint.size, line);
}

void exchange_published(struct exchange *exchange)
{
    if (exchange->leads)
        publish(exchange, NULL);
    else
        cosign(exchange, 0);
}

void exchange_witnessed(struct exchange *exchange)
{
    const struct cosign_calls *calls = exchange->calls;
    size_t size;

    if (exchange->leads &&
        calls->note_witnessed(calls->context, exchange->note, &size) == ST_OK)
        send_note(exchange, NULL, slice_of(exchange->note, size));
}

void exchange_linked(struct exchange *exchange, const uint8_t *node_id)
{
    if (exchange->leads)
        publish(exchange, node_id);
}

/* ---- What others send --------------------------------------------------- */

/* It comes back with this node's own signature: nothing is to be done. */
static bool is_cosigned(const struct exchange *exchange,
                        const struct note *note)
{
    uint64_t time_s;

    return exchange->cosigner.has_key &&
           checkpoint_cosigned(&time_s, note, &exchange->cosigner.key) == ST_OK;
}

static void take_note(struct exchange *exchange, const uint8_t *node_id,
                      struct slice note)
{
    const struct cosign_calls *calls = exchange->calls;
    struct checkpoint checkpoint;
    struct note opened;
    enum status status =
        checkpoint_open(&checkpoint, &opened, note, &exchange->log_key);
    uint64_t size;

    if (status == ST_OK) {
        size = checkpoint.size;
        status = calls->take_note(calls->context, note);
    }
    if (status != ST_OK) {
        complain(exchange, node_id, "a checkpoint", status);
        return;
    }
    if (is_cosigned(exchange, &opened))
        return;
    /* Known already: the cosignature was lost with its link.  Else it is
     * compared with the log first, and published when it is true. */
    cosign(exchange, size);
}

static bool is_primary(const struct exchange *exchange, const uint8_t *node_id)
{
    return exchange->has_primary &&
           memcmp(exchange->primary, node_id, NODE_ID_SIZE) == 0;
}

void exchange_take_note(struct exchange *exchange, const uint8_t *node_id,
                        struct slice note)
{
    if (exchange->leads)
        return; /* Nobody else signs. */
    if (is_primary(exchange, node_id)) {
        take_note(exchange, node_id, note);
    } else if (note.size <= sizeof exchange->held) {
        exchange->held_size = note.size;
        memcpy(exchange->held_node, node_id, NODE_ID_SIZE);
        memcpy(exchange->held, note.data, note.size);
    }
}

void exchange_primary(struct exchange *exchange, const uint8_t *node_id)
{
    size_t size = exchange->held_size;

    exchange->has_primary = node_id != NULL;
    if (node_id == NULL)
        return;
    memcpy(exchange->primary, node_id, NODE_ID_SIZE);
    if (size == 0 || exchange->leads ||
        !is_primary(exchange, exchange->held_node))
        return;
    exchange->held_size = 0;
    take_note(exchange, node_id, slice_of(exchange->held, size));
}

static const struct exchange_text *text_of(const struct exchange *exchange,
                                           uint64_t size)
{
    for (size_t i = 0; i < EXCHANGE_TEXTS; i++) {
        if (size > 0 && exchange->texts[i].size == size)
            return &exchange->texts[i];
    }
    return NULL;
}

/* One line of ${key} over ${text}, and nothing else. */
static enum status line_verify(const struct exchange_text *text,
                               struct slice line, const struct note_key *key)
{
    uint8_t joined[EXCHANGE_TEXT_SIZE_MAX + 1 + PEER_COSIGNED_SIZE_MAX];
    struct writer writer;
    struct note note;
    uint64_t time_s;
    enum status status;

    writer_init(&writer, joined, sizeof joined);
    writer_bytes(&writer, text->text, text->text_size);
    writer_bytes(&writer, "\n", 1);
    writer_bytes(&writer, line.data, line.size);
    if (writer.status != ST_OK)
        return writer.status;
    status = note_read(&note, writer_slice(&writer));
    if (status != ST_OK)
        return status;
    if (note.count != 1 || note.text.size != text->text_size)
        return ST_FILE_FORMAT;
    return checkpoint_cosigned(&time_s, &note, key);
}

void exchange_take_line(struct exchange *exchange, const uint8_t *node_id,
                        uint64_t size, struct slice line)
{
    const struct cosign_calls *calls = exchange->calls;
    const struct exchange_text *text = text_of(exchange, size);
    uint8_t public_key[PUBLIC_KEY_SIZE];
    struct note_key key;
    enum status status;

    if (text == NULL)
        return; /* Of a term before, or it is too late. */
    /* Not enrolled yet, perhaps: the next line is judged anew. */
    if (!calls->cosigner_key(calls->context, node_id, public_key) ||
        !cosigner_name(&key, exchange->origin, node_id, public_key))
        return;
    status = line_verify(text, line, &key);
    if (status == ST_OK) {
        status = calls->add_cosignature(calls->context, size, line);
        MAYBE(status == ST_NO_SUCH); /* It is too late. */
        return;
    }
    complain(exchange, node_id, "a cosignature", status);
}
