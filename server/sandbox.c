#include "server/sandbox.h"

#include <sys/prctl.h>

#include "server/diag.h"
#include "server/sandbox_private.h"

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

    diag_say(required ? DIAG_FAILURE : DIAG_WARNING, "sandbox: %s%s", what,
             required ? "; the configuration requires it" : "");
    return required ? ST_WRONG_STATE : ST_OK;
}

enum status sandbox_enter(const struct sandbox_rules *rules)
{
    enum status status = ST_OK;
    bool files, calls;
    int version = 0;

    if (rules->mode == SANDBOX_OFF) {
        diag_say(DIAG_WARNING, "sandbox: off, as the configuration says");
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
        diag_say(DIAG_NOTE, "sandbox: %s%s%s", files ? "files (Landlock)" : "",
                 files && calls ? " and " : "",
                 calls ? "system calls (seccomp)" : "");
    return status;
}
