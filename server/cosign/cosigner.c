#include "server/cosign/cosigner.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

enum { COSIGNER_ID_BYTES = 4 };

bool cosigner_name(struct note_key *key_out, const char *origin,
                   const uint8_t *node_id, const uint8_t *public_key)
{
    char name[NOTE_NAME_SIZE_MAX + 1];
    char hex[2 * COSIGNER_ID_BYTES + 1];
    int size;

    sodium_bin2hex(hex, sizeof hex, node_id, COSIGNER_ID_BYTES);
    size = snprintf(name, sizeof name, "%s/node/%s", origin, hex);
    if (size < 0 || (size_t)size >= sizeof name ||
        !note_name_valid(slice_of(name, (size_t)size)))
        return false;
    note_key_init(key_out, slice_of(name, (size_t)size), NOTE_COSIGNATURE,
                  public_key);
    return true;
}

void cosigner_init(struct cosigner *cosigner, const struct cosign_calls *calls,
                   const char *origin, const uint8_t *node_id,
                   const struct identity *identity)
{
    memset(cosigner, 0, sizeof *cosigner);
    cosigner->calls = calls;
    if (identity == NULL)
        return;
    (void)sodium_mlock(&cosigner->identity, sizeof cosigner->identity);
    cosigner->identity = *identity;
    cosigner->has_key =
        cosigner_name(&cosigner->key, origin, node_id, identity->public_key);
}

void cosigner_wipe(struct cosigner *cosigner)
{
    /* Wipes, whether it was locked or not. */
    (void)sodium_munlock(&cosigner->identity, sizeof cosigner->identity);
    sodium_memzero(cosigner, sizeof *cosigner);
}

enum status cosigner_sign(struct cosigner *cosigner, struct slice *line_out,
                          const struct checkpoint *checkpoint,
                          struct slice text)
{
    const struct cosign_calls *calls = cosigner->calls;
    int64_t time_s = calls->wall_s(calls->context);
    struct writer writer;
    enum status status;

    *line_out = slice_of(cosigner->line, cosigner->line_size);
    if (!cosigner->has_key)
        return ST_NO_SUCH;
    if (cosigner->size > 0 && checkpoint->size == cosigner->size &&
        memcmp(checkpoint->root, cosigner->root, HASH_SIZE) == 0)
        return ST_OK;
    time_s = time_s < 0 ? 0 : time_s;
    status = calls->cosign_begin(calls->context, checkpoint->size,
                                 checkpoint->root, time_s);
    if (status != ST_OK)
        return status;
    writer_init(&writer, cosigner->line, sizeof cosigner->line);
    checkpoint_cosign_line(&writer, text, &cosigner->key, &cosigner->identity,
                           (uint64_t)time_s);
    INVARIANT(writer.status == ST_OK);
    cosigner->size = checkpoint->size;
    memcpy(cosigner->root, checkpoint->root, HASH_SIZE);
    cosigner->line_size = writer.used;
    *line_out = writer_slice(&writer);
    return ST_OK;
}
