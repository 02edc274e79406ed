/*
 * extract_show.h: an extract for people: as lines, and as one page of HTML that
 * can be printed and needs nothing from elsewhere.  Whatever came from the file
 * is written so that it can only be text.
 */
#ifndef DEFTER_PROTOCOL_EXTRACT_SHOW_H
#define DEFTER_PROTOCOL_EXTRACT_SHOW_H

#include "protocol/extract_judge.h"

/* Bytes that are always enough for either form of a file of ${size} bytes. */
#define EXTRACT_SHOW_SIZE(size) (8192 + 16 * (size))

/* What is shown; ${report} is NULL where nobody judged it. */
struct extract_shown {
    const struct extract_file *file;
    const struct extract_report *report;
    bool azerbaijani;
};

/*
 * extract_show_lines(writer, shown), extract_show_page(writer, shown):
 * Requires: extract_file_read() gave the file.
 * A full writer remembers ST_TOO_LARGE.
 */
void extract_show_lines(struct writer *writer,
                        const struct extract_shown *shown);
void extract_show_page(struct writer *writer,
                       const struct extract_shown *shown);

/* ---- What both forms say ------------------------------------------------ */

/* "Extract No 17", and of whom. */
void extract_show_title(struct writer *writer,
                        const struct extract_shown *shown);
/* When and where it was issued. */
void extract_show_origin(struct writer *writer,
                         const struct extract_shown *shown);
/* What is known of it: the finding in words. */
const char *extract_show_finding(const struct extract_shown *shown);
/* The sentences about what was not checked, a line each below a heading;
 * nothing where nobody judged, or nothing is to be said. */
void extract_show_unchecked(struct writer *writer,
                            const struct extract_shown *shown);
/* "names": the section without its number. */
void extract_show_section(struct writer *writer,
                          const struct extract_section *section,
                          bool azerbaijani);
/* From whom, of when, in which version; nothing where there is none. */
void extract_show_source(struct writer *writer,
                         const struct extract_section *section,
                         bool azerbaijani);
/* How many fields are shown, and how many are kept back. */
void extract_show_count(struct writer *writer,
                        const struct extract_shown *shown);

#endif
