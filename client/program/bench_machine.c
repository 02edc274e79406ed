#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/program/bench.h"
#include "client/program/file.h"

enum { SLICE_US = 300000, BLOCK = 4096, HASHED = 64 * 1024 };

int64_t bench_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double rate(uint64_t count, int64_t from_us)
{
    return (double)count * 1e6 / (double)(bench_now_us() - from_us + 1);
}

static void measure_signatures(struct bench_machine *out)
{
    uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
    uint8_t message[128] = {1}, signature[crypto_sign_BYTES];
    int64_t from_us = bench_now_us();
    uint64_t count = 0;

    crypto_sign_keypair(pk, sk);
    while (bench_now_us() - from_us < SLICE_US) {
        crypto_sign_detached(signature, NULL, message, sizeof message, sk);
        count++;
    }
    out->sign = rate(count, from_us);
    from_us = bench_now_us();
    for (count = 0; bench_now_us() - from_us < SLICE_US; count++) {
        if (crypto_sign_verify_detached(signature, message, sizeof message,
                                        pk) != 0)
            abort();
    }
    out->verify = rate(count, from_us);
    sodium_memzero(sk, sizeof sk);
}

static void measure_hash(struct bench_machine *out)
{
    static uint8_t bytes[HASHED];
    uint8_t hash[crypto_hash_sha256_BYTES];
    int64_t from_us = bench_now_us();
    uint64_t count = 0;

    for (; bench_now_us() - from_us < SLICE_US; count++)
        crypto_hash_sha256(hash, bytes, sizeof bytes);
    out->sha256_bytes = rate(count, from_us) * HASHED;
}

static void measure_disk(struct bench_machine *out, const char *directory)
{
    char path[FILE_PATH_SIZE_MAX];
    uint8_t block[BLOCK] = {1};
    int64_t from_us;
    uint64_t count = 0;
    int fd;

    if (!file_path(path, directory, "bench.tmp"))
        return;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    (void)unlink(path);
    if (pwrite(fd, block, sizeof block, 0) == BLOCK && fdatasync(fd) == 0) {
        from_us = bench_now_us();
        while (bench_now_us() - from_us < SLICE_US &&
               pwrite(fd, block, sizeof block, 0) == BLOCK &&
               fdatasync(fd) == 0)
            count++;
        out->fdatasync = rate(count, from_us);
    }
    close(fd);
}

void bench_machine(struct bench_machine *out, const char *directory)
{
    *out = (struct bench_machine){0};
    measure_signatures(out);
    measure_hash(out);
    if (directory != NULL)
        measure_disk(out, directory);
}
