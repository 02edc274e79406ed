/*
 * extract_words.h: the fields of an extract in words for people, in English
 * and Azerbaijani.
 */
#ifndef DEFTER_PROTOCOL_EXTRACT_WORDS_H
#define DEFTER_PROTOCOL_EXTRACT_WORDS_H

#include "protocol/extract.h"

/*
 * extract_words_label(writer, section, path, azerbaijani):
 * Append what a field is called: "short name", or of an element of a list "2:
 * surname".  A path that this version's tables do not have stands as it is.
 */
void extract_words_label(struct writer *writer, uint8_t section,
                         struct slice path, bool azerbaijani);

/*
 * extract_words_value(writer, section, field, azerbaijani):
 * Append the value: names of numbers, manat for qepik, "not stated" where the
 * table says so; else as it is.
 */
void extract_words_value(struct writer *writer, uint8_t section,
                         const struct extract_field *field, bool azerbaijani);

/* The marks of a version, joined by commas; nothing for none. */
void extract_words_flags(struct writer *writer, uint16_t flags,
                         bool azerbaijani);

#endif
