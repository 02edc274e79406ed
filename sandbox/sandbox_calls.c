/*
 * sandbox_calls.c: the filter of system calls.
 *
 * What is not allowed raises SIGSYS in the thread that asked (TRAP) rather than
 * killing the process silently (KILL_PROCESS): the call is refused either way,
 * and a handler can name it, so that a library's new habit is told from an
 * intruder.  Who can take the handler away has the process, and still not the
 * call.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "sandbox/sandbox_private.h"

/* ---- What is said ------------------------------------------------------- */

/* Only what a signal handler may do; gives the first free byte. */
static char *calls_say_number(char *at, unsigned number)
{
    char digits[12];
    int count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static void calls_on_refused(int signal, siginfo_t *info, void *context)
{
    static const char before[] = "failure: sandbox: the system call ";
    static const char after[] =
        " is none of this program's: it ends (OPERATING, the sandbox)\n";
    char line[sizeof before + sizeof after + 12];
    char *at = line;

    (void)context;
    memcpy(at, before, sizeof before - 1);
    at = calls_say_number(at + sizeof before - 1, (unsigned)info->si_syscall);
    memcpy(at, after, sizeof after - 1);
    at += sizeof after - 1;
    if (write(STDERR_FILENO, line, (size_t)(at - line)) < 0)
        (void)raise(signal);
    /* The handler is gone already: this ends the process. */
    (void)raise(signal);
    _exit(128 + SIGSYS);
}

static bool calls_handle(void)
{
    struct sigaction action = {.sa_sigaction = calls_on_refused};

    action.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER);
    return sigaction(SIGSYS, &action, NULL) == 0;
}

/* ---- What is allowed ---------------------------------------------------- */

static const char *const calls_plain[] = {
#define CALL(name) #name,
#include "sandbox/sandbox_calls.def"
#undef CALL
};

/* An argument, or the bits of it that a mask names, must be this. */
#define IS(argument, value) SCMP_CMP(argument, SCMP_CMP_EQ, (value), 0)
#define HAS(argument, mask, value) \
    SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, (mask), (value))
#define ABOVE(argument, value) SCMP_CMP(argument, SCMP_CMP_GT, (value), 0)

/* Memory is data or code, never both: what a library would load later (a module
 * of name resolution) it is told that it may not. */
static bool calls_allow_memory(scmp_filter_ctx filter)
{
    static const char *const names[] = {"mmap", "mprotect"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);

        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                             HAS(2, PROT_EXEC, 0)) != 0 ||
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
                             HAS(2, PROT_EXEC, PROT_EXEC)) != 0)
            return false;
    }
    return true;
}

/* TCP and what the resolver of names uses; others get an error rather than the
 * end, because a resolver tries AF_NETLINK. */
static bool calls_allow_sockets(scmp_filter_ctx filter)
{
    const uint32_t refuse = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    bool done = true;

    for (unsigned family = 0; family <= AF_INET6; family++) {
        bool allowed =
            family == AF_UNIX || family == AF_INET || family == AF_INET6;

        done =
            done && seccomp_rule_add(filter, allowed ? SCMP_ACT_ALLOW : refuse,
                                     SCMP_SYS(socket), 1, IS(0, family)) == 0;
    }
    return done &&
           seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1,
                            ABOVE(0, AF_INET6)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
                            IS(0, AF_UNIX)) == 0;
}

/* Threads, not processes.  The flags of clone3 lie where no filter can read
 * them: the C library takes ENOSYS for an old kernel, and calls clone. */
static bool calls_allow_threads(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
                            0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            HAS(0, CLONE_THREAD, CLONE_THREAD)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            IS(0, (scmp_datum_t)getpid())) == 0 &&
           /* A node that begins anew tells main so. */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1,
                            IS(0, (scmp_datum_t)getpid())) == 0;
}

static bool calls_allow_rest(scmp_filter_ctx filter)
{
    static const unsigned long requests[] = {FIONBIO, FIONREAD, TCGETS};
    bool done = true;

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        done = done && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl),
                                        1, IS(1, requests[i])) == 0;
    return done &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                            IS(0, PR_SET_NAME)) == 0 &&
           /* Of this process. */
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                            IS(0, 0)) == 0;
}

/* The C library asks for the name of a link when an address of it is printed,
 * and prints the number where there is none. */
static bool calls_refuse_links(scmp_filter_ctx filter)
{
    static const unsigned long requests[] = {SIOCGIFNAME, SIOCGIFINDEX};
    bool done = true;

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        done = done &&
               seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENODEV), SCMP_SYS(ioctl),
                                1, IS(1, requests[i])) == 0;
    return done;
}

static bool calls_allow_plain(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof calls_plain / sizeof calls_plain[0]; i++) {
        int call = seccomp_syscall_resolve_name(calls_plain[i]);

        if (call >= 0 && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0)
            return false;
    }
    return true;
}

enum status sandbox_calls_enter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    enum status status = ST_WRONG_STATE;

    if (filter == NULL)
        return status;
    if (calls_handle() &&
        /* Threads of a library that runs already, too. */
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
        calls_allow_plain(filter) && calls_allow_memory(filter) &&
        calls_allow_sockets(filter) && calls_allow_threads(filter) &&
        calls_allow_rest(filter) && calls_refuse_links(filter) &&
        seccomp_load(filter) == 0)
        status = ST_OK;
    seccomp_release(filter);
    return status;
}
