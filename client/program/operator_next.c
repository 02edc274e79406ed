#include <stdio.h>

#include "client/program/operator.h"

/* A member that did not answer: the new primary waits for it. */
static const struct succession_node *silent_member(
    const struct operator_job *job)
{
    const struct config *config = &job->plan.newer;

    for (size_t at = 0; at < job->view.nodes_count; at++) {
        const struct succession_node *node = &job->view.nodes[at];
        if (!node->reached && config_has_member(config, node->node_id))
            return node;
    }
    return NULL;
}

/* Who could take its place: a node that may lead before an archive. */
static const struct succession_node *stand_in(const struct operator_job *job)
{
    const struct config *config = &job->plan.newer;
    const struct succession_node *found = NULL;

    for (size_t at = 0; at < job->view.nodes_count; at++) {
        const struct succession_node *node = &job->view.nodes[at];
        if (!node->reached || !config_has_learner(config, node->node_id))
            continue;
        if (!node->archive)
            return node;
        found = node;
    }
    return found;
}

static void after_promotion(const struct operator_job *job,
                            char out[OPERATOR_NEXT_SIZE])
{
    const struct config *config = &job->plan.newer;
    const struct succession_node *silent = silent_member(job);
    const struct succession_node *other = stand_in(job);
    char id[OPERATOR_SHORT_SIZE], by[OPERATOR_SHORT_SIZE];

    if (silent == NULL)
        return;
    operator_short(id, silent->node_id);
    if (config->members_count > config->minimum) {
        (void)snprintf(out, OPERATOR_NEXT_SIZE, "defter member remove %s", id);
    } else if (other != NULL) {
        operator_short(by, other->node_id);
        (void)snprintf(out, OPERATOR_NEXT_SIZE, "defter member replace %s %s",
                       id, by);
    }
}

void operator_next(const struct operator_job *job, char out[OPERATOR_NEXT_SIZE])
{
    char id[OPERATOR_SHORT_SIZE];

    (void)snprintf(out, OPERATOR_NEXT_SIZE, "defter status");
    if (job->unwitnessed) {
        (void)snprintf(out, OPERATOR_NEXT_SIZE, "defter certificate again");
    } else if (job->wish.why == CONFIG_PROMOTE) {
        after_promotion(job, out);
    } else if (job->wish.why == CONFIG_PROMOTE_VIA) {
        operator_short(id, job->wish.by);
        (void)snprintf(out, OPERATOR_NEXT_SIZE, "defter member adopted %s", id);
    }
}

/* Why that is next. */
void operator_say_next(const struct operator_job *job)
{
    const struct program *program = &job->program;
    char next[OPERATOR_NEXT_SIZE];

    operator_next(job, next);
    printf(OPERATOR_WORDS(program, "Next: %s", "Növbəti: %s"), next);
    if (job->wish.why == CONFIG_PROMOTE && silent_member(job) != NULL)
        fputs(OPERATOR_WORDS(program,
                             "  (nothing is acknowledged while a member is "
                             "silent)",
                             "  (üzv cavab vermədikcə heç nə təsdiq edilmir)"),
              stdout);
    if (job->wish.why == CONFIG_SWITCHOVER)
        fputs(OPERATOR_WORDS(program,
                             "  (it tells whether realm R waits, and what "
                             "ends that)",
                             "  (R məkanının gözləyib-gözləmədiyini və nəyin "
                             "lazım olduğunu deyir)"),
              stdout);
    putchar('\n');
}
