#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/program.h"
#include "protocol/enrol.h"

/* What a key says of itself when it is enrolled (PROTOCOL, enrolment). */
struct prove {
    const char *path;
    uint16_t role;
    uint64_t level, organisation, person;
    struct identity identity;
    uint8_t proof[SIGNATURE_SIZE];
};

static int usage(void)
{
    return program_usage("prove");
}

static int parse(struct prove *prove, int argc, char **argv)
{
    static const struct option options[] = {
        {"as", required_argument, NULL, 'a'},
        {"level", required_argument, NULL, 'l'},
        {"organisation", required_argument, NULL, 'o'},
        {"person", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0; /* The GNU way to begin anew. */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'a')
            prove->role = cluster_role(optarg);
        else if (option == 'l')
            good = good && program_number(&prove->level, optarg, 0, 3);
        else if (option == 'o')
            good = good &&
                   program_number(&prove->organisation, optarg, 0, UINT32_MAX);
        else if (option == 'p')
            good =
                good && program_number(&prove->person, optarg, 0, UINT64_MAX);
        else
            good = false;
    }
    if (!good || optind != argc - 1 || prove->role == 0)
        return usage();
    prove->path = argv[optind];
    return EXIT_GOOD;
}

int prove_run(struct program *program, int argc, char **argv)
{
    struct prove prove = {.level = 3};
    struct cluster cluster;
    struct enrol_claim claim;
    uint8_t seed[SEED_SIZE];
    char public_hex[2 * PUBLIC_KEY_SIZE + 1];
    char proof_hex[2 * SIGNATURE_SIZE + 1];
    int code = parse(&prove, argc, argv);

    if (code == EXIT_GOOD)
        code = cluster_load(&cluster, program);
    if (code == EXIT_GOOD)
        code = cluster_seed(seed, prove.path);
    if (code != EXIT_GOOD)
        return code;
    identity_init(&prove.identity, seed);
    sodium_memzero(seed, sizeof seed);
    claim = (struct enrol_claim){prove.role, (uint8_t)prove.level,
                                 (uint32_t)prove.organisation, prove.person};
    enrol_prove(prove.proof, &claim, cluster.cluster_id, &prove.identity);
    sodium_bin2hex(public_hex, sizeof public_hex, prove.identity.public_key,
                   PUBLIC_KEY_SIZE);
    sodium_bin2hex(proof_hex, sizeof proof_hex, prove.proof, SIGNATURE_SIZE);
    identity_wipe(&prove.identity);
    printf("public_key=%s role=%u level=%u organisation=%u person=%llu "
           "proof=%s\n",
           public_hex, prove.role, (unsigned)prove.level,
           (unsigned)prove.organisation, (unsigned long long)prove.person,
           proof_hex);
    return EXIT_GOOD;
}
