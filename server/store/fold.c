#include "server/store/fold.h"

#include <string.h>

#include "protocol/text.h"

enum {
    DOT_ABOVE = 0x0307,
    DIAERESIS = 0x0308,
    BREVE = 0x0306,
    CEDILLA = 0x0327,
    DOTLESS_I = 0x0131,
    DOTTED_I = 0x0130,
    SCHWA = 0x0259
};

/* Letters that have a sign of their own in Azerbaijani: capital, small, what is
 * left of it when stripped, and the parts it may be composed of. */
static const struct letter {
    uint16_t capital;
    uint16_t small;
    uint8_t plain;
    uint8_t base;
    uint16_t mark;
} letters[] = {
    {0x00c7, 0x00e7, 'c', 'c', CEDILLA},
    {0x011e, 0x011f, 'g', 'g', BREVE},
    {0x00d6, 0x00f6, 'o', 'o', DIAERESIS},
    {0x015e, 0x015f, 's', 's', CEDILLA},
    {0x00dc, 0x00fc, 'u', 'u', DIAERESIS},
    {0x018f, SCHWA, 'e', 0, 0},
    {0x04d8, SCHWA, 'e', 0, 0},
    {0x04d9, SCHWA, 'e', 0, 0},
    {0x01dd, SCHWA, 'e', 0, 0},
    {DOTTED_I, 'i', 'i', 0, 0},
    {'I', DOTLESS_I, 'i', 0, 0},
};
enum { LETTERS_COUNT = sizeof letters / sizeof letters[0] };

/* Cyrillic letters that look like Latin ones, small and capital. */
static const struct look_alike {
    uint16_t small;
    uint16_t capital;
    uint8_t latin;
} look_alikes[] = {
    {0x0430, 0x0410, 'a'}, {0x0435, 0x0415, 'e'}, {0x043e, 0x041e, 'o'},
    {0x0440, 0x0420, 'p'}, {0x0441, 0x0421, 'c'}, {0x0445, 0x0425, 'x'},
    {0x0443, 0x0423, 'y'}, {0x0456, 0x0406, 'i'},
};
enum { LOOK_ALIKES_COUNT = sizeof look_alikes / sizeof look_alikes[0] };

/* ---- Classes of code points ---------------------------------------------- */

static bool is_mark(uint32_t point)
{
    return point >= 0x0300 && point <= 0x036f;
}

static bool is_ascii_letter(uint32_t point)
{
    return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
}

static bool is_digit(uint32_t point)
{
    return point >= '0' && point <= '9';
}

/* Signs and blanks outside ASCII, in the blocks that texts here can hold.
 * Whatever is not known as a sign counts as a letter. */
static bool is_foreign_sign(uint32_t point)
{
    static const struct {
        uint32_t from;
        uint32_t to;
    } signs[] = {
        {0x0080, 0x00a9}, {0x00ab, 0x00b4},   {0x00b6, 0x00b9},
        {0x00bb, 0x00bf}, {0x00d7, 0x00d7},   {0x00f7, 0x00f7},
        {0x02c2, 0x02df}, {0x055a, 0x055f},   {0x0589, 0x058a},
        {0x060c, 0x060d}, {0x061b, 0x061f},   {0x066a, 0x066d},
        {0x2000, 0x2bff}, {0x2e00, 0x2e7f},   {0x3000, 0x303f},
        {0xfe10, 0xfe6f}, {0xff01, 0xff0f},   {0xff1a, 0xff20},
        {0xfff0, 0xffff}, {0x1f000, 0x1faff},
    };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (point >= signs[i].from && point <= signs[i].to)
            return true;
    }
    return false;
}

static bool in_token(uint32_t point)
{
    if (point < 0x80)
        return is_ascii_letter(point) || is_digit(point);
    return !is_foreign_sign(point);
}

static const struct letter *letter_of(uint32_t point)
{
    if (point < 0x80 && point != 'I')
        return NULL;
    for (size_t i = 0; i < LETTERS_COUNT; i++) {
        if (letters[i].capital == point ||
            (letters[i].small == point && point != 'i'))
            return &letters[i];
    }
    return NULL;
}

/* Latin, or always written as Latin here. */
static bool is_latin(uint32_t point)
{
    return is_ascii_letter(point) || point == 0x00aa || point == 0x00ba ||
           (point >= 0x00c0 && point <= 0x02af && point != 0x00d7 &&
            point != 0x00f7) ||
           (point >= 0x1e00 && point <= 0x1eff) || letter_of(point) != NULL;
}

static uint32_t latin_of(uint32_t point)
{
    if (point < 0x0400 || point > 0x045f)
        return point;
    for (size_t i = 0; i < LOOK_ALIKES_COUNT; i++) {
        if (look_alikes[i].small == point || look_alikes[i].capital == point)
            return look_alikes[i].latin;
    }
    return point;
}

/* ---- Walking ------------------------------------------------------------- */

/* The next code point; false at the end. */
static bool next(struct slice text, size_t *used, uint32_t *point)
{
    enum status status;

    if (*used < text.size && text.data[*used] < 0x80) {
        *point = text.data[(*used)++];
        return true;
    }
    status = text_next(text, used, point);
    REQUIRE(status == ST_OK || status == ST_END);
    return status == ST_OK;
}

static size_t write_point(uint8_t *out, uint32_t point)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/* ---- Folding ------------------------------------------------------------- */

/* The small letter of a point that stands alone; ${mark} follows it, or 0. */
static uint32_t small_of(uint32_t point, uint32_t mark)
{
    const struct letter *letter;

    if ((point == 'I' || point == 'i') && mark == DOT_ABOVE)
        return 'i';
    letter = letter_of(point);
    if (letter != NULL)
        return letter->small;
    if (point >= 'A' && point <= 'Z')
        point += 'a' - 'A';
    for (size_t i = 0; i < LETTERS_COUNT && mark != 0; i++) {
        if (letters[i].base == point && letters[i].mark == mark)
            return letters[i].small;
    }
    return point;
}

static uint32_t plain_of(uint32_t point)
{
    const struct letter *letter = letter_of(point);

    if (letter != NULL)
        return letter->plain;
    if (point == DOTLESS_I)
        return 'i';
    if (point >= 'A' && point <= 'Z')
        return point + 'a' - 'A';
    return point;
}

/* Whether the token at ${used} mixes alphabets, so that its Cyrillic letters
 * were meant to be Latin ones; ${used_out} is behind the token. */
static bool holds_latin(struct slice text, size_t used, size_t *used_out)
{
    bool latin = false;
    uint32_t point;

    *used_out = used;
    while (next(text, &used, &point) && in_token(point)) {
        latin = latin || is_latin(point);
        *used_out = used;
    }
    return latin;
}

static uint32_t peek_mark(struct slice text, size_t used)
{
    uint32_t point;

    return next(text, &used, &point) && is_mark(point) ? point : 0;
}

size_t fold_text(uint8_t *out, struct slice text, enum fold_key key)
{
    size_t used = 0, written = 0, token_end = 0;
    bool latin = false;
    uint32_t point;

    while (used < text.size) {
        if (used >= token_end)
            latin = holds_latin(text, used, &token_end);
        if (!next(text, &used, &point))
            break;
        if (is_mark(point))
            continue;
        if (latin && used <= token_end)
            point = latin_of(point);
        point = key == FOLD_PLAIN ? plain_of(point)
                                  : small_of(point, peek_mark(text, used));
        written += write_point(out + written, point);
    }
    return written;
}

struct slice fold_token(struct slice folded, size_t *used)
{
    size_t at = *used, from = at;
    uint32_t point;

    while (next(folded, &at, &point) && !in_token(point))
        from = at;
    at = from;
    *used = from;
    while (next(folded, &at, &point) && in_token(point))
        *used = at;
    return slice_of(folded.data + from, *used - from);
}

size_t fold_points(struct slice text)
{
    size_t used = 0, count = 0;
    uint32_t point;

    while (next(text, &used, &point))
        count++;
    return count;
}

/* ---- Ordering ------------------------------------------------------------ */

/* The alphabet; w, which Azerbaijani has not, comes last. */
static const uint16_t alphabet[] = {
    'a', 'b',       'c', 0x00e7, 'd', 'e', SCHWA,  'f', 'g', 0x011f, 'h',
    'x', DOTLESS_I, 'i', 'j',    'k', 'q', 'l',    'm', 'n', 'o',    0x00f6,
    'p', 'r',       's', 0x015f, 't', 'u', 0x00fc, 'v', 'y', 'z',    'w',
};

/* Signs, digits, letters of the alphabet, other letters; each by itself. */
static uint32_t weight_of(uint32_t small)
{
    if (!in_token(small))
        return small;
    if (is_digit(small))
        return UINT32_C(0x1000000) | small;
    for (size_t i = 0; i < sizeof alphabet / sizeof alphabet[0]; i++) {
        if (alphabet[i] == small)
            return UINT32_C(0x2000000) | (uint32_t)i;
    }
    return UINT32_C(0x4000000) | small;
}

/* The next letter as it is sorted; small is 0 at the end, below everything. */
struct sorted {
    uint32_t weight;
    bool capital;
};
static struct sorted next_sorted(struct slice text, size_t *used)
{
    uint32_t point, small;

    do {
        if (!next(text, used, &point))
            return (struct sorted){0, false};
    } while (is_mark(point));
    small = small_of(point, peek_mark(text, *used));
    return (struct sorted){weight_of(small) + 1, small != point};
}

int fold_compare(struct slice a, struct slice b)
{
    size_t used_a = 0, used_b = 0;
    int by_case = 0, by_bytes;
    size_t shorter = a.size < b.size ? a.size : b.size;

    for (;;) {
        struct sorted left = next_sorted(a, &used_a);
        struct sorted right = next_sorted(b, &used_b);

        if (left.weight != right.weight)
            return left.weight < right.weight ? -1 : 1;
        if (left.weight == 0)
            break;
        if (by_case == 0 && left.capital != right.capital)
            by_case = left.capital ? 1 : -1;
    }
    if (by_case != 0)
        return by_case;
    by_bytes = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (by_bytes != 0)
        return by_bytes;
    return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}
