/*
 * ctest-timeout: 240
 * What a process under the sandbox can do no more, each tried by a child of its
 * own that entered it.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#include "sandbox/sandbox.h"
#include "sandbox/sandbox_private.h"
#include "tests/lib/suite.h"

enum { PATH_SIZE = 256, SAID_SIZE = 4096, LANDLOCK_CREATE_RULESET = 444 };

/* What came of a child: the errno that its attempt gave, 0 if it succeeded; or
 * the signal that ended it. */
struct outcome {
    int error;
    int signal;
    char said[SAID_SIZE]; /* On standard error. */
};

typedef int attempt(void); /* As system calls: -1 and errno. */

static char directory[PATH_SIZE];
static enum sandbox_mode mode;
static void (*before)(void); /* What the kernel lacks; NULL: nothing. */
static uint16_t port;

static char *inside(char out[PATH_SIZE], const char *name)
{
    (void)snprintf(out, PATH_SIZE, "%.200s/%s", directory, name);
    return out;
}

static void say(enum sandbox_news news, const char *line)
{
    (void)fprintf(stderr, "%d: %s\n", (int)news, line);
}
static enum status enter(void)
{
    struct sandbox_rules rules = {.mode = mode, .say = say};
    char data[PATH_SIZE], config[PATH_SIZE];

    sandbox_add_path(&rules, inside(data, "data"), true);
    sandbox_add_path(&rules, inside(config, "config"), false);
    sandbox_add_path(&rules, "", true);
    sandbox_add_path(&rules, "/nowhere/at/all", true);
    sandbox_add_port(&rules, port);
    return sandbox_enter(&rules);
}

static void child(int said, attempt *try)
{
    if (dup2(said, STDERR_FILENO) < 0)
        _exit(250);
    if (before != NULL)
        before();
    if (enter() != ST_OK)
        _exit(251);
    _exit(try() >= 0 ? 0 : errno);
}

static struct outcome outcome_of(attempt *try)
{
    struct outcome outcome = {0};
    size_t used = 0;
    ssize_t got;
    int ends[2], state;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        child(ends[1], try);
    (void)close(ends[1]);
    while ((got = read(ends[0], outcome.said + used,
                       sizeof outcome.said - 1 - used)) > 0)
        used += (size_t)got;
    (void)close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &state, 0), pid);
    if (WIFSIGNALED(state))
        outcome.signal = WTERMSIG(state);
    else
        outcome.error = WEXITSTATUS(state);
    return outcome;
}

static void set_up(void)
{
    char path[PATH_SIZE];

    (void)snprintf(directory, sizeof directory, "%s",
                   "/tmp/defter.sandbox.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(mkdir(inside(path, "data"), 0700), 0);
    ck_assert_int_eq(mkdir(inside(path, "data/divergent"), 0700), 0);
    FILE *file = fopen(inside(path, "config"), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fclose(file), 0);
    mode = SANDBOX_ON;
    before = NULL;
    port = 0;
}

static void tear_down(void)
{
    static const char *const names[] = {
        "data/divergent/b", "data/a", "data/divergent", "data", "config", ""};
    char path[PATH_SIZE];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)remove(inside(path, names[i]));
}

/* Under a sanitizer there is no sandbox, and nothing to try. */
static bool is_held(void)
{
    set_up();
    return !SANDBOX_SANITIZED;
}

/* ---- What is allowed ---------------------------------------------------- */

static int try_own_files(void)
{
    char a[PATH_SIZE], b[PATH_SIZE], config[PATH_SIZE];
    int file = open(inside(a, "data/a"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (file < 0 || write(file, "x", 1) != 1 || ftruncate(file, 0) != 0 ||
        fdatasync(file) != 0 || close(file) != 0)
        return -1;
    /* Into another directory: what is cut off is kept aside. */
    if (rename(a, inside(b, "data/divergent/b")) != 0 || unlink(b) != 0)
        return -1;
    file = open(inside(config, "config"), O_RDONLY | O_CLOEXEC);
    return file < 0 ? -1 : close(file);
}

static void *thread_main(void *argument)
{
    return argument;
}

static int try_threads(void)
{
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, thread_main, NULL);

    errno = failed;
    return failed == 0 && pthread_join(thread, NULL) == 0 ? 0 : -1;
}

static int bind_to(uint16_t number)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons(number),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
        return -1;
    return listen(fd, 1);
}

static int try_bind(void)
{
    return bind_to(0);
}

START_TEST(a_node_reaches_its_own_files_threads_and_sockets)
{
    if (!is_held())
        return;
    static attempt *const attempts[] = {try_own_files, try_threads, try_bind};

    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        struct outcome outcome = outcome_of(attempts[i]);

        ck_assert_msg(outcome.signal == 0 && outcome.error == 0,
                      "attempt %zu: signal %d, %s; %s", i, outcome.signal,
                      strerror(outcome.error), outcome.said);
        ck_assert_ptr_nonnull(strstr(outcome.said, "sandbox: files "));
        ck_assert_ptr_nonnull(strstr(outcome.said, "system calls"));
    }
    tear_down();
}
END_TEST

/* ---- What gives an error ------------------------------------------------ */

static int try_foreign_file(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int try_secret_file(void)
{
    return open("/etc/shadow", O_RDONLY | O_CLOEXEC);
}

static int try_own_memory(void)
{
    return open("/proc/self/mem", O_RDWR | O_CLOEXEC);
}

static int try_writing_config(void)
{
    char path[PATH_SIZE];

    return open(inside(path, "config"), O_WRONLY | O_CLOEXEC);
}

static int try_new_file_beside(void)
{
    char path[PATH_SIZE];

    return open(inside(path, "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int try_code_from_memory(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? -1 : 0;
}

static int try_memory_to_code(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return 0;
    return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

START_TEST(files_of_others_and_new_code_are_out_of_reach)
{
    if (!is_held())
        return;
    static attempt *const attempts[] = {
        try_foreign_file,   try_secret_file,     try_own_memory,
        try_writing_config, try_new_file_beside, try_code_from_memory,
        try_memory_to_code,
    };

    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        struct outcome outcome = outcome_of(attempts[i]);

        ck_assert_msg(outcome.signal == 0 && outcome.error == EACCES,
                      "attempt %zu: signal %d, %s", i, outcome.signal,
                      strerror(outcome.error));
    }
    tear_down();
}
END_TEST

static int family;

static int try_socket(void)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

START_TEST(only_the_internet_and_local_sockets_can_be_made)
{
    if (!is_held())
        return;
    for (family = 0; family < 64; family++) {
        bool allowed =
            family == AF_UNIX || family == AF_INET || family == AF_INET6;
        struct outcome outcome = outcome_of(try_socket);

        ck_assert_int_eq(outcome.signal, 0);
        /* IPv6 may be switched off on a machine, which says the same. */
        ck_assert_msg(family == AF_INET6 ||
                          outcome.error == (allowed ? 0 : EAFNOSUPPORT),
                      "family %d: %s", family, strerror(outcome.error));
    }
    tear_down();
}
END_TEST

static int try_other_port(void)
{
    return bind_to((uint16_t)(port + 1));
}

START_TEST(another_port_than_the_configured_one_cannot_be_listened_on)
{
    if (!is_held())
        return;
    long version = syscall(LANDLOCK_CREATE_RULESET, NULL, (size_t)0, 1);

    port = 39999;
    if (version >= 4)
        ck_assert_int_eq(outcome_of(try_other_port).error, EACCES);
    tear_down();
}
END_TEST

/* ---- What ends the process ---------------------------------------------- */

static int try_execve(void)
{
    char *const words[] = {(char[]){"/bin/true"}, NULL};

    return execve(words[0], words, words + 1);
}

static int try_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid;
}

static int try_clone3(void)
{
    uint64_t about[11] = {[4] = SIGCHLD};

    return (int)syscall(SYS_clone3, about, sizeof about);
}

static void *thread_execve(void *argument)
{
    (void)try_execve();
    return argument;
}

static int try_execve_in_a_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, thread_execve, NULL) != 0)
        return -1;
    return pthread_join(thread, NULL);
}

static int try_ptrace(void)
{
    return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int try_kill(void)
{
    return kill(getppid(), 0);
}

static int try_link(void)
{
    char path[PATH_SIZE];

    return symlink("/etc/passwd", inside(path, "data/a"));
}

static int try_socket_in_files(void)
{
    char path[PATH_SIZE];

    return mknod(inside(path, "data/a"), S_IFIFO | 0600, 0);
}

static int try_setuid(void)
{
    return setuid(0);
}

static int try_unshare(void)
{
    return unshare(CLONE_NEWUSER);
}

static int try_mount(void)
{
    return mount("none", directory, "tmpfs", 0, NULL);
}

static int try_memory_file(void)
{
    return memfd_create("code", 0);
}

/* Those of which the C library has no function. */
static long number;

static int try_number(void)
{
    return (int)syscall(number, 0, 0, 0, 0, 0, 0);
}

static void must_end(attempt *try, size_t i)
{
    struct outcome outcome = outcome_of(try);

    ck_assert_msg(outcome.signal == SIGSYS, "attempt %zu: signal %d, %s", i,
                  outcome.signal, strerror(outcome.error));
    ck_assert_msg(strstr(outcome.said, "failure: sandbox: the system call ") !=
                      NULL,
                  "attempt %zu says: %s", i, outcome.said);
}

START_TEST(a_call_that_no_node_makes_ends_the_process_and_is_named)
{
    if (!is_held())
        return;
    static attempt *const attempts[] = {
        try_execve,  try_fork,  try_execve_in_a_thread, try_ptrace,
        try_kill,    try_link,  try_socket_in_files,    try_setuid,
        try_unshare, try_mount, try_memory_file,
    };
    static const long numbers[] = {
        SYS_bpf,
        SYS_io_uring_setup,
        SYS_process_vm_readv,
        SYS_kexec_load,
        SYS_init_module,
        SYS_perf_event_open,
        SYS_userfaultfd,
        SYS_keyctl,
        SYS_personality,
        SYS_execveat,
        SYS_open_by_handle_at,
        SYS_pidfd_open,
        SYS_settimeofday,
        SYS_clock_settime,
        SYS_pidfd_getfd,
        SYS_chroot,
        SYS_setns,
        SYS_linkat,
        SYS_openat2,
        SYS_seccomp,
        SYS_prctl,
    };

    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        must_end(attempts[i], i);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        number = numbers[i];
        must_end(try_number, 100 + i);
    }
    char named[64];
    (void)snprintf(named, sizeof named, "the system call %d is",
                   (int)SYS_execve);
    ck_assert_ptr_nonnull(strstr(outcome_of(try_execve).said, named));
    /* Not an end: the C library asks, and then does without. */
    ck_assert_int_eq(outcome_of(try_clone3).error, ENOSYS);
    tear_down();
}
END_TEST

static int try_abort(void)
{
    abort();
}

static int try_own_signal(void)
{
    sigset_t waited;
    int signal = 0;

    (void)sigemptyset(&waited);
    (void)sigaddset(&waited, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &waited, NULL);
    return kill(getpid(), SIGUSR1) == 0 && sigwait(&waited, &signal) == 0 ? 0
                                                                          : -1;
}

START_TEST(a_node_can_signal_itself)
{
    if (!is_held())
        return;
    struct outcome outcome = outcome_of(try_own_signal);

    ck_assert_int_eq(outcome.signal, 0);
    ck_assert_int_eq(outcome.error, 0);
    tear_down();
}
END_TEST

START_TEST(a_broken_contract_still_ends_by_its_own_signal)
{
    if (!is_held())
        return;
    ck_assert_int_eq(outcome_of(try_abort).signal, SIGABRT);
    tear_down();
}
END_TEST

/* ---- Kernels that lack something ---------------------------------------- */

static void lack(const char *const *names, size_t count)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    for (size_t i = 0; i < count; i++)
        (void)seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
                               seccomp_syscall_resolve_name(names[i]), 0);
    if (seccomp_load(filter) != 0)
        _exit(249);
    seccomp_release(filter);
}

static void lack_landlock(void)
{
    static const char *const names[] = {"landlock_create_ruleset"};

    lack(names, 1);
}

static void lack_seccomp(void)
{
    static const char *const names[] = {"seccomp"};

    lack(names, 1);
}

START_TEST(what_the_kernel_lacks_is_said_and_the_rest_still_holds)
{
    struct outcome outcome;

    if (!is_held())
        return;
    before = lack_landlock;
    outcome = outcome_of(try_execve);
    ck_assert_int_eq(outcome.signal, SIGSYS);
    ck_assert_ptr_nonnull(strstr(outcome.said, "sandbox: this kernel "
                                               "has no Landlock"));
    ck_assert_int_eq(outcome_of(try_foreign_file).error, 0);
    before = lack_seccomp;
    outcome = outcome_of(try_foreign_file);
    ck_assert_int_eq(outcome.error, EACCES);
    ck_assert_ptr_nonnull(strstr(outcome.said, "no seccomp filter"));
    tear_down();
}
END_TEST

START_TEST(a_sandbox_that_is_required_is_whole_or_the_node_does_not_start)
{
    static void (*const lacks[])(void) = {lack_landlock, lack_seccomp};

    set_up();
    mode = SANDBOX_REQUIRED;
    if (SANDBOX_SANITIZED) {
        ck_assert_int_eq(outcome_of(try_own_files).error, 251);
        return;
    }
    ck_assert_int_eq(outcome_of(try_own_files).error, 0);
    for (size_t i = 0; i < 2; i++) {
        before = lacks[i];
        struct outcome outcome = outcome_of(try_own_files);
        ck_assert_int_eq(outcome.error, 251);
        ck_assert_ptr_nonnull(strstr(outcome.said, "it is required"));
    }
    tear_down();
}
END_TEST

START_TEST(a_sandbox_that_is_off_says_so_and_holds_nothing)
{
    struct outcome outcome;

    set_up();
    mode = SANDBOX_OFF;
    outcome = outcome_of(try_foreign_file);
    ck_assert_int_eq(outcome.error, 0);
    ck_assert_ptr_nonnull(strstr(outcome.said, "sandbox: off"));
    tear_down();
}
END_TEST

SUITE_MAIN("sandbox", a_node_reaches_its_own_files_threads_and_sockets,
           files_of_others_and_new_code_are_out_of_reach,
           only_the_internet_and_local_sockets_can_be_made,
           another_port_than_the_configured_one_cannot_be_listened_on,
           a_call_that_no_node_makes_ends_the_process_and_is_named,
           a_node_can_signal_itself,
           a_broken_contract_still_ends_by_its_own_signal,
           what_the_kernel_lacks_is_said_and_the_rest_still_holds,
           a_sandbox_that_is_required_is_whole_or_the_node_does_not_start,
           a_sandbox_that_is_off_says_so_and_holds_nothing)
