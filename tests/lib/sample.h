/*
 * sample.h: the commands and keys that the published vectors are made of.
 */
#ifndef DEFTER_TESTS_LIB_SAMPLE_H
#define DEFTER_TESTS_LIB_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include <check.h>
#include <sodium.h>

#include "protocol/command_build.h"
#include "protocol/identity.h"

enum { SAMPLE_BODY_SIZE_MAX = 65536, SAMPLE_FIELDS_SIZE = 10 };

/* The signing time of the vectors: 2026-01-01 in microseconds. */
#define SAMPLE_SIGNED_AT ((int64_t)0x0006474846222240)

static const char sample_single_hex[] =
    "010001000100524805f8ce57841ec118aa5cbef00f8f1f08555555555555555555555555"
    "5555555540222246484706002c0100003a0000000000000000000000135469a80981c70d"
    "69c4f2fd3797f4ecb36af435c3a1ef111fb121d0af41697eb52de75357d4690858c080ef"
    "51db820b042e90d4276ea08190b0ec5a78a3c007010101003a0000000700000003000000"
    "e8030000000000000000000000000000a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a008007265"
    "636f72642d30";

static inline void sample_identity(struct identity *identity, uint8_t fill)
{
    uint8_t seed[SEED_SIZE];

    ck_assert_int_ge(sodium_init(), 0);
    memset(seed, fill, sizeof seed);
    identity_init(identity, seed);
}

/* The cluster of the authority whose seed is 32 bytes of 1. */
static inline void sample_cluster_id(uint8_t out[CLUSTER_ID_SIZE])
{
    struct identity authority;

    sample_identity(&authority, 1);
    identity_cluster_id(out, authority.public_key);
}

static inline void sample_header(struct command_header *header,
                                 uint8_t idem_fill)
{
    memset(header, 0, sizeof *header);
    header->flags = COMMAND_FLAG_RECEIPT;
    header->realm = REALM_REGISTRY;
    memset(header->idem, idem_fill, IDEM_SIZE);
    header->signed_at = SAMPLE_SIGNED_AT;
    header->ttl_s = TTL_S_DEFAULT;
}

/* Adds item number ${number}: a string "record-N" under a salt of one byte. */
static inline void sample_item(struct command_build *build, unsigned number)
{
    struct item_clear clear = {0x0101, 1, 0, 7, 3, 1000 + number, 0};
    uint8_t salt[SALT_SIZE];
    uint8_t fields[SAMPLE_FIELDS_SIZE] = {8, 0};

    memset(salt, (int)(0xa0 + number) & 0xff, sizeof salt);
    memcpy(fields + 2, "record-", 7);
    fields[9] = (uint8_t)('0' + number % 10);
    command_build_item(build, &clear, salt, slice_of(fields, sizeof fields));
}

/* A command of ${items} items, signed by the user whose seed is bytes of 2. */
static inline struct slice sample_command(uint8_t *buffer, size_t size,
                                          unsigned items, uint8_t idem_fill)
{
    struct command_build build;
    struct command_header header;
    struct identity user;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct slice body;

    sample_identity(&user, 2);
    sample_cluster_id(cluster_id);
    sample_header(&header, idem_fill);
    command_build_begin(&build, buffer, size, &header);
    for (unsigned i = 0; i < items; i++)
        sample_item(&build, i);
    ck_assert_int_eq(command_build_sign(&build, &body, cluster_id, &user),
                     ST_OK);
    return body;
}

static inline struct command_policy sample_policy(void)
{
    return (struct command_policy){.env_tag = 0x48,
                                   .portal = true,
                                   .registry = true,
                                   .ttl_s_max = TTL_S_MAX,
                                   .items_max = ITEMS_MAX};
}

#endif
