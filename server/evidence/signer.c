#include "server/evidence/signer.h"

#include <string.h>

/* A size and root beside one that stands there. */
static enum signer_verdict signer_beside(const struct evidence_head *head,
                                         uint64_t size,
                                         const uint8_t root[HASH_SIZE])
{
    if (size < head->size)
        return SIGNER_BEHIND;
    if (size == head->size && size > 0 &&
        memcmp(root, head->root, HASH_SIZE) != 0)
        return SIGNER_CONTRADICTS;
    return SIGNER_SIGN;
}

static enum signer_verdict signer_agrees_at(const struct evidence_head *head,
                                            void *context, signer_root *root_of)
{
    uint8_t root[HASH_SIZE];
    enum status status;

    if (head->size == 0)
        return SIGNER_SIGN;
    status = root_of(context, root, head->size);
    if (status == ST_NO_SUCH)
        return SIGNER_BEHIND;
    if (status != ST_OK)
        return SIGNER_UNKNOWN;
    return signer_beside(head, head->size, root);
}

enum signer_verdict signer_agrees(const struct evidence_value *value,
                                  void *context, signer_root *root_of)
{
    const struct evidence_head *const heads[] = {
        &value->signed_here, &value->witnessed, &value->cosigned};
    enum signer_verdict worst = SIGNER_SIGN;

    if (value->contradicted)
        return SIGNER_CONTRADICTS;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        enum signer_verdict verdict =
            signer_agrees_at(heads[i], context, root_of);

        if (verdict == SIGNER_CONTRADICTS)
            return verdict;
        if (verdict != SIGNER_SIGN)
            worst = verdict;
    }
    return worst;
}

enum signer_verdict signer_judge(const struct evidence_value *value,
                                 uint64_t size, const uint8_t root[HASH_SIZE])
{
    const struct evidence_head *const heads[] = {
        &value->signed_here, &value->witnessed, &value->cosigned};

    if (value->contradicted)
        return SIGNER_CONTRADICTS;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        enum signer_verdict verdict = signer_beside(heads[i], size, root);

        if (verdict != SIGNER_SIGN)
            return verdict;
    }
    return size == value->signed_here.size ? SIGNER_NOTHING_NEW : SIGNER_SIGN;
}

enum signer_verdict signer_cosign(const struct evidence_value *value,
                                  uint64_t size, const uint8_t root[HASH_SIZE])
{
    if (value->contradicted)
        return SIGNER_CONTRADICTS;
    if (size == 0)
        return SIGNER_NOTHING_NEW;
    return signer_beside(&value->cosigned, size, root);
}

enum status signer_sign(struct writer *writer, struct evidence_state *state,
                        uint64_t size, const uint8_t root[HASH_SIZE],
                        int64_t time_s, const struct note_key *key,
                        const struct identity *identity)
{
    struct evidence_value value = state->value;
    struct checkpoint checkpoint = {.origin = note_key_name(key), .size = size};
    enum status status;

    REQUIRE(signer_judge(&value, size, root) == SIGNER_SIGN);
    memcpy(checkpoint.root, root, HASH_SIZE);
    value.signed_here = (struct evidence_head){.size = size, .time_s = time_s};
    memcpy(value.signed_here.root, root, HASH_SIZE);
    value.seen = value.signed_here;
    status = evidence_state_write(state, &value);
    if (status == ST_OK)
        checkpoint_sign(writer, &checkpoint, key, identity);
    return status;
}
