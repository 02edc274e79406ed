/*
 * error.h: ERROR frames: what was refused, and what the sender may do now
 * (PROTOCOL, section 9).
 */
#ifndef DEFTER_PROTOCOL_ERROR_H
#define DEFTER_PROTOCOL_ERROR_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/schema.h"
#include "protocol/status.h"

enum {
    ERROR_RETRY_SAME = 1,      /* The same bytes may be sent again. */
    ERROR_OUTCOME_UNKNOWN = 2, /* They may have been done already. */
    ERROR_FLAGS_ALL = ERROR_RETRY_SAME | ERROR_OUTCOME_UNKNOWN,
    ERROR_NO_ITEM = 0xffff
};

/* What an ERROR says beyond its code; error_about() sets the usual values. */
struct error_report {
    enum status status;
    enum status_scope scope;
    uint32_t retry_after_ms; /* 0: at once, where a retry is useful at all. */
    uint16_t tag;            /* As in struct field_error. */
    uint16_t item_index;
    uint16_t version_min; /* With ST_OP_VERSION: what is spoken here. */
    uint16_t version_max; /* 0: not said. */
};

/* A report with the scope that the status list gives, and no place. */
struct error_report error_about(enum status status);

/*
 * error_write(writer, request_id, report):
 * A whole ERROR frame.  Flags and text follow from the status, so the text
 * never holds anything that a client sent.
 *
 * Requires: status_is_wire(report->status), and it is not ST_OK.
 */
void error_write(struct writer *writer, uint64_t request_id,
                 const struct error_report *report);

#endif
