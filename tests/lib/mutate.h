/*
 * mutate.h: changes of inputs by somebody who knows how they are built, for
 * fuzz targets and for what replays their corpora.
 *
 * Each function makes about one change of the ${size} bytes at ${data}, which
 * has room for ${size_max}, and returns the new size.  The same numbers make
 * the same change.  What is not built as expected is changed as plain bytes:
 * by libFuzzer's own mutator where it is linked, otherwise by a small one.
 */
#ifndef DEFTER_TESTS_LIB_MUTATE_H
#define DEFTER_TESTS_LIB_MUTATE_H

#include "protocol/frame.h"
#include "protocol/identity.h"
#include "protocol/schema.h"
#include "tests/lib/random.h"

/* The longest input that is looked at as more than plain bytes. */
enum { MUTATE_SIZE_MAX = 1 << 17 };

/* Whose commands they are. */
struct mutate_signer {
    const struct identity *identity;
    const uint8_t *cluster_id;
};

/* Requires: size_max > 0. */
size_t mutate_bytes(struct random *random, uint8_t *data, size_t size,
                    size_t size_max);

/*
 * The body of ${schema}: a value is changed within its bounds, an optional one
 * put in or taken out, or all of it is made anew.
 */
size_t mutate_fields(struct random *random, uint8_t *data, size_t size,
                     size_t size_max, const struct schema *schema);

/*
 * The body of a COMMAND frame: its header, an item's clear part or fields are
 * changed, an item is added, doubled, moved or taken out; then counts, lengths,
 * root and signature are made to fit, and one time in sixteen a byte of that is
 * wrong.
 */
size_t mutate_command(struct random *random, uint8_t *data, size_t size,
                      size_t size_max, const struct mutate_signer *signer);

/*
 * Frames behind each other, as a record holds them: one is changed by the
 * schema of its type, added, doubled, moved or taken out; then lengths and
 * request numbers are made to fit, but for one time in sixteen.
 */
size_t mutate_frames(struct random *random, uint8_t *data, size_t size,
                     size_t size_max, const struct mutate_signer *signer);

/*
 * A byte of choices, then parts of u16 size (less one) and bytes, of which
 * ${change} changes one.  Parts are doubled, split, joined and taken out too.
 */
typedef size_t mutate_part(struct random *random, uint8_t *data, size_t size,
                           size_t size_max, void *context);
size_t mutate_parts(struct random *random, uint8_t *data, size_t size,
                    size_t size_max, mutate_part *change, void *context);

#endif
