#include <cJSON.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/program/operator.h"
#include "client/program/say.h"

static void add_id(cJSON *object, const char *name, const uint8_t *node_id)
{
    char hex[2 * NODE_ID_SIZE + 1];

    sodium_bin2hex(hex, sizeof hex, node_id, NODE_ID_SIZE);
    if (name == NULL)
        cJSON_AddItemToArray(object, cJSON_CreateString(hex));
    else
        cJSON_AddStringToObject(object, name, hex);
}

static void add_config(cJSON *root, const char *name,
                       const struct config *config)
{
    cJSON *object = cJSON_AddObjectToObject(root, name), *list;

    cJSON_AddNumberToObject(object, "number", (double)config->number);
    cJSON_AddStringToObject(object, "why", config_why_name(config->why));
    cJSON_AddNumberToObject(object, "epoch", config->epoch);
    cJSON_AddNumberToObject(object, "minimum", config->minimum);
    cJSON_AddBoolToObject(object, "recovering",
                          config->phase == CONFIG_RECOVERING);
    add_id(object, "primary", config->primary);
    list = cJSON_AddArrayToObject(object, "members");
    for (size_t i = 0; i < config->members_count; i++)
        add_id(list, NULL, config->members[i].node_id);
    list = cJSON_AddArrayToObject(object, "learners");
    for (size_t i = 0; i < config->learners_count; i++)
        add_id(list, NULL, config->learners[i]);
    list = cJSON_AddArrayToObject(object, "eligible");
    for (size_t i = 0; i < config->eligible_count; i++)
        add_id(list, NULL, config->eligible[i]);
}

static void add_node(cJSON *list, const struct operator_job *job, size_t at)
{
    const struct succession_node *node = &job->view.nodes[at];
    const struct operator_delivery *out = &job->delivered[at];
    const struct statement *said = &node->statement;
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToArray(list, object);
    add_id(object, "node", node->node_id);
    cJSON_AddBoolToObject(object, "archive", node->archive);
    cJSON_AddBoolToObject(object, "answers", node->reached);
    if (!node->reached) {
        cJSON_AddStringToObject(object, "why", job->known[at].why_not);
        return;
    }
    cJSON_AddNumberToObject(object, "entries", (double)said->size);
    cJSON_AddNumberToObject(object, "committed", (double)said->committed);
    cJSON_AddNumberToObject(object, "promised", said->promised);
    cJSON_AddNumberToObject(object, "configuration",
                            (double)said->config_number);
    cJSON_AddNumberToObject(object, "incarnation", (double)said->incarnation);
    cJSON_AddBoolToObject(object, "leads",
                          (said->flags & STATEMENT_PRIMARY) != 0);
    cJSON_AddBoolToObject(object, "stopped",
                          (said->flags & STATEMENT_SEALED) != 0);
    cJSON_AddBoolToObject(object, "lost", (said->flags & STATEMENT_LOST) != 0);
    cJSON_AddBoolToObject(object, "damaged",
                          (said->flags & STATEMENT_DAMAGED) != 0);
    if (out->tried)
        cJSON_AddNumberToObject(object, "delivered", out->code);
}

static void add_plan(cJSON *root, const struct operator_job *job)
{
    const struct succession_plan *plan = &job->plan;

    if (plan->older.number != 0)
        add_config(root, "now", &plan->older);
    cJSON_AddBoolToObject(root, "may_be_signed", job->fault == SUCCESSION_GOOD);
    if (job->fault != SUCCESSION_GOOD) {
        cJSON_AddStringToObject(root, "fault",
                                succession_fault_text(job->fault));
        if (job->fault == SUCCESSION_CONFIG)
            cJSON_AddStringToObject(root, "rule",
                                    config_fault_text(plan->config_fault));
        if (!sodium_is_zero(plan->concerned, NODE_ID_SIZE))
            add_id(root, "concerned", plan->concerned);
        return;
    }
    if (plan->newer.number != 0)
        add_config(root, "next", &plan->newer);
    cJSON_AddBoolToObject(root, "witness_needed", plan->witness_needed);
    if (job->wish.why == CONFIG_FORCED) {
        cJSON_AddNumberToObject(root, "kept", (double)plan->kept);
        cJSON_AddNumberToObject(root, "known_committed", (double)plan->known);
        cJSON_AddNumberToObject(root, "most_held", (double)plan->held);
    }
}

void operator_say_json(const struct operator_job *job)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *nodes = cJSON_AddArrayToObject(root, "nodes");

    for (size_t at = 0; at < job->view.nodes_count; at++)
        add_node(nodes, job, at);
    add_plan(root, job);
    if (job->paper[0] != '\0')
        cJSON_AddStringToObject(root, "paper", job->paper);
    if (job->saved[0] != '\0')
        cJSON_AddStringToObject(root, "certificate", job->saved);
    if (job->fault == SUCCESSION_GOOD) {
        char next[OPERATOR_NEXT_SIZE];
        operator_next(job, next);
        cJSON_AddStringToObject(root, "next_command", next);
    }
    say_json(root, true);
}
