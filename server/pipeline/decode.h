/*
 * decode.h: the pure decode of a command's items (PROTOCOL, section 6, step
 * 11): known operations, in one category and realm, whose fields are well
 * formed.
 */
#ifndef DEFTER_SERVER_PIPELINE_DECODE_H
#define DEFTER_SERVER_PIPELINE_DECODE_H

#include "server/pipeline/work.h"

/*
 * decode_work(work):
 * Set work->operation and work->fault: ST_UNKNOWN_OP, ST_OP_VERSION,
 * ST_MIXED_BATCH, ST_WRONG_ENV for a realm that the operation does not have,
 * ST_NO_DUTY for what the node enters by itself and takes from nobody,
 * ST_BAD_FIELD, ST_UNKNOWN_FIELD, ST_FIELD_ORDER, ST_TRAILING, ST_TOO_LARGE.
 */
void decode_work(struct work *work);

/* Whether SYS alone may do it, or nobody, as genesis. */
bool decode_is_nodes_own(const struct operation_info *operation);

#endif
