/*
 * say.h: text of strangers on a terminal.
 *
 * A field's text was judged when it was decoded; names in notes, paths and
 * messages were not, or by another rule.  Whatever could move the cursor, hide
 * or turn text around is shown as the bytes that it is.
 */
#ifndef DEFTER_CLIENT_PROGRAM_SAY_H
#define DEFTER_CLIENT_PROGRAM_SAY_H

#include <stdio.h>

#include "protocol/bytes.h"

/* The text; what is no UTF-8, or a code point that no field may hold
 * (protocol/text.h), as \xNN.  A line end stays one where ${lines}. */
void say_text(FILE *out, struct slice text, bool lines);

/* The text as a string of JSON, with its quotes, on the standard output. */
void say_json_text(const char *text);

struct cJSON;

/* A line, or indented lines, of JSON on the standard output.  What no field may
 * hold is a \uXXXX there; a byte that is no UTF-8 is U+FFFD.  Takes
 * ${object}. */
void say_json(struct cJSON *object, bool indented);

#endif
