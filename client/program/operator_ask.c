#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/program/cluster.h"
#include "client/program/operator.h"
#include "protocol/catalogue.h"
#include "protocol/nodecert.h"

static int64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void not_reached(struct operator_node *node, const char *why)
{
    (void)snprintf(node->why_not, sizeof node->why_not, "%s", why);
}

static int connect_node(struct operator_job *job, struct operator_node *node)
{
    struct program program = job->program;
    int status;

    program.address = node->row->address;
    program.timeout_ms = OPERATOR_TIMEOUT_MS;
    program.any_node = true; /* What this one states, whoever leads. */
    if (node->client == NULL) {
        int code = cluster_client(&node->client, &program, 0);
        if (code != EXIT_GOOD)
            return code;
    }
    status = defter_connect(node->client);
    if (status != 0)
        (void)snprintf(node->why_not, sizeof node->why_not, "%s: %s",
                       defter_status_name(status), defter_reason(node->client));
    return EXIT_GOOD;
}

/* The certificate is of this node, and of this cluster's authority. */
static bool take_certificate(struct operator_job *job,
                             struct operator_node *node, struct slice bytes)
{
    struct nodecert_expected expected = {.now_s = (int64_t)time(NULL)};
    struct nodecert certificate;
    enum nodecert_fault fault;

    if (bytes.size != NODECERT_SIZE) {
        not_reached(node, "it shows no certificate");
        return false;
    }
    nodecert_decode(&certificate, bytes.data);
    expected.role = certificate.role; /* Any: it is the key that matters. */
    memcpy(expected.authority_key, job->authority_key, PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, job->view.cluster_id, CLUSTER_ID_SIZE);
    if (nodecert_verify(&certificate, &fault, bytes.data, &expected, NULL) !=
        ST_OK) {
        not_reached(node, nodecert_fault_text(fault));
        return false;
    }
    if (memcmp(certificate.node_id, node->row->node_id, NODE_ID_SIZE) != 0) {
        not_reached(node, "another node answers at this address");
        return false;
    }
    memcpy(node->receipt_key, certificate.receipt_key, PUBLIC_KEY_SIZE);
    return true;
}

static void take_rows(struct operator_job *job, size_t at,
                      const struct rows_cluster_statement *rows)
{
    struct operator_node *node = &job->known[at];
    enum status status;

    node->mode = (enum operator_mode)rows->mode;
    if (rows->code != 0) {
        not_reached(node, status_info(rows->code)->english);
        return;
    }
    if (node->mode == MODE_SINGLE) {
        not_reached(node, "it is a single node, of no cluster");
        return;
    }
    if (!take_certificate(job, node, rows->certificate))
        return;
    status =
        succession_take(&job->view.nodes[at], rows->statement,
                        node->receipt_key, rows->config, job->view.cluster_id);
    not_reached(node, status == ST_OK ? "" : status_info(status)->english);
}

static void ask_node(struct operator_job *job, size_t at, struct slice request)
{
    struct operator_node *node = &job->known[at];
    struct query_cluster_statement fields = {.request = request};
    struct rows_cluster_statement rows;
    struct field_error error;
    uint8_t bytes[STATEMENT_REQUEST_SIZE + 16];
    struct writer writer;
    const uint8_t *answer;
    size_t size;
    int status;

    job->view.nodes[at].reached = false;
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(&schema_query_cluster_statement, &writer, &fields);
    INVARIANT(writer.status == ST_OK);
    status = defter_query(node->client, QUERY_CLUSTER_STATEMENT, bytes,
                          writer.used, &answer, &size);
    if (status != 0)
        (void)snprintf(node->why_not, sizeof node->why_not, "%s: %s",
                       defter_status_name(status), defter_reason(node->client));
    else if (schema_decode(&schema_rows_cluster_statement, &rows, &error,
                           slice_of(answer, size), SCHEMA_SKIP_ODD) != ST_OK)
        not_reached(node, "the answer is malformed");
    else
        take_rows(job, at, &rows);
}

int operator_ask_all(struct operator_job *job)
{
    for (size_t at = 0; at < job->view.nodes_count; at++) {
        struct operator_node *node = &job->known[at];
        int code = EXIT_GOOD;
        if (node->left_out)
            not_reached(node, "left out");
        else
            code = connect_node(job, node);
        if (code != EXIT_GOOD)
            return code;
        if (node->why_not[0] == '\0')
            ask_node(job, at, slice_of(NULL, 0));
    }
    return EXIT_GOOD;
}

static size_t place_of(const struct operator_job *job, const uint8_t *node_id)
{
    size_t at = 0;

    while (at < job->view.nodes_count &&
           memcmp(job->view.nodes[at].node_id, node_id, NODE_ID_SIZE) != 0)
        at++;
    return at;
}

static void ask_primary_once(struct operator_job *job, size_t at,
                             const uint8_t *about)
{
    struct statement_request request = {.why = job->wish.why,
                                        .time_us = now_us()};
    uint8_t bytes[STATEMENT_REQUEST_SIZE];

    memcpy(request.cluster_id, job->view.cluster_id, CLUSTER_ID_SIZE);
    memcpy(request.asked, job->view.nodes[at].node_id, NODE_ID_SIZE);
    memcpy(request.about, about, NODE_ID_SIZE);
    statement_request_sign(bytes, &request, &job->identity);
    ask_node(job, at, slice_of(bytes, sizeof bytes));
}

/* Whether the old primary has stopped and the new one holds all of it. */
static bool is_handed_over(const struct succession_node *node)
{
    const struct statement *said = &node->statement;

    return !node->reached ||
           ((said->flags & STATEMENT_SEALED) != 0 &&
            said->other_matched >= said->size && said->committed >= said->size);
}

int operator_ask_primary(struct operator_job *job, const uint8_t *about,
                         bool wait_sealed)
{
    time_t until = time(NULL) + job->wait_s;
    struct succession_plan newest;
    size_t at;

    if (succession_newest(&newest, &job->view) != SUCCESSION_GOOD)
        return EXIT_GOOD; /* Which is said when the wish is judged. */
    at = place_of(job, newest.older.primary);
    if (at == job->view.nodes_count || !job->view.nodes[at].reached)
        return EXIT_GOOD;
    ask_primary_once(job, at, about);
    job->named =
        (job->wish.why == CONFIG_ADD || job->wish.why == CONFIG_REPLACE) &&
        job->view.nodes[at].reached;
    while (wait_sealed && !is_handed_over(&job->view.nodes[at]) &&
           time(NULL) < until) {
        (void)sleep(1);
        ask_primary_once(job, at, about);
    }
    return EXIT_GOOD;
}

bool operator_await_leader(struct operator_job *job)
{
    enum { PAUSE_NS = 200000000 };
    size_t at = place_of(job, job->wish.node);
    time_t until = time(NULL) + job->wait_s;

    INVARIANT(at < job->view.nodes_count); /* It was named by the list. */
    for (;;) {
        const struct succession_node *node = &job->view.nodes[at];
        ask_node(job, at, slice_of(NULL, 0));
        if (node->reached && (node->statement.flags & STATEMENT_PRIMARY) != 0)
            return true;
        if (time(NULL) >= until)
            return false;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
}

/* The figure "name" of a passport. */
static bool take_name(struct operator_job *job, struct slice answer)
{
    struct rows_passport rows;
    struct field_error error;
    struct list_reader reader;
    struct status_row row;

    if (schema_decode(&schema_rows_passport, &rows, &error, answer,
                      SCHEMA_SKIP_ODD) != ST_OK)
        return false;
    list_reader_init(&reader, &rows.figures);
    while (list_reader_next(&reader, &schema_status_row, &row)) {
        if (slice_equal(row.name, slice_of("name", 4)) && row.value.size > 0 &&
            row.value.size < sizeof job->name) {
            memcpy(job->name, row.value.data, row.value.size);
            job->name[row.value.size] = '\0';
            return true;
        }
    }
    return false;
}

void operator_ask_name(struct operator_job *job)
{
    const uint8_t *answer;
    size_t size;

    for (size_t at = 0; at < job->view.nodes_count; at++) {
        if (job->view.nodes[at].reached &&
            defter_query(job->known[at].client, QUERY_PASSPORT, NULL, 0,
                         &answer, &size) == 0 &&
            take_name(job, slice_of(answer, size)))
            return;
    }
    sodium_bin2hex(job->name, sizeof job->name, job->view.cluster_id,
                   CLUSTER_ID_SIZE);
}
