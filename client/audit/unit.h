/*
 * unit.h: an archive unit on the disk (ARCHIVE-FORMAT): its manifest, and the
 * files that it names.
 *
 * The directory may hold anything: only plain files are read, none is followed
 * out of it by a link, none is read further than its kind can be long, and what
 * is decompressed has a limit before it is.
 *
 * What is wrong with a unit goes to the report, with the file's name, and the
 * functions give false; they give false too where a file cannot be read, which
 * leaves the verdict incomplete, and where memory is short, which leaves none:
 * see report_lacks_memory().
 */
#ifndef DEFTER_CLIENT_AUDIT_UNIT_H
#define DEFTER_CLIENT_AUDIT_UNIT_H

#include "client/audit/vouch.h"
#include "protocol/archive_unit.h"
#include "protocol/genesis.h"

enum { UNIT_PATH_SIZE = ARCHIVE_PATH_SIZE_MAX + 1 };

/* A key that signed entries. */
struct unit_signer {
    uint8_t key_id[KEY_ID_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];
    bool is_used;
};

struct unit {
    const char *path;   /* Borrowed. */
    const char *prefix; /* In the report, before names of files. */
    int directory;      /* -1: not open. */
    uint8_t *manifest;
    struct archive_unit told; /* Borrows ${manifest}. */
    uint8_t hash[HASH_SIZE];  /* Of the manifest. */
    uint8_t *genesis_bytes;
    size_t genesis_size;
    struct op_system_genesis genesis;
    struct vouch checkpoint;
    struct note_key log_key;
    struct note_key *cosigners;
    size_t cosigners_count;
    struct unit_signer *signers; /* In the order of their key_ids. */
    size_t signers_count;
};

/* Whether the directory has a manifest, and so is to be taken for a unit. */
bool unit_is_one(const char *path);

/*
 * unit_open(unit, report, path, prefix):
 * Read the manifest.
 *
 * Returns: ST_OK, and the report may have a fault; ST_NO_FILE if there is no
 *          such directory; ST_DISK_FAILED; ST_EXHAUSTED if memory is short.
 * Owns:    keeps ${path} and ${prefix}, which is "" or ends in "/".
 * Order:   ends with unit_close(), which accepts what was only zeroed.
 */
NODISCARD enum status unit_open(struct unit *unit, struct report *report,
                                const char *path, const char *prefix);
void unit_close(struct unit *unit);

/* Of a unit that was checked: keep its numbers and cosigners, and no more; open
 * its directory again to read bundles; shut it, so that few are open at a time.
 */
void unit_slim(struct unit *unit);
NODISCARD bool unit_reopen(struct unit *unit);
void unit_shut(struct unit *unit);

/* A fault in the unit's file ${name}; false. */
bool unit_fault(const struct unit *unit, struct report *report, uint64_t index,
                const char *name, const char *what);
bool unit_unreadable(const struct unit *unit, struct report *report,
                     const char *name);

void unit_file_name(char out[UNIT_PATH_SIZE], const struct archive_file *file);

/*
 * unit_read(unit, report, bytes_out, size_out, file):
 * All of a file.
 *
 * Owns: gives ${*bytes_out}, for free().
 */
NODISCARD bool unit_read(const struct unit *unit, struct report *report,
                         uint8_t **bytes_out, size_t *size_out,
                         const struct archive_file *file);

/*
 * unit_unpack(unit, report, out, size_out, tile):
 * A bundle as it was before it was compressed; ${out} has
 * ARCHIVE_BUNDLE_SIZE_MAX bytes.
 */
NODISCARD bool unit_unpack(const struct unit *unit, struct report *report,
                           uint8_t *out, size_t *size_out,
                           const struct tile *tile);

/*
 * unit_check_files(unit, report):
 * There are the files that the manifest names, as it says, and no others.
 * Each byte of the unit is read.
 */
NODISCARD bool unit_check_files(const struct unit *unit, struct report *report);

/*
 * unit_check_texts(unit, report, policy):
 * What the small files say: genesis, checkpoint with its signatures, keys, the
 * unit's own policy; and that they agree.  Without ${policy->bytes}, the log's
 * own key must have signed.
 */
NODISCARD bool unit_check_texts(struct unit *unit, struct report *report,
                                const struct vouch_policy *policy);

/* The signer with this key_id; NULL if there is none. */
struct unit_signer *unit_signer_find(const struct unit *unit,
                                     const uint8_t key_id[KEY_ID_SIZE]);

#endif
