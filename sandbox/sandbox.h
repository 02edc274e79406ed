/*
 * sandbox.h: what the process may still ask of the system while it serves.
 *
 * Landlock holds it to the files that the configuration names, a seccomp filter
 * to the system calls of sandbox_calls.def.  Neither can be taken back, and
 * whatever thread begins later is under both.  A call that is not listed ends
 * the process: nothing that a node or a witness does makes one.
 */
#ifndef DEFTER_SANDBOX_SANDBOX_H
#define DEFTER_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/contract.h"
#include "protocol/status.h"

enum sandbox_mode {
    SANDBOX_ON,       /* As far as the kernel goes; what it lacks is said. */
    SANDBOX_REQUIRED, /* Wholly, or not at all. */
    SANDBOX_OFF
};

enum { SANDBOX_PATHS_MAX = 12, SANDBOX_PORTS_MAX = 4 };

/* A file, or a directory with all that is below it. */
struct sandbox_path {
    const char *path;
    bool write; /* Make, change, rename and remove; else only read. */
};

enum sandbox_news {
    SANDBOX_HOLDS,  /* Which of both hold. */
    SANDBOX_LACKS,  /* Something is lacking, and the process goes on. */
    SANDBOX_REFUSES /* Something is lacking that the mode requires. */
};

/* What is borrowed here is borrowed for sandbox_enter() only. */
struct sandbox_rules {
    enum sandbox_mode mode;
    void (*say)(enum sandbox_news news, const char *line); /* Called there. */
    struct sandbox_path paths[SANDBOX_PATHS_MAX];
    size_t paths_count;
    /* TCP ports that may be listened on; 0 stands for any. */
    uint16_t ports[SANDBOX_PORTS_MAX];
    size_t ports_count;
};

/* An empty ${path} is no path. */
void sandbox_add_path(struct sandbox_rules *rules, const char *path,
                      bool write);
void sandbox_add_port(struct sandbox_rules *rules, uint16_t port);

/*
 * sandbox_enter(rules):
 * Put the process under both, and say what holds and what does not.  Paths that
 * are not there are passed over.  A build with a sanitizer has no sandbox:
 * sanitizers map, trace and report by calls of their own.
 *
 * Requires: no thread but the caller's runs yet.
 * Returns:  ST_OK; ST_WRONG_STATE if the mode is SANDBOX_REQUIRED and something
 *           is lacking.
 */
NODISCARD enum status sandbox_enter(const struct sandbox_rules *rules);

#endif
