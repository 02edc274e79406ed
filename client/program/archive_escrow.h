/*
 * archive_escrow.h: `defter archive escrow`, for who keeps an escrow or the key
 * that opens it.  Nodes write and read escrows themselves (`defterd --escrow`,
 * `--restore`).
 */
#ifndef DEFTER_CLIENT_PROGRAM_ARCHIVE_ESCROW_H
#define DEFTER_CLIENT_PROGRAM_ARCHIVE_ESCROW_H

struct program;

/* `escrow key FILE`, `escrow show [--recovery-key KEY] FILE`; exit code. */
int archive_escrow_run(struct program *program, int argc, char **argv);

#endif
