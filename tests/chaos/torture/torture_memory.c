/*
 * The calls that give memory.  free() is nobody's business: what is given comes
 * from the functions behind these.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tests/chaos/torture/aim.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size);
EXPORTED void *calloc(size_t count, size_t size);
EXPORTED void *realloc(void *old, size_t size);
EXPORTED void *reallocarray(void *old, size_t count, size_t size);
EXPORTED char *strdup(const char *text);
EXPORTED char *strndup(const char *text, size_t size);
EXPORTED int posix_memalign(void **out, size_t alignment, size_t size);

void *malloc(size_t size)
{
    static void *(*next)(size_t);

    if (next == NULL)
        next = (void *(*)(size_t))aim_next("malloc");
    return aim_hits(AIM_MEMORY, "malloc") ? NULL : next(size);
}

void *calloc(size_t count, size_t size)
{
    static void *(*next)(size_t, size_t);

    if (next == NULL)
        next = (void *(*)(size_t, size_t))aim_next("calloc");
    return aim_hits(AIM_MEMORY, "calloc") ? NULL : next(count, size);
}

void *realloc(void *old, size_t size)
{
    static void *(*next)(void *, size_t);

    if (next == NULL)
        next = (void *(*)(void *, size_t))aim_next("realloc");
    return aim_hits(AIM_MEMORY, "realloc") ? NULL : next(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, count * size);
}

char *strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = malloc(length + 1);

    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *strdup(const char *text)
{
    return strndup(text, strlen(text));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    static int (*next)(void **, size_t, size_t);

    if (next == NULL)
        next = (int (*)(void **, size_t, size_t))aim_next("posix_memalign");
    return aim_hits(AIM_MEMORY, "posix_memalign") ? ENOMEM
                                                  : next(out, alignment, size);
}
