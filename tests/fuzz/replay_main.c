/*
 * replay_main.c: the main() of a fuzz target where no fuzzer is linked.  Each
 * file of the corpus is run as it is, cut at every length, and with every byte
 * flipped, so that the ordinary tests meet what the fuzzer once found.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_SIZE_MAX = 1 << 20,
    CHANGES_MAX = 2048, /* Cuts and flips a file, spread over its length. */
    PATH_SIZE_MAX = 4096
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    run_copy(data, size);
    run_changes(data, size);
    return 0;
}

/* A corpus that does not exist is an empty one. */
static int run_folder(const char *folder, unsigned *count)
{
    DIR *listing = opendir(folder);
    const struct dirent *item;
    char path[PATH_SIZE_MAX];
    int failed = 0;

    if (listing == NULL)
        return 0;
    while ((item = readdir(listing)) != NULL) {
        if (item->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, item->d_name);
        failed |= run_file(path);
        *count += 1;
    }
    closedir(listing);
    return failed;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    unsigned count = 0;
    int failed = 0;

    run_copy(nothing, 0);
    for (int i = 1; i < argc; i++)
        failed |= run_folder(argv[i], &count);
    printf("%u corpus files replayed\n", count);
    return failed;
}
