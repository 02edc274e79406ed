#include "protocol/error.h"

#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/frame.h"

enum { VERSION_RANGE_SIZE = 4 };

struct error_report error_about(enum status status)
{
    const struct status_info *info = status_info((uint32_t)status);

    REQUIRE(info != NULL);
    return (struct error_report){
        .status = status, .scope = info->scope, .item_index = ERROR_NO_ITEM};
}

static uint8_t flags_of(const struct status_info *info)
{
    uint8_t flags = 0;

    if (info->retry == RETRY_SAME || info->retry == RETRY_LATER)
        flags |= ERROR_RETRY_SAME;
    if (info->status == ST_UNKNOWN_OUTCOME)
        flags |= ERROR_OUTCOME_UNKNOWN;
    return flags;
}

void error_write(struct writer *writer, uint64_t request_id,
                 const struct error_report *report)
{
    const struct status_info *info = status_info((uint32_t)report->status);
    uint8_t range[VERSION_RANGE_SIZE];
    struct message_error message = {.code = (uint16_t)report->status,
                                    .scope = (uint8_t)report->scope,
                                    .retry_after_ms = report->retry_after_ms,
                                    .tag = report->tag,
                                    .item_index = report->item_index};

    REQUIRE(status_is_wire((uint32_t)report->status));
    REQUIRE(report->status != ST_OK);
    message.flags = flags_of(info);
    message.text = slice_of(info->english, strlen(info->english));
    if (report->status == ST_OP_VERSION && report->version_max != 0) {
        store_u16(range, report->version_min);
        store_u16(range + 2, report->version_max);
        message.has_version_range = true;
        message.version_range = slice_of(range, sizeof range);
    }
    frame_write(writer, MESSAGE_ERROR, request_id, &message);
}
