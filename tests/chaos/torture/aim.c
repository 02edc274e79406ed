#include "tests/chaos/torture/aim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_SIZE = 128, EXIT_NO_FUNCTION = 87, REPORT_MODE = 0600 };

static unsigned aimed;
static atomic_uint_fast64_t nth;
static uint64_t path_aimed;
static bool paths_told;
static bool goes_on;
static int error;
static int64_t step;
static int report = -1;
static atomic_bool armed;
static atomic_uint_fast64_t calls_count;

/* Past the C library's names, which this library stands before. */
static void say(const char *what, const char *name, uint64_t number)
{
    char line[LINE_SIZE];
    int size = snprintf(line, sizeof line, "%s%s %llu\n", what, name,
                        (unsigned long long)number);

    if (report >= 0 && size > 0 && size < LINE_SIZE)
        (void)syscall(SYS_write, report, line, (size_t)size);
}

/* The first call on the path becomes the one that is aimed at. */
static void aim_by_path(uint64_t number)
{
    uint64_t path, none = 0;
    char text[LINE_SIZE];

    if (!paths_told && (path_aimed == 0 || atomic_load(&nth) != 0))
        return;
    path = aim_path();
    if (path_aimed != 0 && path == path_aimed)
        (void)atomic_compare_exchange_strong(&nth, &none, number);
    if (!paths_told || path == 0 || !aim_path_is_new(path))
        return;
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)path);
    say("path ", text, number);
}

bool aim_hits(unsigned classes, const char *name)
{
    uint64_t number, target;

    if ((classes & aimed) == 0 || !atomic_load(&armed))
        return false;
    number = atomic_fetch_add(&calls_count, 1) + 1;
    aim_by_path(number);
    target = atomic_load(&nth);
    if (target == 0 || number < target || (number > target && !goes_on))
        return false;
    if (number == target)
        say("hit ", name, number);
    errno = error;
    return true;
}

size_t aim_room(const char *name, size_t size)
{
    if (!aim_hits(AIM_DISK | AIM_ROOM, name))
        return size;
    uint64_t target = atomic_load(&nth);

    return aimed == AIM_ROOM && target % 2 == 0 &&
                   atomic_load(&calls_count) == target
               ? size / 2
               : 0;
}

int64_t aim_clock(void)
{
    uint64_t target;

    (void)aim_hits(AIM_CLOCK, "clock_gettime");
    target = atomic_load(&nth);
    return aimed == AIM_CLOCK && target > 0 &&
                   atomic_load(&calls_count) >= target
               ? step
               : 0;
}

void *aim_next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL) {
        say("lacks ", name, 0);
        _exit(EXIT_NO_FUNCTION);
    }
    return found;
}

static void on_signal(int number)
{
    (void)number;
    atomic_store(&armed, true);
}

static uint64_t number_of(const char *name, int base)
{
    const char *text = getenv(name);

    return text == NULL ? 0 : strtoull(text, NULL, base);
}

static unsigned class_of(const char *text)
{
    static const char *const words[] = {"memory", "disk", "room", "calls",
                                        "clock"};

    for (unsigned i = 0; text != NULL && i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return 1U << i;
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("TORTURE_REPORT");
    const char *text = getenv("TORTURE_STEP");

    atomic_store(&nth, number_of("TORTURE_NTH", 10));
    path_aimed = number_of("TORTURE_PATH", 16);
    paths_told = number_of("TORTURE_PATHS", 10) != 0;
    if (path_aimed != 0 || paths_told)
        aim_path_begin();
    error = (int)number_of("TORTURE_ERROR", 10);
    goes_on = number_of("TORTURE_ON", 10) != 0;
    step = text == NULL ? 0 : strtoll(text, NULL, 10);
    if (path != NULL)
        report = (int)syscall(SYS_openat, AT_FDCWD, path,
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                              REPORT_MODE);
    aimed = class_of(getenv("TORTURE_CLASS"));
    if (number_of("TORTURE_WAIT", 10) == 0)
        atomic_store(&armed, true);
    else
        (void)signal(SIGUSR2, on_signal);
}

__attribute__((destructor)) static void end(void)
{
    atomic_store(&armed, false);
    if (aimed != 0)
        say("count", "", atomic_load(&calls_count));
}
