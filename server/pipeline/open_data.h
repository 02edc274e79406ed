/*
 * open_data.h: what anybody may ask without a signature (status, purposes,
 * passport), as of the newest applied group.
 *
 * The apply thread writes it; any thread reads it.
 */
#ifndef DEFTER_SERVER_PIPELINE_OPEN_DATA_H
#define DEFTER_SERVER_PIPELINE_OPEN_DATA_H

#include <pthread.h>
#include <stdint.h>

#include "protocol/catalogue.h"
#include "server/registry/act.h"

enum { OPEN_DATA_ORIGIN_SIZE_MAX = 64, OPEN_DATA_OWNER_SIZE_MAX = 256 };

/* The lock guards everything below it. */
struct open_data {
    pthread_rwlock_t lock;
    uint8_t *purposes; /* Encoded purpose_rows, by number. */
    size_t purposes_size;
    uint32_t *numbers; /* Their numbers, and where each begins. */
    size_t *offsets;
    uint32_t purposes_count;
    bool known; /* Genesis was read. */
    uint8_t environment;
    uint16_t realms;
    char origin[OPEN_DATA_ORIGIN_SIZE_MAX + 1];
    char owner[OPEN_DATA_OWNER_SIZE_MAX + 1];
};

void open_data_init(struct open_data *data);
void open_data_wipe(struct open_data *data);

/* The apply thread: read everything anew. */
void open_data_load(struct open_data *data, struct state *state,
                    struct act_services *services);

/* Any thread; lists' bytes go to ${space}. */
void open_data_purposes(struct open_data *data, struct rows_purposes *out,
                        struct writer *space,
                        const struct query_purposes *query);
void open_data_passport(struct open_data *data, struct rows_passport *out,
                        struct writer *space, const uint8_t *cluster_id);

/* One figure of a status or passport answer. */
void open_data_add(struct list *list, struct writer *space, const char *name,
                   const char *value);
void open_data_add_number(struct list *list, struct writer *space,
                          const char *name, uint64_t value);

#endif
