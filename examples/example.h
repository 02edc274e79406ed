/*
 * example.h: reading a cluster.conf and a key file, for the examples; and
 * numbers as the protocol writes them (little-endian).
 */
#ifndef DEFTER_EXAMPLES_EXAMPLE_H
#define DEFTER_EXAMPLES_EXAMPLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/defter.h"

enum {
    EXAMPLE_ADDRESSES_SIZE = 528, /* Of a list: host:port,host:port,... */
    EXAMPLE_KEY_SIZE = 32,
    EXAMPLE_KEY_AT = 32, /* Of the secret in a key file. */
    EXAMPLE_HEX_SIZE = 2 * EXAMPLE_KEY_SIZE
};

/* What options point to. */
struct example {
    char addresses[EXAMPLE_ADDRESSES_SIZE];
    uint8_t seed[EXAMPLE_KEY_SIZE];
    struct defter_options options;
};

static inline void example_put(uint8_t **at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        *(*at)++ = (uint8_t)(value >> 8 * i);
}

static inline uint64_t example_take(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = size; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

static inline bool example_hex(uint8_t out[EXAMPLE_KEY_SIZE], const char *hex)
{
    for (size_t i = 0; i < EXAMPLE_KEY_SIZE; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

/* A line of addresses, which may be one of several; false if they are too many.
 */
static inline bool example_address(struct example *example, const char *line)
{
    char addresses[256];
    size_t used = strlen(example->addresses), left;
    int size;

    if (sscanf(line, "address = %255[^\n]", addresses) != 1)
        return true;
    left = sizeof example->addresses - used;
    size = snprintf(example->addresses + used, left, "%s%s",
                    used > 0 ? "," : "", addresses);
    return size >= 0 && (size_t)size < left;
}

/* False if a file cannot be read or is something else. */
static inline bool example_open(struct example *example, const char *cluster,
                                const char *key, uint16_t role)
{
    char line[256], hex[EXAMPLE_HEX_SIZE + 1] = "";
    uint8_t skipped[EXAMPLE_KEY_AT];
    FILE *file = fopen(cluster, "re");
    bool good;

    memset(example, 0, sizeof *example);
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "authority = %64s", hex);
        if (!example_address(example, line)) {
            (void)fclose(file);
            return false;
        }
    }
    (void)fclose(file);
    file = fopen(key, "re");
    if (file == NULL || strlen(hex) != EXAMPLE_HEX_SIZE)
        return false;
    good = fread(skipped, 1, sizeof skipped, file) == sizeof skipped &&
           fread(example->seed, 1, EXAMPLE_KEY_SIZE, file) == EXAMPLE_KEY_SIZE;
    (void)fclose(file);
    example->options.address = example->addresses;
    example->options.key_seed = example->seed;
    example->options.role = role;
    return good && example_hex(example->options.authority_key, hex);
}

#endif
