#include "client/program/say.h"

#include <cJSON.h>
#include <string.h>

#include "protocol/text.h"

enum { REPLACEMENT = 0xfffd };

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

/* Outside strings JSON has nothing that is escaped here but its own layout. */
static void say_point(uint32_t point)
{
    enum { PLANE_0_END = 0x10000, HIGH = 0xd800, LOW = 0xdc00, HALF = 10 };
    uint32_t rest = point - PLANE_0_END;

    if (point < PLANE_0_END)
        printf("\\u%04x", point);
    else
        printf("\\u%04x\\u%04x", HIGH + (rest >> HALF),
               LOW + (rest & ((1U << HALF) - 1)));
}

void say_json_text(const char *string)
{
    struct slice text = slice_of(string, strlen(string));
    size_t used = 0;
    uint32_t point;

    putchar('"');
    while (used < text.size) {
        const uint8_t *at = text.data + used;
        size_t from = used;

        if (text_next(text, &used, &point) != ST_OK) {
            used++;
            say_point(REPLACEMENT);
        } else if (text_point_refused(point)) {
            say_point(point);
        } else {
            if (point == '"' || point == '\\')
                putchar('\\');
            (void)fwrite(at, 1, used - from, stdout);
        }
    }
    putchar('"');
}

void say_json(struct cJSON *object, bool indented)
{
    char *printed =
        indented ? cJSON_Print(object) : cJSON_PrintUnformatted(object);
    const char *json = printed != NULL ? printed : "{}";
    struct slice text = slice_of(json, strlen(json));
    size_t used = 0;
    uint32_t point;

    while (used < text.size) {
        const uint8_t *at = text.data + used;
        size_t from = used;

        if (text_next(text, &used, &point) != ST_OK) {
            used++;
            say_point(REPLACEMENT);
        } else if (text_point_refused(point) && point != '\n' &&
                   point != '\t') {
            say_point(point);
        } else {
            (void)fwrite(at, 1, used - from, stdout);
        }
    }
    putchar('\n');
    cJSON_free(printed);
    cJSON_Delete(object);
}
