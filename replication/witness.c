#include "replication/witness.h"

#include <string.h>

#define WITNESS_DIRECTORY ""

static enum status witness_keep(struct disk *disk,
                                const struct sign_state *state)
{
    uint8_t bytes[SIGN_STATE_SIZE_MAX];
    size_t size;

    sign_state_encode(bytes, &size, state);
    return disk_replace(disk, WITNESS_FILE, WITNESS_DIRECTORY, bytes, size);
}

enum status witness_create(struct disk *disk, const uint8_t *cluster_id)
{
    struct sign_state state;

    sign_state_init(&state, SIGN_WITNESS, cluster_id);
    return witness_keep(disk, &state);
}

enum status witness_open(struct witness *witness, struct disk *disk,
                         const uint8_t *cluster_id)
{
    uint8_t bytes[SIGN_STATE_SIZE_MAX + 1];
    struct disk_file *file;
    enum status status;
    size_t size;

    memset(witness, 0, sizeof *witness);
    witness->disk = disk;
    status = disk_open(disk, &file, WITNESS_FILE);
    if (status != ST_OK)
        return status;
    status = disk_read(file, &size, bytes, sizeof bytes, 0);
    disk_close(file);
    if (status != ST_OK)
        return status;
    return sign_state_decode(&witness->state, slice_of(bytes, size),
                             SIGN_WITNESS, cluster_id);
}

/* Whether the operator signed it, and it may follow what is known here. */
static enum status witness_judge(const struct config_cert *cert,
                                 const struct witness_view *view)
{
    struct config_cert_keys keys = view->keys;
    struct config newer, older;

    keys.witness_needed = false; /* That is what is being asked for. */
    if (config_cert_verify(cert, &keys, view->now_s) != CONFIG_CERT_GOOD)
        return ST_BAD_SIG;
    if (config_decode(&newer, cert->config) != ST_OK)
        return ST_FILE_FORMAT;
    if (config_decode(&older, view->config) != ST_OK ||
        config_judge(&newer, &older, view->config) != CONFIG_GOOD)
        return ST_WRONG_STATE;
    return ST_OK;
}

enum status witness_sign(struct witness *witness,
                         uint8_t signature_out[SIGNATURE_SIZE],
                         struct slice certificate,
                         const struct witness_view *view)
{
    struct sign_state next = witness->state;
    struct config_cert cert;
    enum status status = sign_state_take(&next, certificate);
    bool again = next.number == witness->state.number &&
                 witness->state.certificate_size > 0;

    if (status == ST_OK)
        status = config_cert_decode(&cert, certificate);
    if (status == ST_OK && !again)
        status = witness_judge(&cert, view);
    if (status == ST_OK && !again)
        status = witness_keep(witness->disk, &next);
    if (status != ST_OK)
        return status;
    witness->state = next;
    config_cert_witness(signature_out, &cert, view->identity);
    return ST_OK;
}
