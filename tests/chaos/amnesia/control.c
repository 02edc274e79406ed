#include "tests/chaos/amnesia/control.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/chaos/amnesia/raw.h"
#include "tests/chaos/amnesia/undo.h"

enum {
    EXIT_POWER_LOST = 86,
    ENTRIES_SIZE = 64 * 1024,
    FREEZE_ROUNDS = 3,
    FREEZE_TRIES = 1000,
    FREEZE_STEP_NS = 1000000,
    REPORT_MODE = 0600
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool on, deaf;
static char directory[UNDO_PATH_MAX];
static uint64_t seed;
static uint64_t calls_count, calls_max; /* calls_max 0: no limit. */
static int report = -1;
static int bell[2] = {-1, -1};
static atomic_bool freezing;
static atomic_uint frozen_count;

bool control_is_on(void)
{
    return on;
}

bool control_is_deaf(void)
{
    return deaf;
}

void control_lock(void)
{
    (void)pthread_mutex_lock(&lock);
}

void control_unlock(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* ---- Losing power ---- */

static void on_signal(int number)
{
    int before = errno;

    (void)number;
    if (atomic_load(&freezing)) {
        atomic_fetch_add(&frozen_count, 1);
        for (;;)
            (void)syscall(SYS_pause);
    }
    (void)syscall(SYS_write, bell[1], "", 1);
    errno = before;
}

struct entry64 {
    uint64_t inode;
    int64_t next;
    unsigned short size;
    unsigned char type;
    char name[];
};

/* Signal every other thread once; gives how many there are. */
static unsigned freeze_once(int tasks)
{
    static char entries[ENTRIES_SIZE] __attribute__((aligned(8)));
    long own = syscall(SYS_gettid);
    unsigned count = 0;
    long size;

    (void)syscall(SYS_lseek, tasks, 0L, SEEK_SET);
    while ((size = syscall(SYS_getdents64, tasks, entries, sizeof entries)) >
           0) {
        for (long at = 0; at < size;) {
            const void *here = entries + at;
            const struct entry64 *entry = here;
            long thread = strtol(entry->name, NULL, 10);
            if (thread > 0 && thread != own) {
                (void)syscall(SYS_tgkill, getpid(), thread, SIGUSR2);
                count++;
            }
            at += entry->size;
        }
    }
    return count;
}

/* No thread may see the disk change under it and tell someone. */
static void freeze_others(void)
{
    const struct timespec step = {0, FREEZE_STEP_NS};
    int tasks = raw_open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    unsigned count = 0;

    if (tasks < 0)
        raw_die("amnesia: the threads cannot be listed\n");
    atomic_store(&freezing, true);
    for (int round = 0; round < FREEZE_ROUNDS; round++) {
        count = freeze_once(tasks);
        /* One that waits in a sync meets its signal before anything else. */
        for (int i = 0; i < FREEZE_TRIES / 10; i++) {
            if (atomic_load(&frozen_count) >= count)
                break;
            (void)syscall(SYS_nanosleep, &step, NULL);
        }
    }
}

static _Noreturn void lose_power(void)
{
    char line[256];
    struct undo_loss loss;
    int size;

    freeze_others();
    undo_lose(&loss, seed);
    size = snprintf(
        line, sizeof line,
        "power lost: seed %llu call %llu sectors %llu of %llu names %llu of "
        "%llu sizes %llu\n",
        (unsigned long long)seed, (unsigned long long)calls_count,
        (unsigned long long)loss.sectors_lost, (unsigned long long)loss.sectors,
        (unsigned long long)loss.names_lost, (unsigned long long)loss.names,
        (unsigned long long)loss.sizes_lost);
    (void)syscall(SYS_write, report >= 0 ? report : STDERR_FILENO, line,
                  (size_t)size);
    _exit(EXIT_POWER_LOST);
}

void control_count(void)
{
    calls_count++;
    if (calls_max != 0 && calls_count >= calls_max)
        lose_power();
}

static void *wait_for_bell(void *context)
{
    char byte;

    while (read(bell[0], &byte, 1) != 1)
        continue;
    control_lock();
    lose_power();
    return context;
}

/* ---- Paths ---- */

bool control_follows(const char *path)
{
    static const char shared[] = "-shm";
    size_t size = strlen(directory), length = strlen(path);

    /* An index in shared memory is made anew at each start. */
    if (length >= sizeof shared - 1 &&
        strcmp(path + length - (sizeof shared - 1), shared) == 0)
        return false;
    return strncmp(path, directory, size) == 0 &&
           (path[size] == '/' || path[size] == '\0');
}

/* The path of an open descriptor as the kernel knows it. */
static ssize_t path_of(char *out, size_t size, int fd)
{
    char link[64];
    ssize_t used;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    used = readlink(link, out, size - 1);
    if (used < 0 || (size_t)used >= size - 1)
        return -1;
    out[used] = '\0';
    return used;
}

bool control_path(char *out, size_t size, int at, const char *name)
{
    const char *base = strrchr(name, '/');
    char parent[UNDO_PATH_MAX] = ".";
    ssize_t used;
    int fd, rest;

    if (name[0] == '\0')
        return path_of(out, size, at) > 0;
    if (base != NULL && (size_t)(base - name) + 2 > sizeof parent)
        return false;
    /* One name for each file, whatever dots and links lead to it. */
    if (base != NULL) {
        memcpy(parent, name, (size_t)(base - name) + 1);
        parent[base - name + 1] = '\0';
    }
    base = base == NULL ? name : base + 1;
    fd = (int)syscall(SYS_openat, at, parent, O_PATH | O_DIRECTORY | O_CLOEXEC,
                      0);
    if (fd < 0)
        return false;
    used = path_of(out, size, fd);
    (void)close(fd);
    if (used < 0)
        return false;
    rest = snprintf(out + used, size - (size_t)used, "/%s", base);
    return rest > 0 && (size_t)rest < size - (size_t)used;
}

/* ---- Set up ---- */

static uint64_t number(const char *name)
{
    const char *text = getenv(name);

    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static void open_report(void)
{
    const char *path = getenv("AMNESIA_REPORT");

    if (path == NULL)
        return;
    report =
        (int)syscall(SYS_openat, AT_FDCWD, path,
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, REPORT_MODE);
    if (report < 0)
        raw_die("amnesia: AMNESIA_REPORT cannot be opened\n");
}

static __attribute__((constructor)) void set_up(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    const char *wanted = getenv("AMNESIA_DIR");
    char keep[UNDO_PATH_MAX + 16], *real;
    struct timespec now;
    pthread_t thread;

    if (wanted == NULL)
        return;
    real = realpath(wanted, NULL);
    if (real == NULL || strlen(real) >= sizeof directory - 64)
        raw_die("amnesia: AMNESIA_DIR is not a directory\n");
    memcpy(directory, real, strlen(real) + 1);
    free(real);
    (void)snprintf(keep, sizeof keep, "%s.amnesia", directory);
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    seed = getenv("AMNESIA_SEED") != NULL ? number("AMNESIA_SEED")
                                          : (uint64_t)now.tv_nsec;
    calls_max = number("AMNESIA_AFTER");
    deaf = number("AMNESIA_DEAF") != 0;
    open_report();
    if (!undo_init(keep) || pipe2(bell, O_CLOEXEC) != 0 ||
        sigaction(SIGUSR2, &action, NULL) != 0 ||
        pthread_create(&thread, NULL, wait_for_bell, NULL) != 0)
        raw_die("amnesia: cannot be set up\n");
    (void)pthread_detach(thread);
    on = true;
}
