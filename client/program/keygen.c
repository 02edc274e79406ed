#include <sodium.h>
#include <stdio.h>

#include "client/program/cluster.h"
#include "client/program/file.h"
#include "client/program/program.h"
#include "protocol/identity.h"

/* `defter keygen FILE`: a new signing key for this cluster. */
int keygen_run(struct program *program, int argc, char **argv)
{
    struct cluster cluster;
    struct keyfile keyfile;
    uint8_t seed[SEED_SIZE], key_id[KEY_ID_SIZE];
    char public_hex[2 * PUBLIC_KEY_SIZE + 1], id_hex[2 * KEY_ID_SIZE + 1];
    enum status status;
    int code;

    if (argc != 2)
        return program_usage(argv[0]);
    code = cluster_load(&cluster, program);
    if (code != EXIT_GOOD)
        return code;
    randombytes_buf(seed, sizeof seed);
    keyfile_make(&keyfile, KEYFILE_SIGNER, cluster.cluster_id, seed);
    sodium_memzero(seed, sizeof seed);
    status = file_write_key(&keyfile, argv[1]);
    identity_key_id(key_id, keyfile.public_key);
    sodium_bin2hex(public_hex, sizeof public_hex, keyfile.public_key,
                   PUBLIC_KEY_SIZE);
    sodium_bin2hex(id_hex, sizeof id_hex, key_id, KEY_ID_SIZE);
    keyfile_wipe(&keyfile);
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: %s", argv[1],
                            status_info(status)->english);
    if (program->json)
        printf("{\"key_id\":\"%s\",\"public_key\":\"%s\"}\n", id_hex,
               public_hex);
    else
        printf("key_id      %s\npublic_key  %s\n", id_hex, public_hex);
    return EXIT_GOOD;
}
