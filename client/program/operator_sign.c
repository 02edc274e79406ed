#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/program/operator.h"
#include "protocol/catalogue.h"

static int state_fail(const struct operator_job *job, enum status status)
{
    const char *advice = "";

    if (status == ST_NO_FILE)
        advice = " (nothing is signed without it; from the note on paper: "
                 "`defter certificate paper NUMBER DIGITS`)";
    else if (status == ST_BUSY)
        advice = " (another process is signing)";
    else if (status == ST_EXISTS)
        advice = " (another configuration of this number was signed: `defter "
                 "certificate again` delivers that one)";
    return program_fail(EXIT_REFUSED, "%s: %s%s", job->state_path,
                        status_info(status)->english, advice);
}

static int open_state(struct operator_job *job)
{
    enum status status;

    if (job->store != NULL)
        return EXIT_GOOD;
    status =
        sign_store_open(&job->store, job->state_path, job->view.cluster_id);
    return status == ST_OK ? EXIT_GOOD : state_fail(job, status);
}

/* The node's countersignature, verified; false: why_not is said. */
static bool ask_witness(struct operator_job *job, struct writer *writer,
                        size_t at)
{
    struct operator_node *node = &job->known[at];
    struct query_cluster_witness fields = {.certificate = writer_slice(writer)};
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX + 16];
    struct rows_cluster_witness rows;
    struct config_cert cert;
    struct field_error error;
    struct writer query;
    const uint8_t *answer;
    size_t size;
    int status;

    writer_init(&query, bytes, sizeof bytes);
    schema_encode(&schema_query_cluster_witness, &query, &fields);
    INVARIANT(query.status == ST_OK);
    status = defter_query(node->client, QUERY_CLUSTER_WITNESS, bytes,
                          query.used, &answer, &size);
    if (status == 0 &&
        schema_decode(&schema_rows_cluster_witness, &rows, &error,
                      slice_of(answer, size), SCHEMA_SKIP_ODD) != ST_OK)
        status = ST_BAD_FIELD;
    if (status == 0 && rows.code != 0)
        status = rows.code;
    if (status == 0 &&
        (config_cert_decode(&cert, writer_slice(writer)) != ST_OK ||
         identity_verify(node->receipt_key, rows.signature.b, TAG_WITNESS, NULL,
                         cert.signed_bytes.data,
                         cert.signed_bytes.size) != ST_OK))
        status = ST_BAD_SIG;
    if (status != 0) {
        (void)snprintf(node->why_not, sizeof node->why_not,
                       "no countersignature: %s",
                       status_info((uint32_t)status)->english);
        return false;
    }
    config_cert_add_witness(writer, job->view.nodes[at].node_id,
                            rows.signature.b);
    return true;
}

static bool add_witness(struct operator_job *job, struct writer *writer)
{
    for (size_t at = 0; at < job->view.nodes_count; at++) {
        if (job->view.nodes[at].archive && job->view.nodes[at].reached &&
            ask_witness(job, writer, at))
            return true;
    }
    return false;
}

/* ${out} is wiped by whoever asked, also if the key is not the right one. */
static int read_authority(struct identity *out, const struct operator_job *job)
{
    struct keyfile key;
    enum status status =
        file_read_key(&key, job->authority_path, KEYFILE_AUTHORITY);

    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", job->authority_path,
                            status_info(status)->english);
    identity_init(out, key.secret);
    keyfile_wipe(&key);
    if (memcmp(out->public_key, job->authority_key, PUBLIC_KEY_SIZE) != 0)
        return program_fail(EXIT_USAGE, "%s: not this cluster's authority",
                            job->authority_path);
    return EXIT_GOOD;
}

/* ${directory of the state}/NUMBER-DIGITS.certificate, or where it was wished.
 * The digits are the paper's: another of that number never takes its place. */
static bool out_path(char out[FILE_PATH_SIZE_MAX],
                     const struct operator_job *job)
{
    const char *slash = strrchr(job->state_path, '/');
    int length = slash == NULL ? 0 : (int)(slash - job->state_path + 1);
    char name[SIGN_PAPER_SIZE];
    int size;

    (void)snprintf(name, sizeof name, "%s", job->paper);
    name[strcspn(name, " ")] = '-';
    size = job->out_path != NULL
               ? snprintf(out, FILE_PATH_SIZE_MAX, "%s", job->out_path)
               : snprintf(out, FILE_PATH_SIZE_MAX, "%.*s%s.certificate", length,
                          job->state_path, name);
    return size > 0 && size < FILE_PATH_SIZE_MAX;
}

/* One that lacks a countersignature does not take the place of one that may
 * have it. */
static int save(struct operator_job *job, const struct writer *writer,
                bool complete)
{
    enum status status;

    job->certificate_size = writer->used;
    if (!out_path(job->saved, job))
        status = ST_USAGE;
    else if (complete)
        status = file_replace(job->saved, writer->data, writer->used, 0644);
    else
        status = file_write_new(job->saved, writer->data, writer->used, 0644);
    if (status == ST_OK || (status == ST_EXISTS && !complete))
        return EXIT_GOOD;
    (void)program_fail(EXIT_INCOMPLETE, "%s: %s", job->saved,
                       status_info(status)->english);
    job->saved[0] = '\0';
    return EXIT_INCOMPLETE;
}

/* Sign what ${cert} begins, by the authority as well if there is one; its
 * number is taken first. */
static int sign_as(struct operator_job *job, const struct config_cert *cert,
                   const struct identity *authority, bool witness_needed)
{
    struct writer writer;
    enum status status;

    writer_init(&writer, job->certificate, sizeof job->certificate);
    config_cert_begin(&writer, cert);
    status = sign_store_take(job->store, writer_slice(&writer));
    if (status != ST_OK)
        return state_fail(job, status);
    sign_state_paper(job->paper, sign_store_state(job->store));
    config_cert_sign(&writer, CONFIG_SIGNER_OPERATOR, NULL, &job->identity);
    if (authority != NULL)
        config_cert_sign(&writer, CONFIG_SIGNER_AUTHORITY, NULL, authority);
    if (witness_needed && !add_witness(job, &writer) && authority == NULL) {
        job->unwitnessed = true;
        (void)save(job, &writer, false);
        return program_fail(
            EXIT_INCOMPLETE,
            "no archive countersigned; `defter certificate again` asks anew, "
            "and with --authority FILE the authority's key stands for an "
            "archive that is gone");
    }
    INVARIANT(cert->kind != CONFIG_FORCED || authority != NULL);
    return save(job, &writer, true);
}

/* Without the key that was named nothing is begun. */
static int sign(struct operator_job *job, const struct config_cert *cert,
                bool witness_needed)
{
    struct identity authority;
    int code;

    if (job->authority_path == NULL)
        return sign_as(job, cert, NULL, witness_needed);
    memset(&authority, 0, sizeof authority);
    code = read_authority(&authority, job);
    if (code == EXIT_GOOD)
        code = sign_as(job, cert, &authority, witness_needed);
    identity_wipe(&authority);
    return code;
}

int operator_sign(struct operator_job *job)
{
    const struct succession_plan *plan = &job->plan;
    struct config_cert cert = {
        .kind = job->wish.why,
        .not_after_s = (int64_t)time(NULL) + job->valid_s,
        .config = slice_of(plan->newer_bytes, plan->newer_size)};
    int code = open_state(job);

    memcpy(cert.evidence, plan->evidence, HASH_SIZE);
    return code == EXIT_GOOD ? sign(job, &cert, plan->witness_needed) : code;
}

int operator_sign_again(struct operator_job *job)
{
    uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];
    const struct sign_state *state;
    struct config_cert cert;
    struct config config;
    enum status status;
    int code = open_state(job);

    if (code != EXIT_GOOD)
        return code;
    state = sign_store_state(job->store);
    if (state->certificate_size == 0)
        return program_fail(EXIT_REFUSED, "%s: nothing was signed",
                            job->state_path);
    memcpy(bytes, state->certificate, state->certificate_size);
    status =
        config_cert_decode(&cert, slice_of(bytes, state->certificate_size));
    if (status == ST_OK)
        status = config_decode(&config, cert.config);
    INVARIANT(status == ST_OK); /* sign_state_decode() has read both. */
    if (cert.kind == CONFIG_FORCED && job->authority_path == NULL)
        return program_fail(EXIT_USAGE, "force needs --authority FILE");
    /* The same configuration, with a time of its own. */
    cert.not_after_s = (int64_t)time(NULL) + job->valid_s;
    return sign(job, &cert,
                job->plan.older.number + 1 == config.number
                    ? job->plan.witness_needed
                    : config_has_archive(&config));
}

static void deliver_to(struct operator_job *job, size_t at)
{
    struct query_cluster_certificate fields = {
        .certificate = slice_of(job->certificate, job->certificate_size)};
    struct operator_delivery *out = &job->delivered[at];
    uint8_t bytes[CONFIG_CERT_SIZE_MAX + 16];
    struct rows_cluster_certificate rows;
    struct field_error error;
    struct writer query;
    const uint8_t *answer;
    size_t size;
    int status;

    writer_init(&query, bytes, sizeof bytes);
    schema_encode(&schema_query_cluster_certificate, &query, &fields);
    INVARIANT(query.status == ST_OK);
    status = defter_query(job->known[at].client, QUERY_CLUSTER_CERTIFICATE,
                          bytes, query.used, &answer, &size);
    out->tried = true;
    if (status == 0 &&
        schema_decode(&schema_rows_cluster_certificate, &rows, &error,
                      slice_of(answer, size), SCHEMA_SKIP_ODD) != ST_OK)
        status = ST_BAD_FIELD;
    if (status != 0) {
        out->code = (uint16_t)status;
        (void)snprintf(out->text, sizeof out->text, "%s",
                       defter_reason(job->known[at].client));
        return;
    }
    out->code = rows.code;
    if (rows.text.size > 0)
        (void)snprintf(out->text, sizeof out->text, "%.*s", (int)rows.text.size,
                       (const char *)rows.text.data);
}

int operator_deliver(struct operator_job *job)
{
    size_t taken = 0;

    if (job->no_deliver)
        return EXIT_GOOD;
    for (size_t at = 0; at < job->view.nodes_count; at++) {
        if (!job->view.nodes[at].reached)
            continue;
        deliver_to(job, at);
        taken += job->delivered[at].code == 0;
    }
    return taken > 0 ? EXIT_GOOD : EXIT_INCOMPLETE;
}
