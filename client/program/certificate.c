#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/program/operator.h"

/* A certificate's file; nothing of the cluster is needed. */
static int show(const struct program *program, const char *path)
{
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    size_t size;
    enum status status = file_read(bytes, &size, path, sizeof bytes, false);

    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", path,
                            status_info(status)->english);
    return operator_say_certificate(program, path, slice_of(bytes, size));
}

static int said(const struct operator_job *job, int code)
{
    if (job->program.json)
        operator_say_json(job);
    else
        operator_say_done(job);
    return code;
}

/* What was signed last is signed and delivered once more. */
static int again(struct operator_job *job)
{
    int code = operator_ask_all(job);

    if (code != EXIT_GOOD)
        return code;
    job->fault = succession_newest(&job->plan, &job->view);
    if (job->fault != SUCCESSION_GOOD) {
        operator_say(job);
        return EXIT_REFUSED;
    }
    code = operator_sign_again(job);
    if (code == EXIT_GOOD)
        code = operator_deliver(job);
    return said(job, code);
}

static int deliver(struct operator_job *job, const char *path)
{
    struct config_cert cert;
    enum status status = file_read(job->certificate, &job->certificate_size,
                                   path, sizeof job->certificate, false);
    int code;

    if (status == ST_OK)
        status = config_cert_decode(
            &cert, slice_of(job->certificate, job->certificate_size));
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", path,
                            status_info(status)->english);
    code = operator_ask_all(job);
    if (code == EXIT_GOOD) {
        (void)snprintf(job->saved, sizeof job->saved, "%s", path);
        code = operator_deliver(job);
    }
    return said(job, code);
}

/* The note that is to be kept on paper. */
static int paper(struct operator_job *job)
{
    enum status status =
        sign_store_open(&job->store, job->state_path, job->view.cluster_id);

    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: %s", job->state_path,
                            status_info(status)->english);
    sign_state_paper(job->paper, sign_store_state(job->store));
    puts(job->paper);
    return EXIT_GOOD;
}

/* A state that was lost, set up anew from that note. */
static int from_paper(const struct operator_job *job, const char *number,
                      const char *digits)
{
    struct sign_state state;
    enum status status;
    size_t got;

    sign_state_init(&state, SIGN_OPERATOR, job->view.cluster_id);
    if (!program_number(&state.number, number, 0, UINT64_MAX - 1) ||
        strlen(digits) != 8 ||
        sodium_hex2bin(state.hash, 4, digits, 8, NULL, &got, NULL) != 0 ||
        got != 4 || (state.number == 0 && !sodium_is_zero(state.hash, 4)))
        return program_usage("certificate");
    status = sign_store_create(job->state_path, &state);
    return status == ST_OK
               ? EXIT_GOOD
               : program_fail(EXIT_REFUSED, "%s: %s", job->state_path,
                              status_info(status)->english);
}

static int take_words(struct operator_job *job, int count, char **words)
{
    if (count == 1 && strcmp(words[0], "again") == 0)
        return again(job);
    if (count == 2 && strcmp(words[0], "deliver") == 0)
        return deliver(job, words[1]);
    if (count == 1 && strcmp(words[0], "paper") == 0)
        return paper(job);
    if (count == 3 && strcmp(words[0], "paper") == 0)
        return from_paper(job, words[1], words[2]);
    return program_usage("certificate");
}

int certificate_run(struct program *program, int argc, char **argv)
{
    static struct operator_job job;
    int at, code;

    if (argc == 3 && strcmp(argv[1], "show") == 0)
        return show(program, argv[2]);
    if (argc < 2)
        return program_usage(argv[0]);
    code = operator_begin(&job, program, argc, argv, &at);
    if (code == EXIT_GOOD)
        code = at < argc ? take_words(&job, argc - at, argv + at)
                         : program_usage(argv[0]);
    operator_end(&job);
    return code;
}
