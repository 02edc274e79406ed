#include "tests/lib/nation.h"
#include "tests/lib/nation_words.h"

enum { GIVEN_MAX = 3000 /* Days back. */ };

static int32_t day_back(struct nation_subject *subject, int32_t most)
{
    int32_t since = NATION_TODAY - subject->registered;

    return NATION_TODAY -
           random_between(&subject->random, 1, most < since ? most : since);
}

static const char *body(struct nation_subject *subject)
{
    return nation_words_bodies[random_skewed(
        &subject->random, nation_words_count(nation_words_bodies))];
}

void nation_licence(FILE *out, struct nation_subject *subject)
{
    int32_t issued = day_back(subject, 1500);

    fprintf(out,
            "{\"number\":\"L-%06u\",\"kind\":\"%s\",\"activity\":\"%s\","
            "\"authority\":\"%s\",\"state\":\"valid\",\"object_address\":"
            "\"%s\"",
            random_below(&subject->random, 1000000),
            random_chance(&subject->random, 600) ? "licence" : "permit",
            "Əczaçılıq fəaliyyəti", "İqtisadiyyat Nazirliyi", subject->address);
    nation_date(out, "issued", issued);
    if (random_chance(&subject->random, 300))
        nation_date(out, "valid_to", issued + 1825);
    fputc('}', out);
}

void nation_inspection(FILE *out, struct nation_subject *subject)
{
    int32_t from = day_back(subject, 1800);
    bool violated = random_chance(&subject->random, 280);

    fprintf(out,
            "{\"body\":\"%s\",\"act_number\":\"A-%06u\",\"kind\":\"%s\","
            "\"law\":\"inspection law\",\"ground\":\"illik plan\","
            "\"outcome\":\"%s\",\"outcome_text\":\"%s\"",
            body(subject), random_below(&subject->random, 1000000),
            random_chance(&subject->random, 700) ? "planned" : "unplanned",
            violated ? "violations" : "no violation",
            violated ? "Sanitariya qaydalarının tələbləri qismən pozulub"
                     : "Pozuntu aşkar edilməyib");
    nation_date(out, "from", from);
    nation_date(out, "to", from + random_between(&subject->random, 1, 10));
    if (violated && random_chance(&subject->random, 400)) {
        fputs(",\"measure\":\"cərimə\"", out);
        nation_date(out, "measure_from", from + 12);
        nation_money(out, "measure_amount",
                     random_between(&subject->random, 100, 5000) * 100);
    } else {
        fputs(",\"measure_amount\":\"none\"", out);
    }
    fputc('}', out);
}

void nation_support(FILE *out, struct nation_subject *subject)
{
    static const char *const kinds[] = {"financial", "consulting", "training",
                                        "information"};
    static const char *const forms[] = {"grant", "service", "service", "other"};
    uint32_t kind = random_below(&subject->random, 4);
    bool money = kind == 0;

    fprintf(out,
            "{\"giver_kind\":\"%s\",\"giver\":\"%s\",\"kind\":\"%s\","
            "\"form\":\"%s\",\"content\":\"%s\",\"decision\":\"Q-%05u\","
            "\"state\":\"given\"",
            random_chance(&subject->random, 700) ? "state body"
                                                 : "support institution",
            "Kiçik və Orta Biznesin İnkişafı Agentliyi", kinds[kind],
            forms[kind],
            nation_words_supports[random_skewed(
                &subject->random, nation_words_count(nation_words_supports))],
            random_below(&subject->random, 100000));
    if (money)
        nation_money(out, "amount",
                     random_between(&subject->random, 5, 200) * 10000);
    else
        fputs(",\"amount\":\"none\"", out);
    nation_date(out, "given", day_back(subject, GIVEN_MAX));
    fputc('}', out);
}

void nation_evaluation(FILE *out, struct nation_subject *subject,
                       const char *provider)
{
    int32_t to = day_back(subject, 900);

    fprintf(out,
            "{\"evaluator\":\"%s\",\"kind\":\"state evaluation\","
            "\"method\":\"Vergi intizamının qiymətləndirilməsi\","
            "\"grade\":\"%d/100\",\"text\":\"%s\"",
            provider, random_between(&subject->random, 41, 99),
            "Öhdəliklər vaxtında yerinə yetirilib");
    nation_date(out, "from", to - 365);
    nation_date(out, "to", to);
    nation_date(out, "made", to);
    fputc('}', out);
}

void nation_other(FILE *out, struct nation_subject *subject)
{
    fprintf(out,
            "{\"type\":1,\"value\":\"riskli vergi ödəyicisi\","
            "\"decision\":\"V-%05u\",\"authority\":\"Dövlət Vergi Xidməti\","
            "\"legal_basis\":\"Vergi Məcəlləsi, 30.2.9\","
            "\"openness\":\"open\"",
            random_below(&subject->random, 100000));
    nation_date(out, "from", day_back(subject, 700));
    fputc('}', out);
}

void nation_service(FILE *out, struct nation_subject *subject)
{
    static const char *const channels[] = {"house", "portal", "EHIS", "mobile"};

    fprintf(out,
            "{\"catalogue\":%d,\"giver\":\"%s\",\"channel\":\"%s\","
            "\"outcome\":\"xidmət göstərilib\"",
            random_between(&subject->random, 1, 800), body(subject),
            channels[random_below(&subject->random, 4)]);
    nation_date(out, "used", day_back(subject, 1200));
    fputc('}', out);
}
