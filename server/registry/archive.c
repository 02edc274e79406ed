#include "server/registry/archive.h"

#include <string.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "server/registry/dispatch.h"
#include "server/registry/notice.h"
#include "server/registry/rows.h"

void archive_newest(struct state *state, struct row_archive_unit *row_out)
{
    struct row_archive_unit row = {.number = UINT32_MAX};
    struct state_scan scan;

    memset(row_out, 0, sizeof *row_out);
    state_scan_key(state, &scan, TABLE_ARCHIVE_UNIT, &row,
                   (struct state_range){.from = true, .descending = true});
    if (state_scan_next(&scan, &row))
        *row_out = row;
    state_scan_close(&scan);
}

void archive_next(struct state *state, struct archive_next *next_out)
{
    struct row_archive_unit newest;

    archive_newest(state, &newest);
    next_out->unit = newest.number + 1;
    next_out->first = newest.number == 0 ? 0 : newest.last + 1;
    memcpy(next_out->leaf_before, newest.leaf_after.b, HASH_SIZE);
}

/* When something is to be looked at again, ${days} from now. */
static int64_t archive_term(struct act *act, uint16_t setting)
{
    const int64_t days = state_setting(act->state, setting);

    return days == 0 ? 0 : act->log_time + days * DATES_US_PER_DAY;
}

static void archive_tell(struct act *act, enum notice_kind kind)
{
    /* Of both realms: they share the log. */
    struct row_notice notice = {.kind = (uint8_t)kind, .realms = 3};

    (void)notice_owner(act, &notice);
}

/* ---- A new unit --------------------------------------------------------- */

static bool prepare_counts(const struct op_archive_prepare *in)
{
    struct list_reader reader;
    struct number count;
    uint64_t sum = 0;

    list_reader_init(&reader, &in->categories);
    while (list_reader_next(&reader, &schema_number, &count))
        sum += count.value;
    return in->categories.count == CATEGORIES_COUNT &&
           sum == in->last - in->first + 1;
}

enum status archive_prepare(struct act *act,
                            const struct op_archive_prepare *in,
                            struct result_archive_prepare *out)
{
    struct row_archive_unit row = {.number = in->unit,
                                   .state = ARCHIVE_PREPARED,
                                   .first = in->first,
                                   .last = in->last,
                                   .bytes = in->bytes,
                                   .leaf_before = in->leaf_before,
                                   .leaf_after = in->leaf_after,
                                   .root = in->root,
                                   .prepared = act->log_time};
    struct archive_next next;

    archive_next(act->state, &next);
    if (in->unit != next.unit || in->first != next.first)
        return in->unit < next.unit ? ST_EXISTS : ST_WRONG_STATE;
    if (in->last < in->first || in->last >= act->index || !prepare_counts(in) ||
        memcmp(in->leaf_before.b, next.leaf_before, HASH_SIZE) != 0)
        return ST_BAD_FIELD;
    row.keep_until = row.due = archive_term(act, SETTING_archive_keep_days);
    row.record = act_keep(act);
    state_insert(act->state, TABLE_ARCHIVE_UNIT, &row);
    out->keep_until = row.keep_until;
    return ST_OK;
}

enum status archive_seal(struct act *act, const struct op_archive_seal *in,
                         struct result_archive_seal *out)
{
    struct row_archive_unit row = {.number = in->unit};

    (void)out;
    if (!state_get(act->state, TABLE_ARCHIVE_UNIT, &row))
        return ST_NO_SUCH;
    if (row.state != ARCHIVE_PREPARED)
        return ST_WRONG_STATE;
    if (!rows_is_given(&in->manifest))
        return ST_BAD_FIELD;
    row.state = ARCHIVE_SEALED;
    row.manifest = in->manifest;
    row.sealed = act->log_time;
    row.sealed_by = act->signer.person;
    state_update(act->state, TABLE_ARCHIVE_UNIT, &row);
    return ST_OK;
}

/* ---- Copies ------------------------------------------------------------- */

/* An archive node that holds it is one, and active. */
static enum status ship_check_node(struct act *act,
                                   const struct op_archive_ship *in)
{
    static const struct bytes16 none;
    struct row_node node = {.node_id = in->node};

    if (in->medium != ARCHIVE_MEDIUM_NODE)
        return memcmp(&in->node, &none, sizeof none) == 0 ? ST_OK
                                                          : ST_BAD_FIELD;
    if (!state_get(act->state, TABLE_NODE, &node))
        return ST_NO_SUCH;
    return node.role == NODE_ARCHIVE && node.state == NODE_ACTIVE
               ? ST_OK
               : ST_WRONG_STATE;
}

static bool archive_is_kept(const struct row_archive_unit *row)
{
    return row->state >= ARCHIVE_SEALED && row->state <= ARCHIVE_IS_DUE;
}

enum status archive_ship(struct act *act, const struct op_archive_ship *in,
                         struct result_archive_ship *out)
{
    struct row_archive_unit unit = {.number = in->unit};
    struct row_archive_copy copy = {.unit = in->unit,
                                    .medium = in->medium,
                                    .node = in->node,
                                    .shipped = act->log_time};
    enum status status;

    if (!state_get(act->state, TABLE_ARCHIVE_UNIT, &unit))
        return ST_NO_SUCH;
    if (!archive_is_kept(&unit))
        return ST_WRONG_STATE;
    status = ship_check_node(act, in);
    if (status != ST_OK)
        return status;
    if (unit.copies == ARCHIVE_COPIES_MAX)
        return ST_WRONG_STATE;
    copy.copy = ++unit.copies;
    copy.check_due = copy.due = archive_term(act, SETTING_archive_check_days);
    copy.record = act_keep(act);
    if (unit.state == ARCHIVE_SEALED)
        unit.state = ARCHIVE_SHIPPED;
    state_insert(act->state, TABLE_ARCHIVE_COPY, &copy);
    state_update(act->state, TABLE_ARCHIVE_UNIT, &unit);
    out->copy = copy.copy;
    out->check_due = copy.check_due;
    return ST_OK;
}

enum status archive_verify(struct act *act, const struct op_archive_verify *in,
                           struct result_archive_verify *out)
{
    struct row_archive_unit unit = {.number = in->unit};
    struct row_archive_copy copy = {.unit = in->unit, .copy = in->copy};

    if (!state_get(act->state, TABLE_ARCHIVE_UNIT, &unit) ||
        !state_get(act->state, TABLE_ARCHIVE_COPY, &copy))
        return ST_NO_SUCH;
    if (!archive_is_kept(&unit))
        return ST_WRONG_STATE;
    /* Another manifest than the sealed one is another unit. */
    if (in->good &&
        memcmp(&in->manifest, &unit.manifest, sizeof in->manifest) != 0)
        return ST_BAD_FIELD;
    copy.checked = act->log_time;
    copy.check_due = copy.due = archive_term(act, SETTING_archive_check_days);
    copy.bad = !in->good;
    state_update(act->state, TABLE_ARCHIVE_COPY, &copy);
    if (!in->good)
        archive_tell(act, NOTICE_ARCHIVE_COPY_BAD);
    if (in->good && unit.state == ARCHIVE_SHIPPED) {
        unit.state = ARCHIVE_VERIFIED;
        state_update(act->state, TABLE_ARCHIVE_UNIT, &unit);
    }
    out->check_due = copy.check_due;
    return ST_OK;
}

/* ---- Restoring, and the end --------------------------------------------- */

enum status archive_restore_test(struct act *act,
                                 const struct op_archive_restore_test *in,
                                 struct result_archive_restore_test *out)
{
    struct row_archive_unit row = {.number = in->unit};

    (void)out;
    if (!state_get(act->state, TABLE_ARCHIVE_UNIT, &row))
        return ST_NO_SUCH;
    if (row.state != ARCHIVE_VERIFIED && row.state != ARCHIVE_IS_DUE)
        return ST_WRONG_STATE;
    if (in->good && (in->size != row.last + 1 ||
                     memcmp(&in->leaf, &row.leaf_after, sizeof in->leaf) != 0))
        return ST_BAD_FIELD;
    if (row.restore_tests < UINT16_MAX)
        row.restore_tests++;
    if (in->good)
        row.restored = act->log_time;
    else
        archive_tell(act, NOTICE_ARCHIVE_COPY_BAD);
    state_update(act->state, TABLE_ARCHIVE_UNIT, &row);
    return ST_OK;
}

enum status archive_transfer(struct act *act,
                             const struct op_archive_transfer *in,
                             struct result_archive_transfer *out)
{
    struct row_archive_unit row = {.number = in->unit};

    (void)out;
    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (!state_get(act->state, TABLE_ARCHIVE_UNIT, &row))
        return ST_NO_SUCH;
    if (row.state != ARCHIVE_IS_DUE)
        return ST_WRONG_STATE;
    row.state = ARCHIVE_TRANSFERRED;
    state_update(act->state, TABLE_ARCHIVE_UNIT, &row);
    return ST_OK;
}

/* ---- What is due -------------------------------------------------------- */

uint32_t archive_due_list(struct state *state, struct op_archive_due *due_out,
                          uint32_t due_max, int64_t now)
{
    struct row_archive_unit unit = {.due = 1};
    struct row_archive_copy copy = {.due = 1};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(state, &scan, INDEX_ARCHIVE_UNIT_BY_DUE, &unit,
                    (struct state_range){.from = true});
    while (count < due_max && state_scan_next(&scan, &unit) && unit.due <= now)
        due_out[count++] = (struct op_archive_due){.unit = unit.number};
    state_scan_close(&scan);
    state_scan_open(state, &scan, INDEX_ARCHIVE_COPY_BY_DUE, &copy,
                    (struct state_range){.from = true});
    while (count < due_max && state_scan_next(&scan, &copy) && copy.due <= now)
        due_out[count++] =
            (struct op_archive_due){.unit = copy.unit, .copy = copy.copy};
    state_scan_close(&scan);
    return count;
}

static enum status due_copy(struct act *act, const struct op_archive_due *in)
{
    struct row_archive_copy row = {.unit = in->unit, .copy = in->copy};

    if (!state_get(act->state, TABLE_ARCHIVE_COPY, &row))
        return ST_NO_SUCH;
    if (row.due == 0 || row.due > act->log_time)
        return ST_WRONG_STATE;
    row.due = 0;
    state_update(act->state, TABLE_ARCHIVE_COPY, &row);
    archive_tell(act, NOTICE_ARCHIVE_CHECK_DUE);
    return ST_OK;
}

enum status archive_due(struct act *act, const struct op_archive_due *in,
                        struct result_archive_due *out)
{
    struct row_archive_unit row = {.number = in->unit};

    (void)out;
    if (in->copy != 0)
        return due_copy(act, in);
    if (!state_get(act->state, TABLE_ARCHIVE_UNIT, &row))
        return ST_NO_SUCH;
    if (row.due == 0 || row.due > act->log_time)
        return ST_WRONG_STATE;
    row.due = 0;
    /* One that nobody has sealed or checked stays where it is, and is told. */
    if (row.state == ARCHIVE_VERIFIED)
        row.state = ARCHIVE_IS_DUE;
    state_update(act->state, TABLE_ARCHIVE_UNIT, &row);
    archive_tell(act, NOTICE_ARCHIVE_UNIT_DUE);
    return ST_OK;
}
