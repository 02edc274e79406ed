#include "server/store/search.h"

#include <stdio.h>
#include <string.h>

#include "server/store/fold.h"
#include "server/store/postings.h"

#include "tests/lib/suite.h"

static struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

static void put(struct search *search, uint64_t subject, const char *text)
{
    search_put(search, subject, slice_text(text));
}

/* What a query finds, "1 2 3"; a last '*' makes it a beginning; "?" if it is
 * refused. */
static const char *find(const struct search *search, const char *text,
                        uint64_t after, size_t limit)
{
    static char out[256];
    uint64_t found[FIND_RESULTS_MAX];
    size_t count, used = 0, size = strlen(text);
    struct search_query query = {slice_text(text), false, after, limit};

    if (size > 0 && text[size - 1] == '*') {
        query.text.size--;
        query.prefix = true;
    }
    if (search_find(search, found, &count, &query) != ST_OK)
        return "?";
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used +=
            (size_t)snprintf(out + used, sizeof out - used, "%s%llu",
                             i == 0 ? "" : " ", (unsigned long long)found[i]);
    return out;
}

static struct search *open_small(void)
{
    struct search *search = search_open();

    put(search, 30, "\"Qızılgül\" MMC, Bakı");
    put(search, 10, "Qızıl Gül MMC");
    put(search, 20, "Əməliyyat Qızılgül");
    put(search, 40, "Ələkbər oğlu MMC MMC");
    return search;
}

START_TEST(every_word_must_be_in_the_name_and_numbers_rise)
{
    struct search *search = open_small();

    ck_assert_str_eq(find(search, "mmc", 0, 50), "10 30 40");
    ck_assert_str_eq(find(search, "QIZILGÜL", 0, 50), "20 30");
    ck_assert_str_eq(find(search, "mmc qizilgul", 0, 50), "30");
    ck_assert_str_eq(find(search, "emeliyyat", 0, 50), "20");
    ck_assert_str_eq(find(search, "mmc nobody", 0, 50), "");
    ck_assert_uint_eq(search_count(search), 4);
    search_close(search);
}
END_TEST

START_TEST(pages_follow_each_other_by_the_last_number)
{
    struct search *search = open_small();

    ck_assert_str_eq(find(search, "mmc", 0, 2), "10 30");
    ck_assert_str_eq(find(search, "mmc", 30, 2), "40");
    ck_assert_str_eq(find(search, "mmc", 40, 2), "");
    ck_assert_str_eq(find(search, "qiz*", 10, 1), "20");
    ck_assert_str_eq(find(search, "mmc qiz*", 10, 9), "30");
    search_close(search);
}
END_TEST

START_TEST(the_last_word_may_be_the_beginning_of_one)
{
    struct search *search = open_small();

    ck_assert_str_eq(find(search, "qız*", 0, 50), "10 20 30");
    ck_assert_str_eq(find(search, "qizilg*", 0, 50), "20 30");
    ck_assert_str_eq(find(search, "mmc qız*", 0, 50), "10 30");
    ck_assert_str_eq(find(search, "ələ*", 0, 50), "40");
    ck_assert_str_eq(find(search, "qizilgulx*", 0, 50), "");
    ck_assert_str_eq(find(search, "qız", 0, 50), "");
    search_close(search);
}
END_TEST

START_TEST(D113_queries_that_are_no_words_are_refused_or_find_nothing)
{
    struct search *search = open_small();

    ck_assert_str_eq(find(search, "\" OR 1", 0, 50), "");
    ck_assert_str_eq(find(search, "NEAR(", 0, 50), "");
    ck_assert_str_eq(find(search, "*", 0, 50), "?");
    ck_assert_str_eq(find(search, "", 0, 50), "?");
    ck_assert_str_eq(find(search, "- . \"", 0, 50), "?");
    ck_assert_str_eq(find(search, "a b c d e f g h i", 0, 50), "?");
    ck_assert_str_eq(find(search, "a b c d e f g h", 0, 50), "");
    ck_assert_str_eq(find(search, "q*", 0, 50), "?");
    ck_assert_str_eq(find(search, "qı*", 0, 50), "?");
    search_close(search);
}
END_TEST

START_TEST(a_query_of_the_greatest_length_is_taken_and_no_longer)
{
    struct search *search = search_open();
    char text[FIND_TEXT_SIZE_MAX + 2];

    memset(text, 'a', sizeof text);
    text[FIND_TEXT_SIZE_MAX] = '\0';
    put(search, 1, text);
    ck_assert_str_eq(find(search, text, 0, 1), "1");
    text[FIND_TEXT_SIZE_MAX] = 'a';
    text[FIND_TEXT_SIZE_MAX + 1] = '\0';
    ck_assert_str_eq(find(search, text, 0, 1), "?");
    search_close(search);
}
END_TEST

START_TEST(a_new_name_replaces_the_old_one)
{
    struct search *search = open_small();

    put(search, 30, "Bənövşə MMC");
    ck_assert_str_eq(find(search, "qızılgül", 0, 50), "20");
    ck_assert_str_eq(find(search, "bak*", 0, 50), "");
    ck_assert_str_eq(find(search, "bənövşə mmc", 0, 50), "30");
    put(search, 30, "");
    ck_assert_str_eq(find(search, "mmc", 0, 50), "10 40");
    search_remove(search, 40);
    search_remove(search, 40);
    ck_assert_str_eq(find(search, "mmc", 0, 50), "10");
    ck_assert_uint_eq(search_count(search), 2);
    search_close(search);
}
END_TEST

START_TEST(undo_brings_back_the_names_since_the_mark)
{
    struct search *search = open_small();

    search_mark(search);
    put(search, 30, "Bənövşə");
    put(search, 30, "Yasəmən");
    put(search, 50, "Nərgiz");
    search_remove(search, 40);
    ck_assert_str_eq(find(search, "yasəmən", 0, 50), "30");
    search_undo(search);
    ck_assert_str_eq(find(search, "mmc", 0, 50), "10 30 40");
    ck_assert_str_eq(find(search, "qızılgül bakı", 0, 50), "30");
    ck_assert_str_eq(find(search, "nər*", 0, 50), "");
    ck_assert_uint_eq(search_count(search), 4);
    search_mark(search);
    put(search, 30, "Bənövşə");
    search_keep(search);
    ck_assert_str_eq(find(search, "mmc", 0, 50), "10 40");
    search_close(search);
}
END_TEST

START_TEST(words_beyond_the_limit_of_a_name_are_left_out)
{
    struct search *search = search_open();
    char text[SEARCH_WORDS_MAX * 8 + 32];
    size_t used = 0;

    for (unsigned i = 0; i <= SEARCH_WORDS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "w%u ", i);
    put(search, 1, text);
    snprintf(text, sizeof text, "w%d", SEARCH_WORDS_MAX - 1);
    ck_assert_str_eq(find(search, text, 0, 1), "1");
    snprintf(text, sizeof text, "w%d", SEARCH_WORDS_MAX);
    ck_assert_str_eq(find(search, text, 0, 1), "");
    search_close(search);
}
END_TEST

/* ---- Against a plain model ------------------------------------------------
 */

enum { SUBJECTS = 300, WORDS = 12, CHANGES = 4000 };
static const char *const vocabulary[WORDS] = {"anar", "anadil", "ana", "bakı",
                                              "baku", "bal",    "can", "canan",
                                              "dağ",  "dağlı",  "mmc", "qsc"};

/* Bit i: the subject's name holds vocabulary[i]. */
static uint16_t model[SUBJECTS];
static uint64_t seed = 1;

static uint64_t draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 33;
}

static void change_one(struct search *search)
{
    uint64_t subject = draw() % SUBJECTS;
    char text[128] = "";
    size_t used = 0;

    model[subject] = 0;
    for (uint64_t left = draw() % 5; left > 0; left--) {
        uint64_t word = draw() % WORDS;
        model[subject] = (uint16_t)(model[subject] | 1u << word);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s ",
                                 vocabulary[word]);
    }
    put(search, subject + 1, text);
}

/* Words that begin with ${beginning}, both folded. */
static uint16_t words_with(const char *beginning)
{
    uint8_t folded[64], start[64];
    uint16_t mask = 0;
    size_t size = fold_text(start, slice_text(beginning), FOLD_PLAIN);

    for (unsigned i = 0; i < WORDS; i++) {
        fold_text(folded, slice_text(vocabulary[i]), FOLD_PLAIN);
        if (strlen(vocabulary[i]) >= size && memcmp(folded, start, size) == 0)
            mask = (uint16_t)(mask | 1u << i);
    }
    return mask;
}

static void compare_with_model(const struct search *search, unsigned first,
                               unsigned second, bool prefix)
{
    char text[64];
    uint32_t last = prefix ? words_with(vocabulary[second]) : 1u << second;
    uint64_t found[FIND_RESULTS_MAX];
    size_t count, at = 0;
    struct search_query query = {{NULL, 0}, prefix, 0, FIND_RESULTS_MAX};

    snprintf(text, sizeof text, "%s %s", vocabulary[first], vocabulary[second]);
    query.text = slice_text(text);
    ck_assert_int_eq(search_find(search, found, &count, &query), ST_OK);
    for (unsigned i = 0; i < SUBJECTS && at < count; i++) {
        if ((model[i] & 1u << first) == 0 || (model[i] & last) == 0)
            continue;
        ck_assert_uint_eq(found[at], i + 1);
        at++;
    }
    ck_assert_uint_eq(at, count);
}

START_TEST(after_any_changes_it_finds_what_a_plain_search_finds)
{
    struct search *search = search_open();

    for (unsigned i = 1; i <= CHANGES; i++) {
        change_one(search);
        if (i % 500 != 0)
            continue;
        for (unsigned pair = 0; pair < WORDS * WORDS; pair++) {
            compare_with_model(search, pair / WORDS, pair % WORDS, false);
            compare_with_model(search, pair / WORDS, pair % WORDS, true);
        }
    }
    search_close(search);
}
END_TEST

START_TEST(postings_of_any_size_keep_their_order)
{
    enum { COUNT = 20 * POSTINGS_RUN_MAX };
    struct postings postings = {0};
    uint64_t found, from = 0;

    for (uint64_t i = 0; i < COUNT; i++)
        ck_assert(postings_add(&postings, i * 7919 % COUNT));
    ck_assert(!postings_add(&postings, 5));
    ck_assert_uint_eq(postings.count, COUNT);
    for (uint64_t i = 0; i < COUNT; i += 2)
        ck_assert(postings_remove(&postings, i));
    ck_assert(!postings_remove(&postings, 4));
    for (uint64_t i = 1; i < COUNT; i += 2) {
        ck_assert(postings_seek(&postings, &found, from));
        ck_assert_uint_eq(found, i);
        from = found + 1;
    }
    ck_assert(!postings_seek(&postings, &found, from));
    for (uint64_t i = 1; i < COUNT; i += 2)
        ck_assert(postings_remove(&postings, i));
    ck_assert_uint_eq(postings.count, 0);
    ck_assert(!postings_seek(&postings, &found, 0));
    postings_wipe(&postings);
}
END_TEST

SUITE_MAIN("search", every_word_must_be_in_the_name_and_numbers_rise,
           pages_follow_each_other_by_the_last_number,
           the_last_word_may_be_the_beginning_of_one,
           D113_queries_that_are_no_words_are_refused_or_find_nothing,
           a_query_of_the_greatest_length_is_taken_and_no_longer,
           a_new_name_replaces_the_old_one,
           undo_brings_back_the_names_since_the_mark,
           words_beyond_the_limit_of_a_name_are_left_out,
           after_any_changes_it_finds_what_a_plain_search_finds,
           postings_of_any_size_keep_their_order)
