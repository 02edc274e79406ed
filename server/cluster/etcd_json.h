/*
 * etcd_json.h: the JSON of etcd's answers, field by field.
 *
 * A field that is missing is zero, as etcd writes it; one of another type than
 * it must have is an error.  Each getter returns false for an error.
 */
#ifndef DEFTER_SERVER_CLUSTER_ETCD_JSON_H
#define DEFTER_SERVER_CLUSTER_ETCD_JSON_H

#include "protocol/bytes.h"

struct cJSON;

/*
 * etcd_json_parse(text):
 * Returns: an object, to be freed with cJSON_Delete(); NULL if ${text} is not
 *          exactly one object, nests too deep, or holds a NUL.
 */
struct cJSON *etcd_json_parse(struct slice text);

/* The field as it is, NULL if it is missing. */
const struct cJSON *etcd_json_get(const struct cJSON *object, const char *name);

/* An integer that etcd writes as a string; at most INT64_MAX. */
NODISCARD bool etcd_json_number(uint64_t *out, const struct cJSON *object,
                                const char *name);

/* The same, up to UINT64_MAX: an id. */
NODISCARD bool etcd_json_id(uint64_t *out, const struct cJSON *object,
                            const char *name);

/* The same, of either sign. */
NODISCARD bool etcd_json_signed(int64_t *out, const struct cJSON *object,
                                const char *name);

/* An integer that etcd writes as one, from 0 to 65535. */
NODISCARD bool etcd_json_small(uint32_t *out, const struct cJSON *object,
                               const char *name);

NODISCARD bool etcd_json_bool(bool *out, const struct cJSON *object,
                              const char *name);

/* Padded base64 of at most ${capacity} bytes. */
NODISCARD bool etcd_json_bytes(void *out, size_t *size_out, size_t capacity,
                               const struct cJSON *object, const char *name);

/* An object, or a list; NULL in ${out} if it is missing. */
NODISCARD bool etcd_json_object(const struct cJSON **out,
                                const struct cJSON *object, const char *name);
NODISCARD bool etcd_json_list(const struct cJSON **out,
                              const struct cJSON *object, const char *name);

#endif
