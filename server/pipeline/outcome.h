/*
 * outcome.h: what a command came to, as the answer's result and as the row of
 * TABLE_COMMAND keep it (PROTOCOL, section 7).
 */
#ifndef DEFTER_SERVER_PIPELINE_OUTCOME_H
#define DEFTER_SERVER_PIPELINE_OUTCOME_H

#include "server/pipeline/attest.h"

/* Results of writes up to this size are kept for retries. */
enum {
    OUTCOME_KEPT_SIZE_MAX = 8192,
    OUTCOME_ROW_ITEM_SIZE_MAX = 3 + HASH_SIZE
};

/*
 * The code of the whole command: of a single item its own; of several 0 when
 * all were done, PARTIAL when some were; else the first other than NOT_DONE.
 */
uint16_t outcome_code(const struct item_outcome *items, size_t count);

/* The hash of no bytes. */
const uint8_t *outcome_nothing(void);

/* Write and read the row's outcomes. The row is this node's own. */
void outcome_encode(struct writer *writer, const struct item_outcome *items,
                    size_t count);
size_t outcome_decode(struct item_outcome items_out[ITEMS_MAX],
                      struct slice bytes);

/* The result of a batch with codes and without the items' results. */
void outcome_codes_only(struct writer *writer, const struct item_outcome *items,
                        size_t count);

#endif
