/*
 * etcd_fake_parts.h: what the files of etcd_fake share.
 */
#ifndef DEFTER_TESTS_LIB_ETCD_FAKE_PARTS_H
#define DEFTER_TESTS_LIB_ETCD_FAKE_PARTS_H

#include "tests/lib/etcd_fake.h"
#include "tests/lib/etcd_fake_store.h"

struct cJSON;

struct etcd_fake {
    struct fake_store store;
    uint64_t refusals;
};

/* A key or a value out of a body. */
struct fake_bytes {
    uint8_t data[FAKE_VALUE_SIZE_MAX + 1];
    size_t size;
};

/* ${object} has these fields, each once, and no other; NULL ends the list. */
bool fake_has_exactly(const struct cJSON *object, const char *const *names);

#define HAS_EXACTLY(object, ...) \
    fake_has_exactly(object, (const char *const[]){__VA_ARGS__, NULL})

/* Each is false where the field is not of that form. */
bool fake_number_of(uint64_t *out, const struct cJSON *object,
                    const char *name);
bool fake_bytes_of(struct fake_bytes *out, const struct cJSON *object,
                   const char *name);
bool fake_key_of(struct fake_bytes *out, const struct cJSON *object,
                 const char *name);

/* Parts of an answer. */
__attribute__((format(printf, 2, 3))) void fake_say(struct writer *out,
                                                    const char *format, ...);
void fake_say_header(struct writer *out, const struct etcd_fake *fake);

/* The answer to a body of another form, and its HTTP status. */
uint32_t fake_refuse(struct etcd_fake *fake, struct writer *out);

uint32_t fake_post_range(struct etcd_fake *fake, struct writer *out,
                         const struct cJSON *json);
uint32_t fake_post_txn(struct etcd_fake *fake, struct writer *out,
                       const struct cJSON *json);

#endif
