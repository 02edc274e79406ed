#include <stdlib.h>
#include <string.h>

#include "protocol/entry.h"
#include "server/pipeline/pipeline_private.h"

enum { QUERY_VERSION = 1 };
static_assert((int)WATCH_BUFFER_SIZE >= (int)JOURNAL_READ_SIZE,
              "a watch's buffer holds any entry");

void pipeline_set_figures(struct pipeline *pipeline, void *context,
                          void (*report)(void *context,
                                         const struct pipeline_figures *to))
{
    pipeline->figures_context = context;
    pipeline->figures = report;
}

void pipeline_set_operator(struct pipeline *pipeline,
                           const struct pipeline_operator *functions)
{
    pipeline->operator_functions = *functions;
}

/* Where the loops' figures go. */
struct query_figures {
    struct list *list;
    struct writer *space;
};

static void query_add_figure(void *context, const char *name, uint64_t value)
{
    struct query_figures *status = context;

    if (status->list->count < LIST_COUNT_MAX)
        open_data_add_number(status->list, status->space, name, value);
}

static void query_status(struct pipeline *pipeline, struct rows_status *out,
                         struct writer *space)
{
    struct pipeline_counts *counts = &pipeline->counts;
    struct cluster_status cluster;
    struct query_figures into = {.list = &out->figures, .space = space};
    struct pipeline_figures figures = {.context = &into,
                                       .add = query_add_figure};
    const struct {
        const char *name;
        uint64_t value;
    } own[] = {
        {"log.entries", atomic_load(&pipeline->size)},
        {"log.attested", atomic_load(&pipeline->attested)},
        {"log.epoch", atomic_load(&pipeline->epoch)},
        {"commands.applied", atomic_load(&counts->commands)},
        {"commands.own", atomic_load(&counts->own)},
        {"commands.items", atomic_load(&counts->items)},
        {"commands.duplicates", atomic_load(&counts->duplicates)},
        {"commands.refused", atomic_load(&counts->refused)},
        {"commands.busy", atomic_load(&counts->busy)},
        {"groups", atomic_load(&counts->groups)},
        {"queue.commands", queue_count(&pipeline->commands)},
        {"in_flight", atomic_load(&pipeline->in_flight)},
    };

    out->figures = list_begin(space);
    open_data_add(&out->figures, space, "state",
                  atomic_load(&pipeline->draining)  ? "draining"
                  : atomic_load(&pipeline->cut_off) ? "stalled"
                  : !pipeline_leads(pipeline)       ? "following"
                  : atomic_load(&pipeline->stalled) ||
                          atomic_load(&pipeline->crowded)
                      ? "read only"
                      : "serving");
    open_data_add(&out->figures, space, "realm.R",
                  pipeline_registry_text(pipeline));
    open_data_add(&out->figures, space, "version", DEFTER_VERSION);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        open_data_add_number(&out->figures, space, own[i].name, own[i].value);
    pipeline_evidence_figures(pipeline, &out->figures, space);
    if (pipeline->figures != NULL)
        pipeline->figures(pipeline->figures_context, &figures);
    pipeline_cluster_status(pipeline, &cluster);
    cluster_status_rows(&cluster, out, space);
}

union query_fields {
    struct query_status status;
    struct query_purposes purposes;
    struct query_passport passport;
    struct query_cluster_statement cluster_statement;
    struct query_cluster_certificate cluster_certificate;
    struct query_cluster_witness cluster_witness;
};

union query_rows {
    struct rows_status status;
    struct rows_purposes purposes;
    struct rows_passport passport;
    struct rows_cluster_statement cluster_statement;
    struct rows_cluster_certificate cluster_certificate;
    struct rows_cluster_witness cluster_witness;
};

static const char query_single[] = "single node";

/* What only the node knows; a single node has nothing to tell. */
static void query_cluster(struct pipeline *pipeline, union query_rows *rows,
                          struct writer *space, enum query_number number,
                          const union query_fields *fields)
{
    const struct pipeline_operator *functions = &pipeline->operator_functions;

    if (number == QUERY_CLUSTER_STATEMENT && functions->statement != NULL)
        functions->statement(functions->context, &rows->cluster_statement,
                             space, fields->cluster_statement.request);
    else if (number == QUERY_CLUSTER_STATEMENT)
        rows->cluster_statement.mode = 1;
    else if (number == QUERY_CLUSTER_WITNESS && functions->witness != NULL)
        functions->witness(functions->context, &rows->cluster_witness, space,
                           fields->cluster_witness.certificate);
    else if (number == QUERY_CLUSTER_WITNESS) {
        rows->cluster_witness.code = ST_WRONG_STATE;
        rows->cluster_witness.text =
            slice_of(query_single, sizeof query_single - 1);
    } else if (functions->certificate != NULL)
        functions->certificate(functions->context, &rows->cluster_certificate,
                               space, fields->cluster_certificate.certificate);
    else {
        rows->cluster_certificate.code = ST_WRONG_STATE;
        rows->cluster_certificate.text =
            slice_of(query_single, sizeof query_single - 1);
    }
}

static void query_answer(struct pipeline *pipeline, union query_rows *rows,
                         struct writer *space, enum query_number number,
                         const union query_fields *fields)
{
    switch (number) {
    case QUERY_STATUS:
        query_status(pipeline, &rows->status, space);
        break;
    case QUERY_PURPOSES:
        open_data_purposes(&pipeline->open_data, &rows->purposes, space,
                           &fields->purposes);
        break;
    case QUERY_PASSPORT:
        open_data_passport(&pipeline->open_data, &rows->passport, space,
                           pipeline->parts.cluster_id);
        break;
    case QUERY_CLUSTER_STATEMENT:
    case QUERY_CLUSTER_CERTIFICATE:
    case QUERY_CLUSTER_WITNESS:
        query_cluster(pipeline, rows, space, number, fields);
        break;
    }
}

enum status pipeline_query(struct pipeline *pipeline, struct writer *rows_out,
                           uint16_t query, uint16_t version,
                           struct slice fields)
{
    const struct query_info *info = query_info(query);
    union query_fields decoded;
    union query_rows rows;
    struct field_error error;
    struct writer space;
    enum status status;

    if (info == NULL)
        return ST_UNKNOWN_OP;
    if (version != QUERY_VERSION)
        return ST_OP_VERSION;
    REQUIRE(info->fields->struct_size <= sizeof decoded);
    memset(&decoded, 0, sizeof decoded);
    status =
        schema_decode(info->fields, &decoded, &error, fields, SCHEMA_SKIP_ODD);
    if (status != ST_OK)
        return status;
    uint8_t *bytes = malloc(BLOB_SIZE_MAX);
    if (bytes == NULL)
        return ST_BUSY;
    writer_init(&space, bytes, BLOB_SIZE_MAX);
    memset(&rows, 0, sizeof rows);
    query_answer(pipeline, &rows, &space, (enum query_number)query, &decoded);
    schema_encode(info->rows, rows_out, &rows);
    free(bytes);
    return space.status != ST_OK ? space.status : rows_out->status;
}

/* ---- Watches ------------------------------------------------------------ */

enum status pipeline_watch_open(struct pipeline *pipeline,
                                struct watch *watch_out, uint64_t entry,
                                const uint8_t key_id[KEY_ID_SIZE])
{
    struct watches_row row;

    if (!watches_find(&pipeline->watches, &row, entry, key_id))
        return ST_NO_SUCH;
    *watch_out = (struct watch){
        .entry = entry,
        .next = row.from,
        .categories = row.categories,
    };
    return ST_OK;
}

enum status pipeline_watch_next(struct pipeline *pipeline, struct watch *watch,
                                struct slice *entry_out, uint8_t *buffer)
{
    enum { CATEGORY_OFFSET = 2 };
    struct watches_row row;

    if (!watches_find(&pipeline->watches, &row, watch->entry, NULL))
        return ST_SESSION_OVER;
    for (int looked_at = 0; looked_at < WATCH_SKIP_MAX; looked_at++) {
        if (watch->next >= atomic_load(&pipeline->size))
            return ST_END;
        if (journal_read_entry(pipeline->parts.journal, entry_out, buffer,
                               watch->next) != ST_OK)
            return ST_CORRUPT;
        watch->next++;
        unsigned category = entry_out->data[CATEGORY_OFFSET];
        if (category >= CATEGORY_MIN && category <= CATEGORY_MAX &&
            (watch->categories >> (category - 1) & 1) != 0)
            return ST_OK;
    }
    return ST_AGAIN;
}
