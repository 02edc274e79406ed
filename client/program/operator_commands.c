#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/program/operator.h"

/* Whom the primary is to be asked about; NULL: nothing. */
static const uint8_t *asked_about(const struct succession_wish *wish)
{
    switch (wish->why) {
    case CONFIG_REPLACE:
    case CONFIG_ADOPTED:
        return wish->by;
    case CONFIG_REMOVE:
    case CONFIG_ADD:
    case CONFIG_SWITCHOVER:
        return wish->node;
    case CONFIG_BOOT:
    case CONFIG_RESTART:
    case CONFIG_PROMOTE:
    case CONFIG_PROMOTE_VIA:
    case CONFIG_SETTLE:
    case CONFIG_FORCED:
    case CONFIG_NODES:
        break;
    }
    return NULL;
}

/* Nodes that take a register's word take no certificate. */
static bool is_automatic(const struct operator_job *job)
{
    for (size_t at = 0; at < job->view.nodes_count; at++) {
        if (job->known[at].mode == MODE_ETCD)
            return true;
    }
    return false;
}

/* The primary was asked to hand over, and the register decides: what came of
 * it. */
static int see_hand_over(struct operator_job *job)
{
    bool leads, json = job->program.json;

    if (!json) {
        puts(OPERATOR_WORDS(&job->program,
                            "The primary was asked to hand over; the "
                            "register decides.",
                            "Əsas qovşaqdan təhvil xahiş edildi; qərarı "
                            "reyestr verir."));
        (void)fflush(stdout);
    }
    leads = operator_await_leader(job);
    if (json)
        operator_say_json(job);
    if (!leads)
        return program_fail(EXIT_INCOMPLETE, "%s",
                            OPERATOR_WORDS(&job->program,
                                           "it does not lead yet; defter "
                                           "status tells who does",
                                           "o hələ rəhbərlik etmir; kimin "
                                           "etdiyini defter status deyir"));
    if (json)
        return EXIT_GOOD;
    puts(OPERATOR_WORDS(&job->program, "It leads.", "O rəhbərlik edir."));
    operator_say_next(job);
    return EXIT_GOOD;
}

static int refuse_automatic(struct operator_job *job)
{
    if (job->wish.why == CONFIG_SWITCHOVER)
        return see_hand_over(job);
    return program_fail(EXIT_REFUSED,
                        "these nodes take etcd's word (mode = etcd): nothing "
                        "is signed; set mode = manual on every node first");
}

/* A countersignature is needed, and nobody is there to give it: what has to be
 * known before a primary stops, or waits for a node, for nothing. */
static bool is_without_witness(const struct operator_job *job)
{
    struct succession_plan newest;

    if (job->authority_path != NULL ||
        succession_newest(&newest, &job->view) != SUCCESSION_GOOD ||
        !newest.witness_needed)
        return false;
    for (size_t at = 0; at < job->view.nodes_count; at++) {
        if (job->view.nodes[at].archive && job->view.nodes[at].reached)
            return false;
    }
    return true;
}

static int refuse_without_witness(const struct operator_job *job)
{
    return program_fail(
        EXIT_REFUSED, "%s",
        OPERATOR_WORDS(&job->program,
                       "an archive must countersign, and none answers: nothing "
                       "was signed. Start it, or let the authority's key stand "
                       "for it: --authority FILE",
                       "arxiv qovşağı da imzalamalıdır, lakin cavab vermir: "
                       "heç nə imzalanmadı. Onu işə salın və ya əvəzinə "
                       "səlahiyyətli açarla imzalayın: --authority FAYL"));
}

/* Who is the primary already is promoted to further epochs. */
static bool is_primary(struct operator_job *job)
{
    return succession_newest(&job->plan, &job->view) == SUCCESSION_GOOD &&
           memcmp(job->plan.older.primary, job->wish.node, NODE_ID_SIZE) == 0;
}

/* From the wish to what came of it. */
static int carry_out(struct operator_job *job)
{
    const uint8_t *about = asked_about(&job->wish);
    int code = operator_ask_all(job);

    if (code != EXIT_GOOD)
        return code;
    if (about != NULL && !is_automatic(job) && is_without_witness(job)) {
        if (!job->program.json)
            operator_say_nodes(job);
        (void)fflush(stdout);
        return refuse_without_witness(job);
    }
    if (about != NULL)
        code = operator_ask_primary(job, about,
                                    job->wish.why == CONFIG_SWITCHOVER &&
                                        !is_automatic(job));
    if (code != EXIT_GOOD)
        return code;
    if (is_automatic(job))
        return refuse_automatic(job);
    randombytes_buf(job->wish.nonce, CONFIG_NONCE_SIZE);
    if (job->wish.why == CONFIG_PROMOTE && is_primary(job))
        job->wish.why = CONFIG_RESTART;
    job->fault = succession_make(&job->plan, &job->view, &job->wish);
    if (!job->program.json)
        operator_say(job);
    if (job->fault != SUCCESSION_GOOD) {
        if (job->program.json)
            operator_say_json(job);
        return EXIT_REFUSED;
    }
    (void)fflush(stdout);
    if (is_without_witness(job))
        return refuse_without_witness(job);
    if (job->wish.why == CONFIG_FORCED)
        operator_ask_name(job);
    code = operator_confirm(job);
    if (code == EXIT_GOOD)
        code = operator_sign(job);
    if (code == EXIT_GOOD)
        code = operator_deliver(job);
    if (job->program.json)
        operator_say_json(job);
    else
        operator_say_done(job);
    if (code == EXIT_GOOD && !job->program.json)
        operator_say_next(job);
    return code;
}

/* A node of the list, by a word of the command line. */
static int take_node(const struct operator_job *job, uint8_t out[NODE_ID_SIZE],
                     const char *word)
{
    const struct nodes_conf_row *row;
    int code = nodes_conf_named(&job->nodes, &row, word);

    if (code == EXIT_GOOD)
        memcpy(out, row->node_id, NODE_ID_SIZE);
    return code;
}

static int finish(struct operator_job *job, int code)
{
    /* Nobody agrees to what he has not been shown. */
    if (code == EXIT_GOOD && job->program.json &&
        (!job->yes || job->wish.why == CONFIG_FORCED))
        code = program_fail(EXIT_USAGE, "--json needs --yes, and force takes "
                                        "neither");
    if (code == EXIT_GOOD)
        code = carry_out(job);
    operator_end(job);
    return code;
}

int promote_run(struct program *program, int argc, char **argv)
{
    static struct operator_job job;
    int at, code = operator_begin(&job, program, argc, argv, &at);

    if (code == EXIT_GOOD && argc - at != 1)
        code = program_usage(argv[0]);
    job.wish.why = job.via != NULL ? CONFIG_PROMOTE_VIA : CONFIG_PROMOTE;
    if (code == EXIT_GOOD)
        code = take_node(&job, job.wish.node, argv[at]);
    if (code == EXIT_GOOD && job.via != NULL)
        code = take_node(&job, job.wish.by, job.via);
    return finish(&job, code);
}

int switchover_run(struct program *program, int argc, char **argv)
{
    static struct operator_job job;
    int at, code = operator_begin(&job, program, argc, argv, &at);

    if (code == EXIT_GOOD && argc - at != 1)
        code = program_usage(argv[0]);
    job.wish.why = CONFIG_SWITCHOVER;
    if (code == EXIT_GOOD)
        code = take_node(&job, job.wish.node, argv[at]);
    return finish(&job, code);
}

int force_run(struct program *program, int argc, char **argv)
{
    static struct operator_job job;
    int at, code = operator_begin(&job, program, argc, argv, &at);

    if (code == EXIT_GOOD && argc - at != 1)
        code = program_usage(argv[0]);
    if (code == EXIT_GOOD && job.authority_path == NULL)
        code =
            program_fail(EXIT_USAGE, "force needs two keys: --authority FILE");
    job.wish.why = CONFIG_FORCED;
    job.wish.minimum = job.minimum;
    if (code == EXIT_GOOD)
        code = take_node(&job, job.wish.node, argv[at]);
    return finish(&job, code);
}

static const struct {
    const char *name;
    enum config_why why;
    int words;
    bool retire;
} member_verbs[] = {
    {"remove", CONFIG_REMOVE, 2, false},
    {"replace", CONFIG_REPLACE, 3, false},
    {"add", CONFIG_ADD, 2, false},
    {"enrol", CONFIG_NODES, 2, false},
    {"retire", CONFIG_NODES, 2, true},
    {"minimum", CONFIG_NODES, 2, false},
    {"adopted", CONFIG_ADOPTED, 2, false},
    {"settle", CONFIG_SETTLE, 1, false},
};

/* The words behind "member". */
static int take_member(struct operator_job *job, int count, char **words)
{
    uint64_t number;
    int code;

    for (size_t i = 0; i < sizeof member_verbs / sizeof member_verbs[0]; i++) {
        if (count != member_verbs[i].words ||
            strcmp(words[0], member_verbs[i].name) != 0)
            continue;
        job->wish.why = member_verbs[i].why;
        job->wish.retire = member_verbs[i].retire;
        if (job->wish.why == CONFIG_SETTLE)
            return EXIT_GOOD;
        if (strcmp(words[0], "minimum") == 0) {
            if (!program_number(&number, words[1], 1, CONFIG_NODES_MAX))
                return program_usage("member");
            job->wish.minimum = (uint8_t)number;
            return EXIT_GOOD;
        }
        if (job->wish.why == CONFIG_ADOPTED)
            return take_node(job, job->wish.by, words[1]);
        code = take_node(job, job->wish.node, words[1]);
        if (code == EXIT_GOOD && count == 3)
            code = take_node(job, job->wish.by, words[2]);
        return code;
    }
    return program_usage("member");
}

int member_run(struct program *program, int argc, char **argv)
{
    static struct operator_job job;
    int at, code = operator_begin(&job, program, argc, argv, &at);

    if (code == EXIT_GOOD && argc - at < 1)
        code = program_usage(argv[0]);
    if (code == EXIT_GOOD)
        code = take_member(&job, argc - at, argv + at);
    return finish(&job, code);
}
