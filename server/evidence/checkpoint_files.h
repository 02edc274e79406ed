/*
 * checkpoint_files.h: notes as files in the node's directory, for everybody's
 * tools: C2SP text, replaced whole.
 */
#ifndef DEFTER_SERVER_EVIDENCE_CHECKPOINT_FILES_H
#define DEFTER_SERVER_EVIDENCE_CHECKPOINT_FILES_H

#include "protocol/bytes.h"
#include "protocol/files.h"
#include "replication/disk.h"

/*
 * checkpoint_file_read(out, size_out, disk, name):
 * ${out} has EVIDENCE_NOTE_SIZE_MAX bytes.
 *
 * Returns: ST_OK; ST_NO_FILE; ST_TOO_LARGE; ST_DISK_FAILED.
 */
NODISCARD enum status checkpoint_file_read(uint8_t *out, size_t *size_out,
                                           struct disk *disk, const char *name);

/* Returns: ST_OK; ST_DISK_FULL or ST_DISK_FAILED, and the former file is there
 * or the whole new one. */
NODISCARD enum status checkpoint_file_write(struct disk *disk, const char *name,
                                            struct slice note);

#endif
