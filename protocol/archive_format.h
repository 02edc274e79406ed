/*
 * archive_format.h: the description of the archive's format that every unit
 * carries as its FORMAT.md.
 */
#ifndef DEFTER_PROTOCOL_ARCHIVE_FORMAT_H
#define DEFTER_PROTOCOL_ARCHIVE_FORMAT_H

/* Ends in a NUL; at most ARCHIVE_TEXT_SIZE_MAX bytes. */
extern const char archive_format_text[];

#endif
