#include "server/libraries.h"

#include <stdio.h>

#include <sodium.h>
#include <sqlite3.h>

#include "protocol/primitives.h"

enum { LIBRARIES_MINOR = 1000, LIBRARIES_MAJOR = 1000000 };

/* Releases from the first one up to, and without, the last one. */
struct libraries_bad {
    int from;
    int below;
    const char *why;
};

static const struct libraries_bad sqlite_bad[] = {
    {0, 3035000, "it has no STRICT tables"},
    {3035000, 3037002,
     "it can corrupt a database whose statement journal is in memory, as here"},
    {3037002, 3040001,
     "it is older than any that this program was tested with"},
    {3041000, 3041002,
     "it reads past the end of buffers (mended in release 3.41.2)"},
};

/* 1.0.19 and 1.0.20 are not here: distributions mended their only bug that
 * counts (CVE-2025-69277), and the primitives tell whether they did. */
static const struct libraries_bad sodium_bad[] = {
    {0, 1000018, "it is older than any that this program was tested with"},
};

static int libraries_version(const char *text)
{
    unsigned major = 0, minor = 0, patch = 0;

    if (sscanf(text, "%3u.%3u.%3u", &major, &minor, &patch) != 3)
        return 0;
    return (int)(major * LIBRARIES_MAJOR + minor * LIBRARIES_MINOR + patch);
}

void libraries_loaded(struct libraries *out)
{
    out->sqlite = sqlite3_libversion_number();
    out->sqlite_threads = sqlite3_threadsafe() != 0;
    out->sodium = libraries_version(sodium_version_string());
}

static enum status libraries_refuse(char why[LIBRARIES_WHY_SIZE],
                                    const char *name, int version,
                                    const char *reason)
{
    (void)snprintf(why, LIBRARIES_WHY_SIZE, "%s %d.%d.%d: %s", name,
                   version / LIBRARIES_MAJOR,
                   version % LIBRARIES_MAJOR / LIBRARIES_MINOR,
                   version % LIBRARIES_MINOR, reason);
    return ST_INTERNAL;
}

static enum status libraries_judge_one(char why[LIBRARIES_WHY_SIZE],
                                       const char *name, int version,
                                       const struct libraries_bad *bad,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (version >= bad[i].from && version < bad[i].below)
            return libraries_refuse(why, name, version, bad[i].why);
    }
    return ST_OK;
}

enum status libraries_judge(char why[LIBRARIES_WHY_SIZE],
                            const struct libraries *loaded)
{
    enum status status =
        libraries_judge_one(why, "SQLite", loaded->sqlite, sqlite_bad,
                            sizeof sqlite_bad / sizeof sqlite_bad[0]);

    if (status == ST_OK)
        status =
            libraries_judge_one(why, "libsodium", loaded->sodium, sodium_bad,
                                sizeof sodium_bad / sizeof sodium_bad[0]);
    if (status == ST_OK && !loaded->sqlite_threads)
        status = libraries_refuse(why, "SQLite", loaded->sqlite,
                                  "it was built for one thread");
    return status;
}

enum status libraries_check(char why[LIBRARIES_WHY_SIZE])
{
    struct libraries loaded;
    const char *wrong;
    enum status status;

    why[0] = '\0';
    libraries_loaded(&loaded);
    status = libraries_judge(why, &loaded);
    if (status == ST_OK && primitives_check(&wrong) != ST_OK)
        status = libraries_refuse(why, "libsodium", loaded.sodium, wrong);
    return status;
}
