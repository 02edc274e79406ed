#include "sandbox/sandbox.h"

#include <stdio.h>
#include <sys/prctl.h>

#include "sandbox/sandbox_private.h"

enum { SANDBOX_LINE_SIZE = 160 };

void sandbox_add_path(struct sandbox_rules *rules, const char *path, bool write)
{
    if (path[0] == '\0')
        return;
    REQUIRE(rules->paths_count < SANDBOX_PATHS_MAX);
    rules->paths[rules->paths_count++] =
        (struct sandbox_path){.path = path, .write = write};
}

void sandbox_add_port(struct sandbox_rules *rules, uint16_t port)
{
    REQUIRE(rules->ports_count < SANDBOX_PORTS_MAX);
    rules->ports[rules->ports_count++] = port;
}

/* What is lacking is a warning, or the end. */
static enum status sandbox_lack(const struct sandbox_rules *rules,
                                const char *what)
{
    bool required = rules->mode == SANDBOX_REQUIRED;
    char line[SANDBOX_LINE_SIZE];

    (void)snprintf(line, sizeof line, "sandbox: %s%s", what,
                   required ? "; it is required" : "");
    rules->say(required ? SANDBOX_REFUSES : SANDBOX_LACKS, line);
    return required ? ST_WRONG_STATE : ST_OK;
}

enum status sandbox_enter(const struct sandbox_rules *rules)
{
    enum status status = ST_OK;
    bool files, calls;
    int version = 0;

    if (rules->mode == SANDBOX_OFF) {
        rules->say(SANDBOX_LACKS, "sandbox: off, as it was asked for");
        return ST_OK;
    }
    if (SANDBOX_SANITIZED)
        return sandbox_lack(rules, "none in a build with a sanitizer");
    /* Without this only the superuser may have either. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sandbox_lack(rules, "the kernel refuses no_new_privs");
    files = sandbox_files_enter(rules, &version) == ST_OK;
    if (!files)
        status = sandbox_lack(rules, "this kernel has no Landlock that serves: "
                                     "files are held by their modes only");
    if (status != ST_OK)
        return status;
    calls = sandbox_calls_enter() == ST_OK;
    if (!calls)
        status = sandbox_lack(rules, "this kernel takes no seccomp filter: "
                                     "system calls are not held");
    if (status == ST_OK && (files || calls))
        rules->say(SANDBOX_HOLDS,
                   files && calls
                       ? "sandbox: files (Landlock) and system calls (seccomp)"
                   : files ? "sandbox: files (Landlock)"
                           : "sandbox: system calls (seccomp)");
    return status;
}
