#include "server/cosign/outside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "protocol/witness_request.h"
#include "server/cosign/submission.h"
#include "server/cosign/witness_post.h"

enum { OUTSIDE_HTTP_OK = 200, OUTSIDE_HTTP_CONFLICT = 409 };

/* One of them.  Invariant: text is that of the checkpoint of submission.sent,
 * while that is not 0. */
struct outside_witness {
    const struct tlog_policy_witness *of;
    struct submission submission;
    bool failing; /* Said of it. */
    bool ahead;
    size_t text_size;
    uint8_t text[CHECKPOINT_TEXT_SIZE_MAX];
};

struct outside {
    const struct cosign_calls *calls;
    const struct note_key *log_key;
    struct witness_posts *posts;
    struct event *timer;
    bool leads;
    uint64_t newest; /* Size of the newest note; 0: none. */
    struct outside_witness witnesses[TLOG_POLICY_WITNESSES_MAX];
    size_t count;
    struct witness_request request;
    uint8_t note[EVIDENCE_NOTE_SIZE_MAX];
    uint8_t body[WITNESS_REQUEST_SIZE_MAX];
};

static void outside_say(const struct outside *outside,
                        const struct outside_witness *witness,
                        enum cluster_level level, const char *what,
                        const char *why)
{
    char line[CLUSTER_LINE_SIZE_MAX];
    struct slice name = witness->of->name;

    (void)snprintf(line, sizeof line, "witness %.*s: %s%s",
                   name.size > 64 ? 64 : (int)name.size,
                   (const char *)name.data, what, why);
    outside->calls->say(outside->calls->context, level, line);
}

/* ---- Asking ------------------------------------------------------------- */

/* The newest note, and the proof from the witness's size on; false if there is
 * none to send now. */
static bool ask_request(struct outside *outside,
                        struct outside_witness *witness, struct slice *body_out)
{
    const struct cosign_calls *calls = outside->calls;
    struct witness_request *request = &outside->request;
    struct writer writer;
    size_t size;

    memset(request, 0, sizeof *request);
    if (calls->note(calls->context, outside->note, &size) != ST_OK)
        return false;
    request->bytes = slice_of(outside->note, size);
    if (checkpoint_open(&request->checkpoint, &request->note, request->bytes,
                        outside->log_key) != ST_OK)
        return false;
    outside->newest = request->checkpoint.size;
    request->older = witness->submission.known;
    if (request->older > request->checkpoint.size ||
        request->note.text.size > sizeof witness->text ||
        calls->consistency_between(calls->context, request->hashes,
                                   &request->count, request->older,
                                   request->checkpoint.size) != ST_OK)
        return false;
    memcpy(witness->text, request->note.text.data, request->note.text.size);
    witness->text_size = request->note.text.size;
    writer_init(&writer, outside->body, sizeof outside->body);
    witness_request_write(&writer, request);
    INVARIANT(writer.status == ST_OK);
    *body_out = writer_slice(&writer);
    return true;
}

static void outside_fail(struct outside *outside,
                         struct outside_witness *witness, const char *what,
                         const char *why)
{
    if (!witness->failing)
        outside_say(outside, witness, CLUSTER_WARNING, what, why);
    witness->failing = true;
}

static void ask(struct outside *outside, size_t number, int64_t now_ms)
{
    struct outside_witness *witness = &outside->witnesses[number];
    struct submission *submission = &witness->submission;
    struct slice body;

    if (!ask_request(outside, witness, &body)) {
        submission->at_ms = now_ms + SUBMISSION_PERIOD_MS;
        return;
    }
    submission_asked(submission, outside->request.checkpoint.size, now_ms);
    if (witness_posts_send(outside->posts, number, witness->of->url, body) ==
        ST_OK)
        return;
    submission_ended(submission, SUBMISSION_FAILED, 0, now_ms);
    outside_fail(outside, witness, "cannot be asked", "");
}

/* Told once: what it says is not signed, so it stops only itself. */
static void say_ahead(struct outside *outside, struct outside_witness *witness)
{
    char what[96];

    if (witness->ahead)
        return;
    witness->ahead = true;
    (void)snprintf(what, sizeof what,
                   "it has signed %" PRIu64 " entries, and this log has only "
                   "%" PRIu64 ": it is asked again when they are there",
                   witness->submission.known, outside->newest);
    outside_say(outside, witness, CLUSTER_WARNING, what, "");
}

/* Everything that is due, and when the next is. */
static void outside_turn(struct outside *outside)
{
    int64_t now_ms = outside->calls->boot_ms(outside->calls->context);
    int64_t next_ms = -1;

    if (!outside->leads || outside->newest == 0)
        return;
    for (size_t i = 0; i < outside->count; i++) {
        struct outside_witness *witness = &outside->witnesses[i];
        struct submission *submission = &witness->submission;
        int64_t wait_ms =
            submission_wait_ms(submission, outside->newest, now_ms);

        if (wait_ms == 0)
            ask(outside, i, now_ms);
        if (submission_is_ahead(submission, outside->newest))
            say_ahead(outside, witness);
        wait_ms = submission_wait_ms(submission, outside->newest, now_ms);
        if (wait_ms >= 0 && (next_ms < 0 || wait_ms < next_ms))
            next_ms = wait_ms;
    }
    if (next_ms >= 0) {
        struct timeval delay = {next_ms / 1000,
                                (suseconds_t)(next_ms % 1000) * 1000};

        (void)evtimer_add(outside->timer, &delay);
    }
}

static void on_time(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    outside_turn(argument);
}

/* ---- Answers ------------------------------------------------------------ */

/* Lines of others may stand beside its own; those are left. */
static enum status take_lines(struct outside *outside,
                              struct outside_witness *witness,
                              struct slice body)
{
    const struct cosign_calls *calls = outside->calls;
    uint8_t joined[CHECKPOINT_TEXT_SIZE_MAX + 1 + WITNESS_POST_REPLY_SIZE_MAX];
    uint8_t line[NOTE_NAME_SIZE_MAX + 256];
    struct writer writer;
    struct note note;
    uint64_t time_s;
    enum status status;

    writer_init(&writer, joined, sizeof joined);
    writer_bytes(&writer, witness->text, witness->text_size);
    writer_bytes(&writer, "\n", 1);
    writer_bytes(&writer, body.data, body.size);
    status = note_read(&note, writer_slice(&writer));
    if (status == ST_OK && note.text.size != witness->text_size)
        status = ST_FILE_FORMAT;
    if (status == ST_OK)
        status = checkpoint_cosigned(&time_s, &note, &witness->of->key);
    for (size_t i = 0; status == ST_OK && i < note.count; i++) {
        const struct note_signature *of = &note.signatures[i];

        if (!note_is_of(of, &witness->of->key))
            continue;
        writer_init(&writer, line, sizeof line);
        writer_bytes(&writer, "\xe2\x80\x94 ", 4);
        writer_bytes(&writer, of->name.data, of->name.size);
        writer_bytes(&writer, " ", 1);
        writer_bytes(&writer, of->base64.data, of->base64.size);
        writer_bytes(&writer, "\n", 1);
        INVARIANT(writer.status == ST_OK);
        status = calls->add_cosignature(
            calls->context, witness->submission.sent, writer_slice(&writer));
        return status == ST_NO_SUCH ? ST_OK : status; /* It is too late. */
    }
    return status;
}

static void take_signed(struct outside *outside,
                        struct outside_witness *witness, struct slice body,
                        int64_t now_ms)
{
    enum status status = take_lines(outside, witness, body);

    if (status != ST_OK) {
        submission_ended(&witness->submission, SUBMISSION_FAILED, 0, now_ms);
        outside_fail(outside, witness, "its signature is refused: ",
                     status_info(status)->english);
        return;
    }
    submission_ended(&witness->submission, SUBMISSION_SIGNED, 0, now_ms);
    if (witness->failing)
        outside_say(outside, witness, CLUSTER_NOTE, "it signs again", "");
    witness->failing = false;
    witness->ahead = false;
}

static void on_done(void *context, size_t number,
                    const struct witness_post_reply *reply)
{
    struct outside *outside = context;
    struct outside_witness *witness = &outside->witnesses[number];
    int64_t now_ms = outside->calls->boot_ms(outside->calls->context);
    char status[32];
    uint64_t size = 0;

    if (reply->http_status == OUTSIDE_HTTP_OK) {
        take_signed(outside, witness, reply->body, now_ms);
    } else if (reply->http_status == OUTSIDE_HTTP_CONFLICT && reply->is_size &&
               witness_size_read(&size, reply->body) == ST_OK) {
        submission_ended(&witness->submission, SUBMISSION_SIZE, size, now_ms);
    } else {
        (void)snprintf(status, sizeof status, "it answers %u",
                       reply->http_status);
        submission_ended(&witness->submission, SUBMISSION_FAILED, 0, now_ms);
        outside_fail(outside, witness, reply->http_status == 0 ? "" : status,
                     reply->http_status == 0 ? reply->why : "");
    }
    outside_turn(outside);
}

/* ---- Opening ------------------------------------------------------------ */

static void take_witnesses(struct outside *outside,
                           const struct tlog_policy *policy)
{
    for (size_t i = 0; i < policy->witnesses_count; i++) {
        struct outside_witness *out = &outside->witnesses[outside->count];

        out->of = &policy->witnesses[i];
        if (out->of->url.size == 0)
            continue; /* A node of the cluster, or one that comes by itself. */
        submission_init(&out->submission);
        if (witness_post_url(out->of->url))
            outside->count++;
        else
            outside_say(outside, out, CLUSTER_WARNING,
                        "its address is no http:// or https:// one", "");
    }
}

enum status outside_open(struct outside **outside_out, struct event_base *base,
                         const struct tlog_policy *policy,
                         const struct note_key *log_key,
                         const struct cosign_calls *calls)
{
    struct outside *outside = calloc(1, sizeof *outside);
    enum status status;

    if (outside == NULL)
        return ST_EXHAUSTED;
    outside->calls = calls;
    outside->log_key = log_key;
    take_witnesses(outside, policy);
    outside->timer = evtimer_new(base, on_time, outside);
    status = outside->timer == NULL
                 ? ST_EXHAUSTED
                 : witness_posts_open(&outside->posts, base, outside, on_done);
    if (status != ST_OK) {
        outside_close(outside);
        return status;
    }
    *outside_out = outside;
    return ST_OK;
}

void outside_close(struct outside *outside)
{
    if (outside == NULL)
        return;
    witness_posts_close(outside->posts);
    if (outside->timer != NULL)
        event_free(outside->timer);
    free(outside);
}

void outside_lead(struct outside *outside, bool leads)
{
    outside->leads = leads;
    outside_published(outside);
}

void outside_published(struct outside *outside)
{
    const struct cosign_calls *calls = outside->calls;
    struct checkpoint checkpoint;
    struct note note;
    size_t size;

    if (calls->note(calls->context, outside->note, &size) == ST_OK &&
        checkpoint_open(&checkpoint, &note, slice_of(outside->note, size),
                        outside->log_key) == ST_OK)
        outside->newest = checkpoint.size;
    outside_turn(outside);
}
