/*
 * fz_fold.c: texts that fields may hold.  A folded text is valid, within its
 * size, and folds to itself; its tokens lie in it; the order of two texts turns
 * round with them.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocol/text.h"
#include "server/store/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_SIZE_MAX = 4096 };

static void check_tokens(struct slice folded)
{
    struct slice token;
    size_t used = 0, last = 0;

    while ((token = fold_token(folded, &used)).size > 0) {
        INVARIANT(token.data >= folded.data + last);
        INVARIANT(token.data + token.size == folded.data + used);
        INVARIANT(text_valid(token));
        last = used;
    }
    INVARIANT(used <= folded.size);
}

static void check_key(struct slice text, enum fold_key key)
{
    static uint8_t once[2 * TEXT_SIZE_MAX];
    static uint8_t twice[4 * TEXT_SIZE_MAX];
    struct slice first, second;

    first = slice_of(once, fold_text(once, text, key));
    INVARIANT(first.size <= (key == FOLD_PLAIN ? 1 : 2) * text.size);
    INVARIANT(text_valid(first));
    second = slice_of(twice, fold_text(twice, first, key));
    INVARIANT(slice_equal(first, second));
    check_tokens(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct slice left = slice_of(data, size / 2);
    struct slice right = slice_of(data + size / 2, size - size / 2);

    if (size > TEXT_SIZE_MAX || size == 0 || !text_valid(text))
        return 0;
    check_key(text, FOLD_PLAIN);
    check_key(text, FOLD_CASE);
    if (!text_valid(left) || !text_valid(right))
        return 0;
    INVARIANT((fold_compare(left, right) < 0) ==
              (fold_compare(right, left) > 0));
    INVARIANT((fold_compare(left, right) == 0) == slice_equal(left, right));
    return 0;
}
