#include "tests/lib/nation.h"

#include <string.h>

#include "protocol/voen.h"
#include "tests/lib/nation_words.h"

enum {
    BAKU_FIRST = 10, /* Territory codes taken for Baku. */
    BAKU_CODES = 11,
    TERRITORIES = 99,
    SERIALS = 500000, /* Pairs of six digits: one of a pair always fits. */
    FIN_BASE = 34
};
#define FIN_COUNT UINT64_C(52523350144) /* 34^7 */

static const char *pick(struct random *random, const char *const *list)
{
    return list[random_skewed(random, nation_words_count(list))];
}

/* Different for different (which of a place's, number): n runs over codes
 * first, then over serials, which are stepped through out of order. */
static uint64_t voen_of(struct nation_subject *subject, uint64_t seed)
{
    bool baku = random_chance(&subject->random, 491);
    uint32_t codes = baku ? BAKU_CODES : TERRITORIES - BAKU_CODES;
    uint64_t n = subject->number;
    uint32_t code = (uint32_t)(n % codes) + 1;
    uint32_t place =
        (uint32_t)((n / codes * 314159 + seed % SERIALS) % SERIALS);
    uint32_t serial, digit;

    if (baku)
        code += BAKU_FIRST - 1;
    else if (code >= BAKU_FIRST)
        code += BAKU_CODES;
    subject->territory = code;
    serial = code * 1000000 + 2 * place;
    digit = voen_digit(serial);
    if (digit == VOEN_NO_DIGIT)
        digit = voen_digit(++serial);
    return (uint64_t)serial * 100 + digit * 10 + (subject->legal ? 1 : 2);
}

/* Seven of 34 signs: one number stepped through all of them. */
static void fin_of(char out[FIN_DIGITS + 1], uint64_t person)
{
    static const char signs[FIN_BASE + 1] =
        "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    uint64_t rest =
        (person * UINT64_C(20000000037) + UINT64_C(7777777777)) % FIN_COUNT;

    for (size_t i = FIN_DIGITS; i > 0; i--) {
        out[i - 1] = signs[rest % FIN_BASE];
        rest /= FIN_BASE;
    }
    out[FIN_DIGITS] = '\0';
}

/* The last vowel of a word gives its suffixes theirs. */
static const char *harmony(const char *word)
{
    static const struct {
        const char *vowel, *suffix;
    } vowels[] = {{"a", "lı"}, {"ı", "lı"}, {"ə", "li"},
                  {"e", "li"}, {"i", "li"}, {"o", "lu"},
                  {"u", "lu"}, {"ö", "lü"}, {"ü", "lü"}};
    const char *suffix = "lı", *last = word;

    for (size_t i = 0; i < sizeof vowels / sizeof vowels[0]; i++) {
        for (const char *at = strstr(word, vowels[i].vowel); at != NULL;
             at = strstr(at + 1, vowels[i].vowel)) {
            if (at >= last) {
                last = at;
                suffix = vowels[i].suffix;
            }
        }
    }
    return suffix;
}

static bool ends_in_vowel(const char *word)
{
    static const char *const vowels[] = {"a", "ı", "ə", "e", "i",
                                         "o", "u", "ö", "ü"};
    size_t size = strlen(word);

    for (size_t i = 0; i < sizeof vowels / sizeof vowels[0]; i++) {
        size_t tail = strlen(vowels[i]);
        if (size >= tail && strcmp(word + size - tail, vowels[i]) == 0)
            return true;
    }
    return false;
}

static void surname_of(char *out, size_t size, struct random *random,
                       bool woman)
{
    const char *root = pick(random, nation_words_roots);
    uint32_t style = random_below(random, 100);
    const char *suffix = ends_in_vowel(root) ? "yev" : "ov";

    if (style < 12)
        snprintf(out, size, "%szadə", root);
    else if (style < 26)
        snprintf(out, size, "%s%s", root, harmony(root));
    else
        snprintf(out, size, "%s%s%s", root, suffix, woman ? "a" : "");
}

void nation_person(struct nation_person *out, struct nation_subject *subject,
                   uint32_t which)
{
    struct random *random = &subject->random;

    out->woman = random_chance(random, 240);
    surname_of(out->surname, sizeof out->surname, random, out->woman);
    snprintf(out->given, sizeof out->given, "%s",
             pick(random, out->woman ? nation_words_women : nation_words_men));
    snprintf(out->patronymic, sizeof out->patronymic, "%s %s",
             pick(random, nation_words_men), out->woman ? "qızı" : "oğlu");
    fin_of(out->fin, subject->number * NATION_PEOPLE_EACH + which);
}

static void address_of(struct nation_subject *subject)
{
    struct random *random = &subject->random;
    const struct nation_words_place *place;
    uint32_t count = 0;
    int used;

    if (subject->territory >= BAKU_FIRST &&
        subject->territory < BAKU_FIRST + BAKU_CODES) {
        place = &nation_words_baku[subject->territory - BAKU_FIRST];
    } else {
        while (nation_words_places[count].name != NULL)
            count++;
        place = &nation_words_places[subject->territory % count];
    }
    used = snprintf(subject->address, sizeof subject->address, "%s, %s %d",
                    place->name, pick(random, nation_words_streets),
                    random_between(random, 1, 180));
    if (random_chance(random, 600))
        snprintf(subject->address + used,
                 sizeof subject->address - (size_t)used, ", mənzil %d",
                 random_between(random, 1, 240));
}

static void company_of(struct nation_subject *subject)
{
    struct random *random = &subject->random;
    const char *form = random_chance(random, 940) ? "MMC" : "QSC";

    snprintf(subject->company, sizeof subject->company, "“%s-%s %llu” %s",
             pick(random, nation_words_companies),
             pick(random, nation_words_trades),
             (unsigned long long)(subject->number % 1000), form);
}

static void contacts_of(struct nation_subject *subject)
{
    static const char *const prefixes[] = {"50", "51", "55", "70", "77", "99"};
    struct random *random = &subject->random;

    snprintf(subject->phone, sizeof subject->phone, "+994%s%07u",
             prefixes[random_below(random, 6)],
             random_between(random, 2000000, 9999999));
    snprintf(subject->email, sizeof subject->email, "s%07llu@%s.az",
             (unsigned long long)subject->number,
             random_chance(random, 500) ? "poct" : "biznes");
}

void nation_subject(struct nation_subject *out, uint64_t seed, uint64_t number)
{
    uint32_t size;

    *out = (struct nation_subject){.number = number};
    out->random = random_stream(seed, number);
    size = random_below(&out->random, 1000);
    out->class = size < 971   ? NATION_MICRO
                 : size < 992 ? NATION_SMALL
                              : NATION_MEDIUM;
    out->legal =
        random_chance(&out->random, out->class == NATION_MICRO ? 107 : 900);
    out->voen = voen_of(out, seed);
    nation_person(&out->person, out, 0);
    if (out->legal)
        company_of(out);
    address_of(out);
    contacts_of(out);
    out->registered =
        NATION_TODAY - 400 - (int32_t)random_skewed(&out->random, 8000);
}
