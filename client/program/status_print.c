#include <cJSON.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/program/say.h"
#include "client/program/status.h"
#include "protocol/dates.h"

enum {
    SHORT_ID_SIZE = 4, /* Bytes of a node's id that people are shown. */
    TEXT_SIZE_MAX = 256
};

/* Terminated; what is not printable would be the terminal's trouble. */
static const char *text_of(char out[TEXT_SIZE_MAX + 1], struct slice text)
{
    size_t size = text.size < TEXT_SIZE_MAX ? text.size : TEXT_SIZE_MAX;

    for (size_t i = 0; i < size; i++)
        out[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? (char)text.data[i]
                                                            : '?';
    out[size] = '\0';
    return out;
}

static const char *id_of(char out[2 * NODE_ID_SIZE + 1],
                         const struct bytes16 *id, size_t size)
{
    return sodium_bin2hex(out, 2 * NODE_ID_SIZE + 1, id->b, size);
}

static const char *time_of(char out[DATES_TIME_SIZE + 1], int64_t time)
{
    uint8_t text[DATES_TIME_SIZE];

    dates_time_format(text, time);
    memcpy(out, text, sizeof text);
    out[sizeof text] = '\0';
    return out;
}

/* ---- For people --------------------------------------------------------- */

static void print_number(bool known, uint64_t value, int width)
{
    if (known)
        printf(" %*" PRIu64, width, value);
    else
        printf(" %*s", width, "-");
}

static void print_node(const struct status_report *report,
                       const struct status_node *node)
{
    const struct rows_status *rows = &node->rows;
    char id[2 * NODE_ID_SIZE + 1] = "-", role[TEXT_SIZE_MAX + 1] = "-";
    uint64_t lag = 0;
    bool has_lag = status_lag(report, node, &lag);

    if (node->status != 0) {
        printf("%-21s  %s: %s\n", node->address,
               defter_status_name(node->status), node->reason);
        return;
    }
    if (rows->has_node_id)
        (void)id_of(id, &rows->node_id, SHORT_ID_SIZE);
    if (rows->has_role)
        (void)text_of(role, rows->role);
    printf("%-21s  %-8s  %-10s", node->address, id, role);
    print_number(rows->has_epoch, rows->epoch, 6);
    print_number(rows->has_configuration, rows->configuration, 6);
    print_number(rows->has_log_size, rows->log_size, 11);
    print_number(rows->has_committed_size, rows->committed_size, 11);
    print_number(has_lag, lag, 8);
    putchar('\n');
}

static void print_heard(uint32_t heard_ms)
{
    if (heard_ms == UINT32_MAX)
        puts("never heard");
    else
        printf("heard %" PRIu32 ".%" PRIu32 " s ago\n", heard_ms / 1000,
               heard_ms % 1000 / 100);
}

static void print_members(const struct program *program,
                          const struct rows_status *rows)
{
    struct list_reader reader;
    struct cluster_row row;

    puts(program->azerbaijani ? "\nƏsas qovşağa görə üzvlər:"
                              : "\nMembers, as the primary sees them:");
    list_reader_init(&reader, &rows->members);
    while (list_reader_next(&reader, &schema_cluster_row, &row)) {
        char id[2 * NODE_ID_SIZE + 1], role[TEXT_SIZE_MAX + 1];
        char address[TEXT_SIZE_MAX + 1];
        printf("%-21s  %-8s  %-10s  %-11s", text_of(address, row.address),
               id_of(id, &row.node_id, SHORT_ID_SIZE), text_of(role, row.role),
               row.in_sync != 0 ? "in sync" : "not in sync");
        /* Every log has its genesis: none is what is not known. */
        print_number(row.size > 0, row.size, 11);
        fputs(" entries, ", stdout);
        print_heard(row.heard_ms);
    }
}

static void print_figures(const struct rows_status *rows)
{
    struct list_reader reader;
    struct status_row row;

    putchar('\n');
    list_reader_init(&reader, &rows->figures);
    while (list_reader_next(&reader, &schema_status_row, &row)) {
        char name[TEXT_SIZE_MAX + 1], value[TEXT_SIZE_MAX + 1];
        printf("%-30s %s\n", text_of(name, row.name),
               text_of(value, row.value));
    }
}

static void print_failover(const struct rows_status *rows)
{
    char at[DATES_TIME_SIZE + 1];

    if (rows->has_failover_epoch)
        printf("Last failover: epoch %" PRIu64 ", %s\n", rows->failover_epoch,
               rows->has_failover_at ? time_of(at, rows->failover_at) : "-");
}

/* What ends the waiting, by whom and by which command. */
static void print_wait(const struct program *program, enum status_wait wait)
{
    bool az = program->azerbaijani;

    if (wait == STATUS_WAIT_NOTHING)
        return;
    puts(az ? "R məkanı gözləyir: əmrlərinə 604 cavabı verilir, ta ki"
            : "Realm R waits: its commands are answered 604 until");
    if (wait == STATUS_WAIT_REQUEST)
        puts(az ? "  sahibin iki şəxsi (OPS və DIR) eyni failover.request "
                  "əmrini göndərsin, sonra"
                : "  two persons of the owner (OPS and DIR) send the same "
                  "failover.request, and then");
    puts(az ? "  əlaqələndirici qurum failover.approve ilə icazə versin "
              "(failover.list göstərir),\n"
              "  və ya failover.order automatic=yes ilə daimi göstəriş versin"
            : "  the coordinating body lets it with failover.approve "
              "(failover.list shows the order),\n"
              "  or gives a standing order with failover.order automatic=yes");
}

void status_print_text(const struct program *program,
                       const struct status_report *report)
{
    puts(program->azerbaijani
             ? "ünvan                  qovşaq    rol          dövr konfiq      "
               "jurnal      təsdiq    geri"
             : "address                node      role        epoch config      "
               "   log   committed      lag");
    for (uint32_t i = 0; i < report->count; i++)
        print_node(report, &report->at[i]);
    if (report->primary != NULL) {
        print_failover(&report->primary->rows);
        print_wait(program, status_wait(report));
        if (report->primary->rows.has_members)
            print_members(program, &report->primary->rows);
        print_figures(&report->primary->rows);
    }
    if (report->why[0] != '\0')
        printf("%s: %s\n", program->azerbaijani ? "Tam deyil" : "Degraded",
               report->why);
}

/* ---- For programs ------------------------------------------------------- */

static void json_text(cJSON *object, const char *name, bool known,
                      struct slice text)
{
    char value[TEXT_SIZE_MAX + 1];

    if (known)
        cJSON_AddStringToObject(object, name, text_of(value, text));
}

static void json_id(cJSON *object, const char *name, bool known,
                    const struct bytes16 *id)
{
    char hex[2 * NODE_ID_SIZE + 1];

    if (known)
        cJSON_AddStringToObject(object, name, id_of(hex, id, NODE_ID_SIZE));
}

static void json_number(cJSON *object, const char *name, bool known,
                        uint64_t value)
{
    if (known)
        cJSON_AddNumberToObject(object, name, (double)value);
}

static cJSON *json_figures(const struct rows_status *rows)
{
    cJSON *object = cJSON_CreateObject();
    struct list_reader reader;
    struct status_row row;

    list_reader_init(&reader, &rows->figures);
    while (list_reader_next(&reader, &schema_status_row, &row)) {
        char name[TEXT_SIZE_MAX + 1];
        json_text(object, text_of(name, row.name), true, row.value);
    }
    return object;
}

static cJSON *json_members(const struct rows_status *rows)
{
    cJSON *array = cJSON_CreateArray();
    struct list_reader reader;
    struct cluster_row row;

    list_reader_init(&reader, &rows->members);
    while (rows->has_members &&
           list_reader_next(&reader, &schema_cluster_row, &row)) {
        cJSON *member = cJSON_CreateObject();
        json_id(member, "node_id", true, &row.node_id);
        json_text(member, "role", true, row.role);
        cJSON_AddBoolToObject(member, "in_sync", row.in_sync != 0);
        json_number(member, "size", true, row.size);
        json_number(member, "heard_ms", true, row.heard_ms);
        json_text(member, "address", true, row.address);
        cJSON_AddItemToArray(array, member);
    }
    return array;
}

static void json_rows(cJSON *object, const struct rows_status *rows)
{
    char at[DATES_TIME_SIZE + 1];

    json_id(object, "node_id", rows->has_node_id, &rows->node_id);
    json_id(object, "lineage", rows->has_lineage, &rows->lineage);
    json_text(object, "role", rows->has_role, rows->role);
    json_number(object, "epoch", rows->has_epoch, rows->epoch);
    json_number(object, "configuration", rows->has_configuration,
                rows->configuration);
    json_number(object, "log_size", rows->has_log_size, rows->log_size);
    json_number(object, "committed_size", rows->has_committed_size,
                rows->committed_size);
    json_id(object, "primary", rows->has_primary, &rows->primary);
    json_text(object, "primary_address", rows->has_primary_address,
              rows->primary_address);
    json_number(object, "failover_epoch", rows->has_failover_epoch,
                rows->failover_epoch);
    if (rows->has_failover_at)
        cJSON_AddStringToObject(object, "failover_at",
                                time_of(at, rows->failover_at));
    cJSON_AddItemToObject(object, "figures", json_figures(rows));
}

static cJSON *json_node(const struct status_report *report,
                        const struct status_node *node)
{
    cJSON *object = cJSON_CreateObject();
    uint64_t lag = 0;
    bool has_lag = status_lag(report, node, &lag);

    cJSON_AddStringToObject(object, "address", node->address);
    cJSON_AddBoolToObject(object, "reachable", node->status == 0);
    if (node->status != 0) {
        cJSON_AddStringToObject(object, "status",
                                defter_status_name(node->status));
        cJSON_AddStringToObject(object, "reason", node->reason);
        return object;
    }
    json_rows(object, &node->rows);
    json_number(object, "lag", has_lag, lag);
    return object;
}

/* A program is to know what to call, and whom. */
static void json_wait(cJSON *object, enum status_wait wait)
{
    cJSON *waiting = cJSON_AddArrayToObject(object, "waiting");
    cJSON *realm;

    if (wait == STATUS_WAIT_NOTHING)
        return;
    realm = cJSON_CreateObject();
    cJSON_AddStringToObject(realm, "realm", "R");
    cJSON_AddStringToObject(realm, "for",
                            wait == STATUS_WAIT_REQUEST ? "failover.request"
                                                        : "failover.approve");
    cJSON_AddStringToObject(realm, "by",
                            wait == STATUS_WAIT_REQUEST
                                ? "two persons of the owner, OPS and DIR"
                                : "coordinating body");
    cJSON_AddItemToArray(waiting, realm);
}

void status_print_json(const struct status_report *report)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *nodes = cJSON_AddArrayToObject(object, "nodes");

    cJSON_AddBoolToObject(object, "degraded", report->why[0] != '\0');
    cJSON_AddStringToObject(object, "why", report->why);
    json_wait(object, status_wait(report));
    for (uint32_t i = 0; i < report->count; i++)
        cJSON_AddItemToArray(nodes, json_node(report, &report->at[i]));
    if (report->primary != NULL) {
        json_id(object, "primary", report->primary->rows.has_node_id,
                &report->primary->rows.node_id);
        cJSON_AddItemToObject(object, "members",
                              json_members(&report->primary->rows));
    }
    say_json(object, true);
}
