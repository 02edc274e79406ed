#include "protocol/text.h"

/* Bytes of the sequence that ${first} begins, and its payload bits; 0: none. */
static size_t sequence_size(uint8_t first, uint32_t *bits_out)
{
    if (first < 0x80) {
        *bits_out = first;
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        *bits_out = first & 0x1fu;
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *bits_out = first & 0x0fu;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *bits_out = first & 0x07u;
        return 4;
    }
    return 0;
}

/* Overlong forms, surrogates and points above U+10FFFF. */
static bool point_fits(uint32_t point, size_t size)
{
    if (size == 3 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff)))
        return false;
    return size != 4 || (point >= 0x10000 && point <= 0x10ffff);
}

enum status text_next(struct slice text, size_t *used, uint32_t *point_out)
{
    uint32_t point = 0;
    size_t size;

    REQUIRE(*used <= text.size);
    if (*used == text.size)
        return ST_END;
    size = sequence_size(text.data[*used], &point);
    if (size == 0 || size > text.size - *used)
        return ST_BAD_FIELD;
    for (size_t i = 1; i < size; i++) {
        uint8_t next = text.data[*used + i];
        if ((next & 0xc0u) != 0x80)
            return ST_BAD_FIELD;
        point = point << 6 | (next & 0x3fu);
    }
    if (!point_fits(point, size))
        return ST_BAD_FIELD;
    *used += size;
    *point_out = point;
    return ST_OK;
}

bool text_point_refused(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
        return true;
    if ((point & 0xfffe) == 0xfffe || (point >= 0xfdd0 && point <= 0xfdef))
        return true;
    if (point == 0x2028 || point == 0x2029 || point == 0xfeff)
        return true;
    return (point >= 0x202a && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

bool text_valid(struct slice text)
{
    size_t used = 0;
    uint32_t point;
    enum status status;

    while ((status = text_next(text, &used, &point)) == ST_OK) {
        if (text_point_refused(point))
            return false;
    }
    return status == ST_END;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]))
            return false;
    }
    return true;
}

/* A name has no outer blanks and is more than digits and ASCII signs. */
static bool is_name(struct slice text)
{
    bool letter = false;

    if (text.data[0] == ' ' || text.data[text.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        letter = letter || is_lower(c) || is_upper(c) || c >= 0x80;
    }
    return letter && text_valid(text);
}

/* [0-9A-HJ-NP-Z]{7}: the letters I and O are never used. */
static bool is_fin(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!is_digit(c) && (!is_upper(c) || c == 'I' || c == 'O'))
            return false;
    }
    return text.size == 7;
}

/* E.164: + and 7 to 15 digits, the first not zero. */
static bool is_phone(struct slice text)
{
    return text.size >= 8 && text.size <= 16 && text.data[0] == '+' &&
           text.data[1] != '0' &&
           all_digits(slice_of(text.data + 1, text.size - 1));
}

static bool is_mail_byte(uint8_t c)
{
    if (is_digit(c) || is_lower(c) || is_upper(c))
        return true;
    switch (c) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '/':
    case '=':
    case '?':
    case '^':
    case '_':
    case '`':
    case '{':
    case '|':
    case '}':
    case '~':
    case '.':
        return true;
    default:
        return false;
    }
}

/* local@domain with dots inside the domain and never twice in a row. */
static bool is_email(struct slice text)
{
    size_t at = text.size, dots = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        uint8_t before = i == 0 ? '.' : text.data[i - 1];
        if (c == '@') {
            if (at != text.size || before == '.')
                return false;
            at = i;
        } else if (!is_mail_byte(c)) {
            return false;
        } else if (c == '.') {
            if (before == '.' || before == '@')
                return false;
            dots += at != text.size;
        }
    }
    return at != text.size && at <= 64 && dots > 0 &&
           text.data[text.size - 1] != '.';
}

static bool is_username(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!is_lower(c) && !is_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

bool text_is(enum field_kind kind, struct slice text)
{
    REQUIRE(text.size > 0);
    if (kind == FIELD_name)
        return is_name(text);
    if (kind == FIELD_fin)
        return is_fin(text);
    if (kind == FIELD_email)
        return is_email(text);
    if (kind == FIELD_phone)
        return is_phone(text);
    if (kind == FIELD_digits)
        return all_digits(text);
    if (kind == FIELD_username)
        return is_username(text);
    return text_valid(text);
}
