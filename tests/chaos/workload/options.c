#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/keyfile.h"
#include "tests/chaos/workload/workload.h"

enum { LINE_SIZE = 256, CLUSTER_ADDRESS_SIZE = 61 };

static bool say(const char *what, const char *of)
{
    fprintf(stderr, "workload: %s: %s\n", of, what);
    return false;
}

static bool add_address(struct workload_options *options, const char *address)
{
    size_t used = strlen(options->addresses);
    int size =
        snprintf(options->addresses + used, sizeof options->addresses - used,
                 "%s%s", used == 0 ? "" : ",", address);

    return size > 0 && used + (size_t)size < sizeof options->addresses;
}

static bool take_number(uint64_t *out, const char *text)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool take_option(struct workload_options *options, int option)
{
    switch (option) {
    case 'c':
        options->cluster = optarg;
        return true;
    case 'k':
        options->key = optarg;
        return true;
    case 'h':
        options->history = optarg;
        return true;
    case 'r':
        options->receipts = optarg;
        return true;
    case 'a':
        return add_address(options, optarg);
    case 'n':
        return take_number(&options->clients, optarg) && options->clients > 0 &&
               options->clients <= WORKLOAD_CLIENTS_MAX;
    case 'm':
        return take_number(&options->commands, optarg);
    case 's':
        return take_number(&options->seconds, optarg);
    case 'p':
        return take_number(&options->pace_ms, optarg);
    case 't':
        return take_number(&options->patience_ms, optarg);
    case 'q':
        return take_number(&options->reads, optarg) && options->reads <= 100;
    case 'd':
        return take_number(&options->duty, optarg) &&
               options->duty <= UINT32_MAX;
    default:
        return false;
    }
}

static bool take_line(struct workload_options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"cluster", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"history", required_argument, NULL, 'h'},
        {"receipts", required_argument, NULL, 'r'},
        {"address", required_argument, NULL, 'a'},
        {"clients", required_argument, NULL, 'n'},
        {"commands", required_argument, NULL, 'm'},
        {"seconds", required_argument, NULL, 's'},
        {"pace", required_argument, NULL, 'p'},
        {"patience", required_argument, NULL, 't'},
        {"reads", required_argument, NULL, 'q'},
        {"duty", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take_option(options, option))
            return false;
    }
    return optind == argc && options->cluster != NULL && options->key != NULL &&
           options->history != NULL;
}

static bool take_cluster(struct workload_options *options,
                         struct defter_options *client)
{
    char line[LINE_SIZE], hex[2 * PUBLIC_KEY_SIZE + 1] = "";
    char address[CLUSTER_ADDRESS_SIZE] = "";
    FILE *file = fopen(options->cluster, "re");
    size_t got;

    if (file == NULL)
        return say("cannot be read", options->cluster);
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "authority = %64s", hex);
        (void)sscanf(line, "address = %60s", address);
    }
    (void)fclose(file);
    if (options->addresses[0] == '\0' && !add_address(options, address))
        return say("has no address", options->cluster);
    if (sodium_hex2bin(client->authority_key, PUBLIC_KEY_SIZE, hex, strlen(hex),
                       NULL, &got, NULL) != 0 ||
        got != PUBLIC_KEY_SIZE)
        return say("has no authority key", options->cluster);
    return true;
}

static bool take_key(uint8_t seed[SEED_SIZE], const char *path)
{
    uint8_t bytes[KEYFILE_SIZE];
    struct keyfile keyfile;
    FILE *file = fopen(path, "re");
    size_t got;

    if (file == NULL)
        return say("cannot be read", path);
    got = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    if (keyfile_decode(&keyfile, slice_of(bytes, got), KEYFILE_SIGNER) != ST_OK)
        return say("is not a key", path);
    memcpy(seed, keyfile.secret, SEED_SIZE);
    keyfile_wipe(&keyfile);
    sodium_memzero(bytes, sizeof bytes);
    return true;
}

bool workload_take(struct workload_options *options,
                   struct defter_options *client, uint8_t seed[SEED_SIZE],
                   int argc, char **argv)
{
    *options = (struct workload_options){
        .clients = 8, .pace_ms = 2, .patience_ms = 60000, .reads = 10};
    if (!take_line(options, argc, argv)) {
        fputs("usage: workload --cluster FILE --key FILE --history FILE\n"
              "           [--receipts FILE] [--address HOST:PORT]...\n"
              "           [--clients N] [--commands N] [--seconds N]\n"
              "           [--pace MS] [--patience MS]\n"
              "           [--duty NUMBER [--reads PERCENT]]\n",
              stderr);
        return false;
    }
    *client = (struct defter_options){.key_seed = seed,
                                      .role = options->duty == 0 ? ROLE_STAFF
                                                                 : ROLE_AUDITOR,
                                      .agent = "workload",
                                      .receipts_path = options->receipts};
    if (!take_cluster(options, client) || !take_key(seed, options->key))
        return false;
    if (options->duty == 0)
        options->reads = 0;
    client->address = options->addresses;
    return true;
}
