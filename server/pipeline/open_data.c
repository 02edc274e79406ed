#include "server/pipeline/open_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "protocol/entry.h"
#include "replication/need.h"

enum { OPEN_DATA_PURPOSE_SIZE_MAX = 1024 };

void open_data_init(struct open_data *data)
{
    memset(data, 0, sizeof *data);
    NEED(pthread_rwlock_init(&data->lock, NULL) == 0);
}

static void open_data_forget_purposes(struct open_data *data)
{
    free(data->purposes);
    free(data->numbers);
    free(data->offsets);
    data->purposes = NULL;
    data->numbers = NULL;
    data->offsets = NULL;
    data->purposes_count = 0;
    data->purposes_size = 0;
}

void open_data_wipe(struct open_data *data)
{
    open_data_forget_purposes(data);
    (void)pthread_rwlock_destroy(&data->lock);
}

static void open_data_load_purposes(struct open_data *data, struct state *state)
{
    size_t count = (size_t)state_count(state, TABLE_PURPOSE);
    struct row_purpose row = {.number = 0};
    struct state_scan scan;
    struct writer writer;

    open_data_forget_purposes(data);
    if (count == 0)
        return;
    data->purposes = malloc(count * OPEN_DATA_PURPOSE_SIZE_MAX);
    data->numbers = malloc(count * sizeof *data->numbers);
    data->offsets = malloc(count * sizeof *data->offsets);
    INVARIANT(data->purposes != NULL && data->numbers != NULL &&
              data->offsets != NULL);
    writer_init(&writer, data->purposes, count * OPEN_DATA_PURPOSE_SIZE_MAX);
    state_scan_key(state, &scan, TABLE_PURPOSE, &row,
                   (struct state_range){.equal = 0});
    while (data->purposes_count < count && state_scan_next(&scan, &row)) {
        struct purpose_row purpose = {
            .purpose = row.number,
            .title = row.title,
            .legal_basis = row.legal_basis,
            .sections = row.sections,
        };
        data->numbers[data->purposes_count] = row.number;
        data->offsets[data->purposes_count++] = writer.used;
        schema_encode(&schema_purpose_row, &writer, &purpose);
    }
    state_scan_close(&scan);
    INVARIANT(writer.status == ST_OK);
    data->purposes_size = writer.used;
}

static void open_data_text(char *out, size_t size_max, struct slice text)
{
    size_t size = text.size < size_max ? text.size : size_max;

    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

static void open_data_load_genesis(struct open_data *data,
                                   struct act_services *services)
{
    struct op_system_genesis genesis;
    struct field_error error;
    struct slice bytes;
    struct entry entry;
    struct item item;

    if (data->known ||
        services->read_entry(services->context, 0, &bytes) != ST_OK ||
        entry_view(&entry, bytes) != ST_OK)
        return;
    entry_item(&item, &entry, 0);
    if (item.clear_part.opcode != OPCODE_SYSTEM_GENESIS || item.seal_key != 0 ||
        schema_decode(&schema_op_system_genesis, &genesis, &error,
                      item_fields(&item), SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return;
    data->environment = genesis.environment;
    data->realms = genesis.realms;
    open_data_text(data->origin, OPEN_DATA_ORIGIN_SIZE_MAX, genesis.origin);
    open_data_text(data->owner, OPEN_DATA_OWNER_SIZE_MAX, genesis.owner);
    data->known = true;
}

void open_data_load(struct open_data *data, struct state *state,
                    struct act_services *services)
{
    (void)pthread_rwlock_wrlock(&data->lock);
    open_data_load_purposes(data, state);
    open_data_load_genesis(data, services);
    (void)pthread_rwlock_unlock(&data->lock);
}

void open_data_purposes(struct open_data *data, struct rows_purposes *out,
                        struct writer *space,
                        const struct query_purposes *query)
{
    uint32_t from = 0;

    memset(out, 0, sizeof *out);
    (void)pthread_rwlock_rdlock(&data->lock);
    while (from < data->purposes_count && data->numbers[from] <= query->after)
        from++;
    uint32_t left = data->purposes_count - from;
    uint32_t count = left < PAGE_ROWS_MAX ? left : PAGE_ROWS_MAX;
    if (count > 0) {
        size_t begin = data->offsets[from];
        size_t end = from + count < data->purposes_count
                         ? data->offsets[from + count]
                         : data->purposes_size;
        out->purposes.bytes.data = space->data + space->used;
        out->purposes.bytes.size = end - begin;
        out->purposes.count = (uint16_t)count;
        writer_bytes(space, data->purposes + begin, end - begin);
    }
    (void)pthread_rwlock_unlock(&data->lock);
}

void open_data_add(struct list *list, struct writer *space, const char *name,
                   const char *value)
{
    struct status_row row = {
        .name = slice_of(name, strlen(name)),
        .value = slice_of(value, strlen(value)),
    };

    list_add(list, space, &schema_status_row, &row);
}

void open_data_add_number(struct list *list, struct writer *space,
                          const char *name, uint64_t value)
{
    enum { TEXT_SIZE = 24 };
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    open_data_add(list, space, name, text);
}

void open_data_passport(struct open_data *data, struct rows_passport *out,
                        struct writer *space, const uint8_t *cluster_id)
{
    static const char *const environments[] = {"unknown", "production", "test",
                                               "training"};
    static const char *const realms[] = {"none", "P", "R", "P, R"};
    char hex[2 * CLUSTER_ID_SIZE + 1];
    struct list *list = &out->figures;

    memset(out, 0, sizeof *out);
    (void)sodium_bin2hex(hex, sizeof hex, cluster_id, CLUSTER_ID_SIZE);
    (void)pthread_rwlock_rdlock(&data->lock);
    *list = list_begin(space);
    open_data_add(list, space, "name", data->origin);
    open_data_add(list, space, "owner", data->owner);
    open_data_add(list, space, "environment",
                  environments[data->environment % 4]);
    open_data_add(list, space, "realms", realms[data->realms % 4]);
    open_data_add(list, space, "cluster", hex);
    open_data_add(list, space, "software", "defter " DEFTER_VERSION);
    (void)pthread_rwlock_unlock(&data->lock);
}
