/*
 * status.h: the one list of outcomes (PROTOCOL, section 9).
 *
 * Numbers below 1000 travel on the wire and are permanent; numbers from 1000
 * are internal and never leave the process.
 *
 *   scope  what an ERROR frame with this code ends: the request or the
 *          connection (the frame's own scope field decides)
 *   retry  what the client may do: NO, SAME (send the same bytes again),
 *          RESIGN (sign anew), LATER (after retry_after), OTHER (another node),
 *          REREAD (read the object again first), RELOGIN
 *   blame  PEER: the sender; close or refuse, and count.  DATA: bytes at rest;
 *          stop this node and keep the evidence.  HOST: this machine; retry or
 *          stand down.  NONE: a decision, nobody's fault.
 */
#ifndef DEFTER_PROTOCOL_STATUS_H
#define DEFTER_PROTOCOL_STATUS_H

#include <stdbool.h>
#include <stdint.h>

enum status_scope { SCOPE_REQUEST, SCOPE_CONNECTION };
enum status_retry {
    RETRY_NO,
    RETRY_SAME,
    RETRY_RESIGN,
    RETRY_LATER,
    RETRY_OTHER,
    RETRY_REREAD,
    RETRY_RELOGIN
};
enum status_blame { BLAME_NONE, BLAME_PEER, BLAME_DATA, BLAME_HOST };

#define STATUS_ENUM(name, number, scope, retry, blame, english, azerbaijani) \
    ST_##name = number,
enum status {
#define X STATUS_ENUM
#include "protocol/status.def"
#undef X
};

struct status_info {
    enum status status;
    const char *name;
    enum status_scope scope;
    enum status_retry retry;
    enum status_blame blame;
    const char *english;     /* Printable ASCII. */
    const char *azerbaijani; /* UTF-8. */
};

/* The row of ${status}; NULL for a number that the list does not hold. */
const struct status_info *status_info(uint32_t status);

/* All rows in the order of the list, for tables and documentation. */
const struct status_info *status_list(uint32_t *count_out);

/* The name of ${status}, "UNKNOWN" for a number outside the list. */
const char *status_name(uint32_t status);

/* True for the numbers that may stand in an ERROR, ANSWER or receipt. */
bool status_is_wire(uint32_t status);

#endif
