/*
 * replay_main.c: the main() of a fuzz target where no fuzzer is linked.
 *
 *      fz_NAME [--plain] [--runs N] FOLDER...
 *
 * Each file of the corpus is run as it is, cut at every length, and with every
 * byte flipped, so that the ordinary tests meet what the fuzzer once found;
 * --plain: only as it is.
 * Then come N inputs that a fuzzer might make of the files, by the target's own
 * mutator where it has one, and always the same ones.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/mutate.h"

enum {
    INPUT_SIZE_MAX = 1 << 20,
    CHANGES_MAX = 2048, /* Cuts and flips a file, spread over its length. */
    PATH_SIZE_MAX = 4096,
    FILES_MAX = 512, /* That runs begin with. */
    GROWTH_SIZE = 4096,
    STEPS_MAX = 8, /* Changes before an input is run. */
    SEED = 1
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed) __attribute__((weak));

static struct file {
    uint8_t *data;
    size_t size;
} files[FILES_MAX];
static size_t files_count;
static bool plain;

/*
 * The target sees an exact heap copy, so that a sanitizer notices the first
 * byte read behind the input.
 */
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);

    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_changes(uint8_t *data, size_t size)
{
    size_t step = size / CHANGES_MAX + 1;

    for (size_t at = 0; at < size; at += step) {
        run_copy(data, at);
        data[at] ^= 0xff;
        run_copy(data, size);
        data[at] ^= 0xff;
    }
}

static void keep_file(const uint8_t *data, size_t size)
{
    struct file *file = &files[files_count];

    if (files_count == FILES_MAX)
        return;
    file->data = malloc(size == 0 ? 1 : size);
    if (file->data == NULL)
        abort();
    memcpy(file->data, data, size);
    file->size = size;
    files_count++;
}

static int run_file(const char *path)
{
    static uint8_t data[INPUT_SIZE_MAX];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (file == NULL) {
        perror(path);
        return 1;
    }
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    keep_file(data, size);
    run_copy(data, size);
    if (!plain)
        run_changes(data, size);
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A corpus that does not exist is an empty one. */
static int run_folder(const char *folder, unsigned *count)
{
    struct dirent **names;
    char path[PATH_SIZE_MAX];
    int failed = 0, listed = scandir(folder, &names, NULL, by_name);

    if (listed < 0)
        return 0;
    for (int i = 0; i < listed; i++) {
        if (names[i]->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder,
                           names[i]->d_name);
            failed |= run_file(path);
            *count += 1;
        }
        free(names[i]);
    }
    free(names);
    return failed;
}

static size_t change(struct random *random, uint8_t *data, size_t size,
                     size_t size_max)
{
    if (LLVMFuzzerCustomMutator != NULL)
        return LLVMFuzzerCustomMutator(data, size, size_max,
                                       (unsigned)random_next(random));
    return mutate_bytes(random, data, size, size_max);
}

/* What was made of a file may take its place, so that changes add up. */
static void run_random(unsigned long runs)
{
    static uint8_t data[INPUT_SIZE_MAX + GROWTH_SIZE];
    struct random random = {SEED};

    if (files_count == 0)
        keep_file(data, 0);
    for (unsigned long i = 0; i < runs; i++) {
        const struct file *file =
            &files[random_below(&random, (uint32_t)files_count)];
        size_t size = file->size, size_max = size + GROWTH_SIZE;

        memcpy(data, file->data, size);
        for (uint32_t left = random_below(&random, STEPS_MAX) + 1; left > 0;
             left--)
            size = change(&random, data, size, size_max);
        run_copy(data, size);
        if (i % 16 == 0)
            keep_file(data, size);
    }
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    unsigned count = 0;
    unsigned long runs = 0;
    int failed = 0;

    run_copy(nothing, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            runs = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--plain") == 0)
            plain = true;
        else
            failed |= run_folder(argv[i], &count);
    }
    run_random(runs);
    for (size_t i = 0; i < files_count; i++)
        free(files[i].data);
    printf("%u corpus files replayed, %lu inputs made\n", count, runs);
    return failed;
}
