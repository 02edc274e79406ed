/*
 * sandbox_files.c: Landlock, by its bare system calls: the C library has none,
 * and the kernel's header on the machine that compiles may be older than the
 * kernel that runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox_private.h"

/* Permanent numbers of the kernel's interface; the same on every machine. */
enum {
    CALL_CREATE_RULESET = 444,
    CALL_ADD_RULE = 445,
    CALL_RESTRICT_SELF = 446,
    RULESET_VERSION = 1, /* A flag: asks for the version. */
    RULE_PATH_BENEATH = 1,
    RULE_NET_PORT = 2
};

/* Versions, and what each began. */
enum {
    VERSION_RENAMES = 2,
    VERSION_TRUNCATE = 3,
    VERSION_PORTS = 4,
    VERSION_DEVICES = 5,
    VERSION_SCOPES = 6
};

#define RIGHT(number) (UINT64_C(1) << (number))
static const uint64_t WRITE_FILE = RIGHT(1), READ_FILE = RIGHT(2),
                      READ_DIR = RIGHT(3), REMOVE_DIR = RIGHT(4),
                      REMOVE_FILE = RIGHT(5), MAKE_DIR = RIGHT(7),
                      MAKE_REG = RIGHT(8), REFER = RIGHT(13),
                      TRUNCATE = RIGHT(14), IOCTL_DEVICE = RIGHT(15);
/* EXECUTE is 0; those from 6 to 12 make names. */
static const uint64_t FIRST_VERSION = RIGHT(13) - 1;
static const uint64_t BIND_TCP = RIGHT(0);
/* No abstract sockets of others, no signals to others. */
static const uint64_t SCOPES = RIGHT(0) | RIGHT(1);

/* The kernel takes a shorter one as one that ends in zeros, and a longer one if
 * what it does not know is zero. */
struct files_ruleset {
    uint64_t handled_files;
    uint64_t handled_ports;
    uint64_t scoped;
};

struct files_path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

struct files_port_rule {
    uint64_t allowed;
    uint64_t port;
};

/* What names, sources of chance and TLS are read from by the libraries. */
static const struct sandbox_path files_of_libraries[] = {
    {"/etc/resolv.conf", false},
    {"/etc/hosts", false},
    {"/etc/host.conf", false},
    {"/etc/nsswitch.conf", false},
    {"/etc/gai.conf", false},
    {"/etc/services", false},
    {"/etc/ssl", false},
    {"/usr/lib/ssl", false},
    {"/usr/share/ca-certificates", false},
    {"/run/systemd/resolve", false},
    {"/dev/urandom", false},
    {"/dev/null", true},
};
enum {
    FILES_OF_LIBRARIES_COUNT =
        sizeof files_of_libraries / sizeof files_of_libraries[0]
};

static uint64_t files_handled(int version)
{
    uint64_t handled = FIRST_VERSION | REFER;

    if (version >= VERSION_TRUNCATE)
        handled |= TRUNCATE;
    if (version >= VERSION_DEVICES)
        handled |= IOCTL_DEVICE;
    return handled;
}

/* A port of 0 is whichever the system gives, so that none can be named. */
static bool files_ports_are_known(const struct sandbox_rules *rules)
{
    for (size_t i = 0; i < rules->ports_count; i++) {
        if (rules->ports[i] == 0)
            return false;
    }
    return rules->ports_count > 0;
}

static uint64_t files_rights(const struct sandbox_path *path, bool directory)
{
    uint64_t rights = READ_FILE;

    if (path->write)
        rights |= WRITE_FILE | TRUNCATE;
    if (directory)
        rights |= READ_DIR;
    if (directory && path->write)
        rights |= REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER;
    return rights;
}

/* What is not there needs no rule: without one it is out of reach. */
static bool files_allow(int ruleset, const struct sandbox_path *path,
                        uint64_t handled)
{
    struct files_path_rule rule = {.parent =
                                       open(path->path, O_PATH | O_CLOEXEC)};
    struct stat found;
    bool done = true;

    if (rule.parent < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    if (fstat(rule.parent, &found) == 0) {
        rule.allowed = files_rights(path, S_ISDIR(found.st_mode)) & handled;
        done =
            syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    }
    (void)close(rule.parent);
    return done;
}

static bool files_allow_all(int ruleset, const struct sandbox_rules *rules,
                            const struct files_ruleset *about)
{
    for (size_t i = 0; i < rules->paths_count; i++) {
        if (!files_allow(ruleset, &rules->paths[i], about->handled_files))
            return false;
    }
    for (size_t i = 0; i < FILES_OF_LIBRARIES_COUNT; i++) {
        if (!files_allow(ruleset, &files_of_libraries[i], about->handled_files))
            return false;
    }
    for (size_t i = 0; about->handled_ports != 0 && i < rules->ports_count;
         i++) {
        struct files_port_rule rule = {BIND_TCP, rules->ports[i]};

        if (syscall(CALL_ADD_RULE, ruleset, RULE_NET_PORT, &rule, 0) != 0)
            return false;
    }
    return true;
}

enum status sandbox_files_enter(const struct sandbox_rules *rules,
                                int *version_out)
{
    struct files_ruleset about = {.handled_files = 0};
    long version =
        syscall(CALL_CREATE_RULESET, NULL, (size_t)0, RULESET_VERSION);
    enum status status = ST_WRONG_STATE;
    int ruleset;

    *version_out = version > 0 ? (int)version : 0;
    if (*version_out < VERSION_RENAMES)
        return ST_WRONG_STATE;
    about.handled_files = files_handled(*version_out);
    if (*version_out >= VERSION_PORTS && files_ports_are_known(rules))
        about.handled_ports = BIND_TCP;
    if (*version_out >= VERSION_SCOPES)
        about.scoped = SCOPES;
    ruleset = (int)syscall(CALL_CREATE_RULESET, &about, sizeof about, 0);
    if (ruleset < 0)
        return ST_WRONG_STATE;
    if (files_allow_all(ruleset, rules, &about) &&
        syscall(CALL_RESTRICT_SELF, ruleset, 0) == 0)
        status = ST_OK;
    (void)close(ruleset);
    return status;
}
