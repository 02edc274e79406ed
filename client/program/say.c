#include "client/program/say.h"

#include "protocol/text.h"

static void say_bytes(FILE *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(out, "\\x%02x", bytes[i]);
}

void say_text(FILE *out, struct slice text, bool lines)
{
    size_t used = 0;
    uint32_t point;

    while (used < text.size) {
        const uint8_t *at = text.data + used;
        size_t from = used;

        if (text_next(text, &used, &point) != ST_OK)
            say_bytes(out, text.data + used++, 1);
        else if (text_point_refused(point) && !(lines && point == '\n'))
            say_bytes(out, at, used - from);
        else
            (void)fwrite(at, 1, used - from, out);
    }
}
