#include "client/program/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program/cluster.h"

enum {
    STATUS_TIMEOUT_MS = 10000,
    STATUS_TRIES = 3,
    STATUS_SILENT_MS = 5000 /* Of a node that is not heard. */
};

struct slice status_figure(const struct status_node *node, const char *name)
{
    struct list_reader reader;
    struct status_row row;

    list_reader_init(&reader, &node->rows.figures);
    while (list_reader_next(&reader, &schema_status_row, &row)) {
        if (row.name.size == strlen(name) &&
            memcmp(row.name.data, name, row.name.size) == 0)
            return row.value;
    }
    return slice_of(NULL, 0);
}

static bool is_text(struct slice text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

enum status_wait status_wait(const struct status_report *report)
{
    struct slice told;

    if (report->primary == NULL)
        return STATUS_WAIT_NOTHING;
    told = status_figure(report->primary, "realm.R");
    if (is_text(told, "waits for failover.request"))
        return STATUS_WAIT_REQUEST;
    return is_text(told, "waits for failover.approve") ? STATUS_WAIT_APPROVAL
                                                       : STATUS_WAIT_NOTHING;
}

bool status_lag(const struct status_report *report,
                const struct status_node *node, uint64_t *lag_out)
{
    const struct rows_status *first;

    if (report->primary == NULL || node->status != 0 ||
        !node->rows.has_log_size)
        return false;
    first = &report->primary->rows;
    *lag_out = first->log_size > node->rows.log_size
                   ? first->log_size - node->rows.log_size
                   : 0;
    return first->has_log_size;
}

/* The client's reason, without the address that stands before it. */
static void take_reason(struct status_node *node)
{
    const char *reason = defter_reason(node->client);
    size_t size = strlen(node->address);

    if (strncmp(reason, node->address, size) == 0 &&
        strncmp(reason + size, ": ", 2) == 0)
        reason += size + 2;
    snprintf(node->reason, sizeof node->reason, "%s", reason);
}

/* One address: a login there that stays there, and the query. */
static void ask(struct status_node *node, const struct defter_options *login)
{
    struct defter_options options = *login;
    struct field_error error;
    const uint8_t *bytes;
    size_t size;

    options.address = node->address;
    options.any_node = 1;
    options.timeout_ms = STATUS_TIMEOUT_MS;
    node->status = defter_open(&node->client, &options);
    if (node->status != 0)
        return;
    node->status =
        defter_query(node->client, QUERY_STATUS, NULL, 0, &bytes, &size);
    if (node->status != 0) {
        take_reason(node);
    } else if (strcmp(defter_address(node->client), node->address) != 0) {
        node->status = ST_NOT_PRIMARY;
        snprintf(node->reason, sizeof node->reason, "it leaves, and names %s",
                 defter_address(node->client));
    } else if (schema_decode(&schema_rows_status, &node->rows, &error,
                             slice_of(bytes, size), SCHEMA_SKIP_ODD) != ST_OK) {
        node->status = ST_BAD_FIELD;
        snprintf(node->reason, sizeof node->reason, "the answer is malformed");
    }
}

static bool claims_to_lead(const struct status_node *node)
{
    return node->status == 0 && node->rows.has_role &&
           (is_text(node->rows.role, "primary") ||
            is_text(node->rows.role, "single"));
}

/* One that was deposed and does not know it yet has an older epoch. */
static void find_primary(struct status_report *report)
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct status_node *node = &report->at[i];
        if (claims_to_lead(node) &&
            (report->primary == NULL ||
             node->rows.epoch > report->primary->rows.epoch))
            report->primary = node;
    }
}

__attribute__((format(printf, 2, 3))) static void add_why(
    struct status_report *report, const char *format, ...)
{
    size_t used = strlen(report->why);
    va_list arguments;

    if (used > 0 && used < sizeof report->why - 3)
        used += (size_t)snprintf(report->why + used, 3, "; ");
    va_start(arguments, format);
    (void)vsnprintf(report->why + used, sizeof report->why - used, format,
                    arguments);
    va_end(arguments);
}

static void judge_members(struct status_report *report)
{
    struct list_reader reader;
    struct cluster_row row;

    if (!report->primary->rows.has_members)
        return;
    list_reader_init(&reader, &report->primary->rows.members);
    while (list_reader_next(&reader, &schema_cluster_row, &row)) {
        /* The log comes to these without a commit waiting for them. */
        bool beside =
            is_text(row.role, "learner") || is_text(row.role, "archive");
        if (!row.in_sync && !beside)
            add_why(report, "%.*s %02x%02x%02x%02x is not in sync",
                    (int)row.role.size, row.role.data, row.node_id.b[0],
                    row.node_id.b[1], row.node_id.b[2], row.node_id.b[3]);
    }
}

/* The members answer, and yet nothing is committed: a node that is none may
 * have been named to the primary, which waits for it as well. */
static void suggest_settling(struct status_report *report)
{
    const struct bytes16 *silent = NULL;
    struct list_reader reader;
    struct cluster_row row;
    struct bytes16 id;

    if (!report->primary->rows.has_members)
        return;
    list_reader_init(&reader, &report->primary->rows.members);
    while (list_reader_next(&reader, &schema_cluster_row, &row)) {
        if (row.heard_ms < STATUS_SILENT_MS)
            continue;
        if (row.in_sync)
            return;
        id = row.node_id;
        silent = &id;
    }
    if (silent != NULL)
        add_why(report,
                "%02x%02x%02x%02x is silent: if member add or member replace "
                "named it, `defter member settle` goes on without it",
                silent->b[0], silent->b[1], silent->b[2], silent->b[3]);
}

/* A forced certificate came between them: they never speak with each other. */
static bool is_of_another_lineage(const struct status_report *report,
                                  const struct status_node *node)
{
    return report->primary != NULL && node->status == 0 &&
           node->rows.has_lineage && report->primary->rows.has_lineage &&
           memcmp(node->rows.lineage.b, report->primary->rows.lineage.b,
                  LINEAGE_SIZE) != 0;
}

static void judge(struct status_report *report)
{
    find_primary(report);
    if (report->primary == NULL) {
        add_why(report, "no primary answers");
    } else {
        struct slice state = status_figure(report->primary, "state");
        if (!is_text(state, "serving"))
            add_why(report, "the primary is %.*s", (int)state.size, state.data);
        if (is_text(state, "stalled"))
            suggest_settling(report);
        judge_members(report);
        if (status_wait(report) != STATUS_WAIT_NOTHING)
            add_why(report, "realm R is not served yet");
    }
    for (uint32_t i = 0; i < report->count; i++) {
        const struct status_node *node = &report->at[i];
        if (node->status != 0)
            add_why(report, "%s does not answer", node->address);
        else if (claims_to_lead(node) && node != report->primary)
            add_why(report, "%s takes itself for the primary", node->address);
        if (is_of_another_lineage(report, node))
            add_why(report, "%s is of another lineage", node->address);
    }
}

/* The exit code: of a cluster of which nobody answered, why not. */
static int conclude(const struct status_report *report)
{
    const struct status_node *first = &report->at[0];

    for (uint32_t i = 0; i < report->count; i++) {
        if (report->at[i].status == 0)
            return report->why[0] == '\0' ? EXIT_GOOD : EXIT_INCOMPLETE;
        if (report->at[i].status == ST_AUTH)
            first = &report->at[i];
    }
    return cluster_say_failure(first->status, first->reason);
}

/* Nodes that speak of different configurations, or name one that answers and
 * does not lead, are in the midst of a change: this is old in a moment. */
static bool is_changing(const struct status_report *report)
{
    const struct rows_status *first = NULL;

    for (uint32_t i = 0; i < report->count; i++) {
        const struct status_node *node = &report->at[i];
        if (node->status != 0)
            continue;
        if (first != NULL && node->rows.configuration != first->configuration)
            return true;
        first = &node->rows;
        for (uint32_t k = 0; k < report->count && node->rows.has_primary; k++) {
            const struct status_node *other = &report->at[k];
            if (other->status == 0 && !claims_to_lead(other) &&
                memcmp(other->rows.node_id.b, node->rows.primary.b,
                       NODE_ID_SIZE) == 0)
                return true;
        }
    }
    return false;
}

static void close_all(struct status_report *report)
{
    for (uint32_t i = 0; i < report->count; i++)
        defter_close(report->at[i].client);
}

static void ask_all(struct status_report *report,
                    const struct cluster_login *login)
{
    enum status status = nodes_open(&report->nodes, login->cluster.addresses);

    INVARIANT(status == ST_OK); /* It was looked at with the login. */
    report->count = report->nodes.given;
    for (uint32_t i = 0; i < report->count; i++) {
        report->at[i].address = report->nodes.at[i].address;
        ask(&report->at[i], &login->options);
    }
}

/* One that may not lead before others hold its log stays so until it is told.
 */
static void hint_candidates(struct status_report *report)
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct status_node *node = &report->at[i];
        if (node->status == 0 && node->rows.has_role &&
            is_text(node->rows.role, "candidate"))
            add_why(report,
                    "while %s stays a candidate, it may wait for `defter "
                    "member add`: its diagnostics name the command",
                    node->address);
    }
}

/* A change of primary takes a second or two: what is shown is what came of it.
 */
static void ask_until_settled(struct status_report *report,
                              const struct cluster_login *login)
{
    for (int tries = 1; tries <= STATUS_TRIES; tries++) {
        memset(report, 0, sizeof *report);
        ask_all(report, login);
        if (!is_changing(report))
            return;
        if (tries == STATUS_TRIES)
            break;
        close_all(report);
        (void)sleep(1);
    }
    add_why(report, "the nodes do not agree yet on who leads and who is a "
                    "member: ask again");
    hint_candidates(report);
}

int status_run(struct program *program, int argc, char **argv)
{
    struct cluster_login login;
    struct status_report *report;
    int code;

    if (argc != 1)
        return program_usage(argv[0]);
    report = calloc(1, sizeof *report);
    code = cluster_login_read(&login, program, 0);
    if (report == NULL)
        code = program_fail(EXIT_REFUSED, "out of memory");
    if (code == EXIT_GOOD) {
        ask_until_settled(report, &login);
        judge(report);
        if (program->json)
            status_print_json(report);
        else
            status_print_text(program, report);
        code = conclude(report);
        close_all(report);
    }
    cluster_login_wipe(&login);
    free(report);
    return code;
}
