/*
 * archive_list.h: the units that lie in a directory.
 */
#ifndef DEFTER_CLIENT_PROGRAM_ARCHIVE_LIST_H
#define DEFTER_CLIENT_PROGRAM_ARCHIVE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/contract.h"
#include "protocol/status.h"

/* Directories of units, in the order of their first entries. */
struct archive_list {
    char **paths;
    size_t count;
    char *stray;   /* A folder beside units that is none; NULL: none. */
    bool is_whole; /* Some are all that a directory has. */
};

/*
 * archive_list_add(list, path):
 * The unit ${path}, or each unit that is a folder of ${path}; what is neither
 * is added as it is, and whoever reads it says what is wrong; so is a folder
 * that cannot be looked into.  Of what else lies beside units, plain files are
 * left aside, and all others are strays, of which the first by name is kept:
 * a link that leads nowhere may have been a unit on another medium.  But not
 * what `archive make` has not finished, nor what begins with a dot, nor
 * lost+found.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short; ST_DISK_FAILED if not all
 *          names could be read.
 * Order:   ends with archive_list_free(), also if it fails.
 */
NODISCARD enum status archive_list_add(struct archive_list *list,
                                       const char *path);
void archive_list_free(struct archive_list *list);

/* Let a verifier have them, for as long as the list is. */
struct verify_options;
void archive_list_give(const struct archive_list *list,
                       struct verify_options *options);

/* The last member of an object, or of what is said of a unit; ends the line.
 * Whoever named the folder may have meant to break either. */
void archive_list_path(const char *path, bool json);

/* What the manifests say, which nothing is compared with; exit code. */
int archive_list_show(const struct archive_list *list, bool json);

#endif
