/*
 * bench_keyring: new seal keys a second in groups, opening them again, and the
 * time to load them at start.
 *
 *   bench_keyring [FILE] [KEYS]
 */
#include "server/store/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { GROUP_KEYS = 1024 };

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void print(const char *what, uint64_t count, double took)
{
    printf("%-34s %9.0f keys/s  %6.2f us\n", what, (double)count / took,
           1e6 * took / (double)count);
}

static void stage(struct keyring *keyring, uint64_t number)
{
    struct keyring_row row = {number, number, number, KEYRING_RECORD};

    keyring_stage(keyring, &row, NULL);
    if (number % GROUP_KEYS == 0)
        keyring_commit(keyring);
}

static void get(struct keyring *keyring, uint64_t number)
{
    uint8_t key[KEY_SIZE];

    if (keyring_key(keyring, key, number) != ST_OK)
        abort();
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "bench-keyring.db";
    uint64_t keys = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
    const uint8_t wrapping_key[KEY_SIZE] = {1};
    const uint8_t cluster_id[CLUSTER_ID_SIZE] = {1};
    struct keyring *keyring;
    double started;

    unlink(path);
    if (keys == 0 ||
        keyring_open(&keyring, path, wrapping_key, cluster_id) != ST_OK)
        return 1;
    started = seconds();
    for (uint64_t number = 1; number <= keys; number++)
        stage(keyring, number);
    keyring_commit(keyring);
    print("new keys, durable in groups", keys, seconds() - started);
    keyring_close(keyring);

    started = seconds();
    if (keyring_open(&keyring, path, wrapping_key, cluster_id) != ST_OK)
        return 1;
    print("owners loaded at start", keys, seconds() - started);
    started = seconds();
    for (uint64_t number = 1; number <= keys; number++)
        get(keyring, number);
    print("keys opened from the file", keys, seconds() - started);
    started = seconds();
    for (uint64_t i = 0; i < keys; i++)
        get(keyring, 1 + i % 1000);
    print("keys opened from memory", keys, seconds() - started);
    keyring_close(keyring);
    unlink(path);
    return 0;
}
