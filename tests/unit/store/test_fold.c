#include "server/store/fold.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

static const char *fold(const char *text, enum fold_key key)
{
    static uint8_t out[512];
    size_t size = fold_text(out, slice_text(text), key);

    out[size] = '\0';
    return (const char *)out;
}

static bool matches(const char *a, const char *b, enum fold_key key)
{
    char first[512];

    strncpy(first, fold(a, key), sizeof first - 1);
    first[sizeof first - 1] = '\0';
    return strcmp(first, fold(b, key)) == 0;
}

START_TEST(small_letters_are_those_of_azerbaijani)
{
    ck_assert_str_eq(fold("BAKI ŞƏHƏRİ", FOLD_CASE), "bakı şəhəri");
    ck_assert_str_eq(fold("I\xcc\x87", FOLD_CASE), "i");
    ck_assert_str_eq(fold("KİÇİK SAHİBKARLIQ", FOLD_CASE), "kiçik sahibkarlıq");
    ck_assert_str_eq(fold("ÜĞÖ", FOLD_CASE), "üğö");
    ck_assert(matches("İSMAYIL", "ismayıl", FOLD_CASE));
}
END_TEST

START_TEST(a_schwa_of_another_alphabet_is_a_schwa)
{
    ck_assert(matches("\xd3\x99li", "əli", FOLD_CASE));
    ck_assert(matches("\xd3\x98li", "Əli", FOLD_CASE));
    ck_assert(matches("\xc7\x9dli", "əli", FOLD_CASE));
    ck_assert(matches("\xd3\x99li", "eli", FOLD_PLAIN));
}
END_TEST

START_TEST(a_search_without_diacritics_finds_by_the_plain_key_only)
{
    ck_assert(matches("emeliyyat", "Əməliyyat", FOLD_PLAIN));
    ck_assert(!matches("emeliyyat", "Əməliyyat", FOLD_CASE));
    ck_assert(matches("melumat", "Məlumat", FOLD_PLAIN));
    ck_assert(matches("QIZILGÜL", "qızılgül", FOLD_PLAIN));
    ck_assert(matches("qizilgul", "QIZILGÜL", FOLD_PLAIN));
    ck_assert_str_eq(fold("ŞÇĞÖÜİIƏ", FOLD_PLAIN), "scgouiie");
    ck_assert_str_eq(fold("şçğöüiıə", FOLD_PLAIN), "scgouiie");
}
END_TEST

START_TEST(composed_and_decomposed_letters_fold_alike)
{
    ck_assert(matches("s\xcc\xa7", "ş", FOLD_CASE));
    ck_assert(matches("G\xcc\x86", "ğ", FOLD_CASE));
    ck_assert(matches("O\xcc\x88", "ö", FOLD_CASE));
    ck_assert(matches("i\xcc\x87s", "is", FOLD_CASE));
    ck_assert(matches("u\xcc\x88", "u", FOLD_PLAIN));
}
END_TEST

START_TEST(cyrillic_look_alikes_turn_latin_only_beside_latin_letters)
{
    /* "Bакı" with Cyrillic а and к: а is put right, к looks like nothing. */
    ck_assert_str_eq(fold("B\xd0\xb0k\xc4\xb1", FOLD_CASE), "bakı");
    ck_assert_str_eq(fold("\xd0\x9e\xd0\xa0 LLC", FOLD_CASE),
                     "\xd0\x9e\xd0\xa0 llc"); /* A token of its own. */
    ck_assert_str_eq(fold("\xd0\x9e\xd0\xa0-L", FOLD_PLAIN),
                     "\xd0\x9e\xd0\xa0-l");
    ck_assert_str_eq(fold("\xd0\xa1\xd0\x95z", FOLD_PLAIN), "cez");
}
END_TEST

START_TEST(what_is_not_known_stays)
{
    ck_assert_str_eq(fold("№ 1415 — «Дом» 漢 🙂", FOLD_PLAIN),
                     "№ 1415 — «Дом» 漢 🙂");
    ck_assert_str_eq(fold("", FOLD_PLAIN), "");
    ck_assert_str_eq(fold("", FOLD_CASE), "");
}
END_TEST

START_TEST(folding_a_folded_text_changes_nothing)
{
    static const char *const texts[] = {
        "BAKI ŞƏHƏRİ", "\xd3\x99\xd1\x81\xd0\xbe", "I\xcc\x87\xcc\xa7S\xcc\xa7",
        "\xd0\xa1\xd0\x95z", "aI\xcc\x81\xcc\x87"};
    char once[512];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int key = FOLD_CASE; key <= FOLD_PLAIN; key++) {
            strncpy(once, fold(texts[i], (enum fold_key)key), sizeof once - 1);
            once[sizeof once - 1] = '\0';
            ck_assert_str_eq(fold(once, (enum fold_key)key), once);
        }
    }
}
END_TEST

/* Tokens of ${text} with a stroke behind each. */
static const char *tokens(const char *text)
{
    static char out[256];
    struct slice slice = slice_text(text), token;
    size_t used = 0, written = 0;

    while ((token = fold_token(slice, &used)).size > 0) {
        memcpy(out + written, token.data, token.size);
        written += token.size;
        out[written++] = '|';
    }
    out[written] = '\0';
    return out;
}

START_TEST(tokens_are_runs_of_letters_and_digits)
{
    ck_assert_str_eq(tokens("  \"qızılgül-2\" mmc, (bakı) "),
                     "qızılgül|2|mmc|bakı|");
    ck_assert_str_eq(tokens("a"), "a|");
    ck_assert_str_eq(tokens("№ — « » ."), "");
    ck_assert_str_eq(tokens(""), "");
    ck_assert_uint_eq(fold_points(slice_text("qızılgül")), 8);
}
END_TEST

START_TEST(names_are_ordered_by_the_azerbaijani_alphabet)
{
    static const char *const names[] = {
        "Cavid", "Çingiz", "Elçin", "Əli",   "Fuad",  "Gülnar", "Həsən",
        "Xalid", "Ilıca",  "İlqar", "Jalə",  "Kərim", "Qasım",  "Leyla",
        "Səidə", "Şəhla",  "Ulduz", "Ülkər", "Zaur",  "Winner"};
    size_t count = sizeof names / sizeof names[0];

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            int order =
                fold_compare(slice_text(names[i]), slice_text(names[k]));
            ck_assert_msg((order < 0) == (i < k) && (order > 0) == (i > k),
                          "%s and %s", names[i], names[k]);
        }
    }
}
END_TEST

START_TEST(signs_come_before_digits_and_digits_before_letters)
{
    ck_assert_int_lt(fold_compare(slice_text("- a"), slice_text("1 a")), 0);
    ck_assert_int_lt(fold_compare(slice_text("1 a"), slice_text("a 1")), 0);
    ck_assert_int_lt(fold_compare(slice_text("w"), slice_text("д")), 0);
    ck_assert_int_lt(fold_compare(slice_text("al b"), slice_text("ala")), 0);
    ck_assert_int_lt(fold_compare(slice_text("al"), slice_text("ala")), 0);
    ck_assert_int_lt(fold_compare(slice_text(""), slice_text("-")), 0);
}
END_TEST

START_TEST(case_decides_only_between_texts_that_are_otherwise_equal)
{
    ck_assert_int_lt(fold_compare(slice_text("ali"), slice_text("Ali")), 0);
    ck_assert_int_lt(fold_compare(slice_text("Ali"), slice_text("alib")), 0);
    ck_assert_int_gt(fold_compare(slice_text("İl"), slice_text("il")), 0);
    ck_assert_int_eq(fold_compare(slice_text("İl"), slice_text("İl")), 0);
    ck_assert_int_ne(fold_compare(slice_text("I\xcc\x87l"), slice_text("İl")),
                     0);
}
END_TEST

SUITE_MAIN("fold", small_letters_are_those_of_azerbaijani,
           a_schwa_of_another_alphabet_is_a_schwa,
           a_search_without_diacritics_finds_by_the_plain_key_only,
           composed_and_decomposed_letters_fold_alike,
           cyrillic_look_alikes_turn_latin_only_beside_latin_letters,
           what_is_not_known_stays, folding_a_folded_text_changes_nothing,
           tokens_are_runs_of_letters_and_digits,
           names_are_ordered_by_the_azerbaijani_alphabet,
           signs_come_before_digits_and_digits_before_letters,
           case_decides_only_between_texts_that_are_otherwise_equal)
