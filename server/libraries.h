/*
 * libraries.h: whether the libraries that were loaded may be worked with: no
 * release that is known to be bad for what is done here, and primitives that
 * answer as they must.
 *
 * A distribution mends a bug without another version number.  So what can be
 * asked of a library is asked (protocol/primitives.h), and versions say only
 * which releases nobody should run.
 */
#ifndef DEFTER_SERVER_LIBRARIES_H
#define DEFTER_SERVER_LIBRARIES_H

#include <stdbool.h>

#include "protocol/contract.h"
#include "protocol/status.h"

/* What a process has loaded; versions as major * 1000000 + minor * 1000 +
 * patch.
 */
struct libraries {
    int sqlite;
    bool sqlite_threads; /* Two threads may each use a connection of their own.
                          */
    int sodium;
};

/* Order: after sodium_init(). */
void libraries_loaded(struct libraries *out);

enum { LIBRARIES_WHY_SIZE = 256 };

/*
 * libraries_judge(why, loaded):
 * Returns: ST_OK; ST_INTERNAL, and ${why} says which may not be worked with,
 *          and why.
 */
NODISCARD enum status libraries_judge(char why[LIBRARIES_WHY_SIZE],
                                      const struct libraries *loaded);

/* Both the versions and the primitives of this process. Returns: as
 * libraries_judge(). */
NODISCARD enum status libraries_check(char why[LIBRARIES_WHY_SIZE]);

#endif
