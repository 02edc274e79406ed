#include "tests/lib/short_memory.h"

#include <errno.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static bool is_counted;
static bool on;
static size_t nth;
static size_t calls_count;

void short_memory_begin(size_t number, bool goes_on)
{
    nth = number;
    on = goes_on;
    calls_count = 0;
    is_counted = true;
}

size_t short_memory_end(void)
{
    is_counted = false;
    return calls_count;
}

static bool is_short(void)
{
    if (!is_counted || ++calls_count < nth || (calls_count > nth && !on))
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_short() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_short() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_short() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return is_short() ? NULL : __real_reallocarray(old, count, size);
}
