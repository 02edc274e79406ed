#include "client/program/say.h"

#include <cJSON.h>
#include <string.h>

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

/* What cJSON printed, with what it does not escape; ${instead} without memory.
 */
static void say_printed(char *printed, const char *instead)
{
    enum { REPLACEMENT = 0xfffd };
    const char *json = printed != NULL ? printed : instead;
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
    cJSON_free(printed);
}

void say_json_text(const char *text)
{
    struct cJSON *string = cJSON_CreateString(text);

    say_printed(cJSON_PrintUnformatted(string), "\"\"");
    cJSON_Delete(string);
}

void say_json(struct cJSON *object, bool indented)
{
    say_printed(indented ? cJSON_Print(object) : cJSON_PrintUnformatted(object),
                "{}");
    putchar('\n');
    cJSON_Delete(object);
}
