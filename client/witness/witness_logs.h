/*
 * witness_logs.h: the logs that a witness signs for, from a file:
 *
 *     log KEY [URL]
 *
 * as in a policy (protocol/tlog_policy.h).  Lines of a policy that name
 * witnesses, groups and a quorum are left to others; empty lines and those that
 * begin with "#" say nothing.
 */
#ifndef DEFTER_CLIENT_WITNESS_WITNESS_LOGS_H
#define DEFTER_CLIENT_WITNESS_WITNESS_LOGS_H

#include "protocol/note.h"

enum { WITNESS_LOGS_MAX = TLOG_POLICY_LOGS_MAX };

/* Keys of one log have one name. */
struct witness_logs {
    struct note_key keys[WITNESS_LOGS_MAX];
    size_t count;
};

/*
 * witness_logs_read(logs_out, line_out, text):
 * Returns: ST_OK; ST_FILE_FORMAT for a line that is none of those, a key that
 *          is not well formed or no key of a log, or no log at all;
 *          ST_TOO_LARGE above WITNESS_LOGS_MAX; ST_EXISTS for a key that stands
 *          there twice.  ${*line_out} is the line, counted from 1.
 */
NODISCARD enum status witness_logs_read(struct witness_logs *logs_out,
                                        size_t *line_out, struct slice text);

#endif
