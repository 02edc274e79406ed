/*
 * render.h: the value of a field as text for people; parse.h reads it back.
 *
 *   numbers        decimal                 bool8   yes, no
 *   enum8          its name                masks   names joined by +, or none
 *   date           2026-08-17              time    2026-08-17T09:30:00.000000Z
 *   money          manat.qepik: 12.34      voen    ten digits
 *   bytes, blob    hexadecimal             texts   as they are
 *   list           {name=value,name=value},{...}
 *
 * A date, time, amount or taxpayer number that its table calls "not stated" is
 * written none.  Texts inside a list are quoted where they need it: "a, b",
 * with
 * \" and \\ inside.
 */
#ifndef DEFTER_PROTOCOL_RENDER_H
#define DEFTER_PROTOCOL_RENDER_H

#include "protocol/schema.h"

/*
 * render_value(writer, field, member):
 * Append the text of the value at ${member}.  Text from a stranger holds no
 * control characters, because no field lets them pass.
 *
 * Requires: the value is within its row's bounds, as decoded ones are.
 * A full writer remembers ST_TOO_LARGE.
 */
void render_value(struct writer *writer, const struct field *field,
                  const void *member);

/*
 * render_names(field):
 * The names of an enum or mask, "a|b|c", from 1 or from bit 0; NULL if the
 * table gives none.
 */
const char *render_names(const struct field *field);

/* True if the table gives a value of ${field} that means "not stated". */
bool render_none(const struct field *field, int64_t *value_out);

/* Appends an unsigned or signed number, text of C, or bytes in hexadecimal. */
void render_u64(struct writer *writer, uint64_t value);
void render_i64(struct writer *writer, int64_t value);
void render_text(struct writer *writer, const char *text);
void render_hex(struct writer *writer, const void *bytes, size_t size);

#endif
