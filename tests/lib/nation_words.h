/*
 * nation_words.h: words that fixtures are made of.
 */
#ifndef DEFTER_TESTS_LIB_NATION_WORDS_H
#define DEFTER_TESTS_LIB_NATION_WORDS_H

#include <stdint.h>

/* A list of texts, ended by NULL; common ones first. */
extern const char *const nation_words_men[];
extern const char *const nation_words_women[];
extern const char *const nation_words_roots[]; /* Of surnames. */
extern const char *const nation_words_companies[];
extern const char *const nation_words_trades[];
extern const char *const nation_words_streets[];
extern const char *const nation_words_bodies[];
extern const char *const nation_words_supports[];

struct nation_words_place {
    const char *name;
    const char *postal;
};
extern const struct nation_words_place nation_words_baku[];
extern const struct nation_words_place nation_words_places[];

struct nation_words_activity {
    const char *code;
    const char *text;
};
extern const struct nation_words_activity nation_words_activities[];

uint32_t nation_words_count(const char *const *list);

#endif
