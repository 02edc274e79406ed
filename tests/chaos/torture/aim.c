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
static uint64_t nth;
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

bool aim_hits(unsigned classes, const char *name)
{
    uint64_t number;

    if ((classes & aimed) == 0 || !atomic_load(&armed))
        return false;
    number = atomic_fetch_add(&calls_count, 1) + 1;
    if (nth == 0 || number < nth || (number > nth && !goes_on))
        return false;
    if (number == nth)
        say("hit ", name, number);
    errno = error;
    return true;
}

size_t aim_room(const char *name, size_t size)
{
    if (!aim_hits(AIM_DISK | AIM_ROOM, name))
        return size;
    return aimed == AIM_ROOM && nth % 2 == 0 && atomic_load(&calls_count) == nth
               ? size / 2
               : 0;
}

int64_t aim_clock(void)
{
    (void)aim_hits(AIM_CLOCK, "clock_gettime");
    return aimed == AIM_CLOCK && nth > 0 && atomic_load(&calls_count) >= nth
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

static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);

    return text == NULL ? 0 : strtoull(text, NULL, 10);
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

    nth = number_of("TORTURE_NTH");
    error = (int)number_of("TORTURE_ERROR");
    goes_on = number_of("TORTURE_ON") != 0;
    step = text == NULL ? 0 : strtoll(text, NULL, 10);
    if (path != NULL)
        report = (int)syscall(SYS_openat, AT_FDCWD, path,
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                              REPORT_MODE);
    aimed = class_of(getenv("TORTURE_CLASS"));
    if (number_of("TORTURE_WAIT") == 0)
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
