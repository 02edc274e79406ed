/*
 * text.h: what the text kinds of fields accept (PROTOCOL, section 1).
 */
#ifndef DEFTER_PROTOCOL_TEXT_H
#define DEFTER_PROTOCOL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/schema.h"

/*
 * text_next(text, used, point_out):
 * Read the code point at ${*used} of ${text} and move ${*used} behind it.
 *
 * Returns: ST_OK; ST_END at the end; ST_BAD_FIELD where the bytes are not
 *          strict UTF-8 (RFC 3629), and ${*used} stays.
 */
NODISCARD enum status text_next(struct slice text, size_t *used,
                                uint32_t *point_out);

/* True for code points that no text may hold: C0, DEL, C1, noncharacters, line
 * and paragraph separators, direction overrides and isolates, U+FEFF. */
bool text_point_refused(uint32_t point);

/* True if ${text} may stand in a str: strict UTF-8, no refused code points. */
bool text_valid(struct slice text);

/*
 * text_is(kind, text):
 * True if ${text} may stand in a field of ${kind}.
 *
 * Requires: ${kind} is a text; ${text} is not empty (a field's least size says
 *           whether it may be).
 */
bool text_is(enum field_kind kind, struct slice text);

#endif
