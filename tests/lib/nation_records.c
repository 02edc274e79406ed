#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/dates.h"
#include "server/store/fold.h"
#include "tests/lib/nation.h"
#include "tests/lib/nation_words.h"

enum { YEAR = 2024, PER_CENT = 100 };

/* Elements a hundred subjects of each class have of a section (the table of
 * cardinalities): micro, small, medium. */
enum topic { LICENCES, INSPECTIONS, SUPPORTS, EVALUATIONS, SERVICES, TOPICS };
static const struct {
    int section;
    uint16_t per_hundred[3];
    const char *name;
} lists[TOPICS] = {{7, {2, 50, 300}, "licences"},
                   {9, {10, 100, 400}, "inspections"},
                   {10, {10, 60, 200}, "supports"},
                   {11, {5, 40, 150}, "evaluations"},
                   {13, {60, 300, 1000}, "services"}};

void nation_date(FILE *out, const char *name, int32_t day)
{
    uint8_t text[DATES_DATE_SIZE];

    dates_format(text, day);
    fprintf(out, ",\"%s\":\"%.*s\"", name, DATES_DATE_SIZE, (char *)text);
}

void nation_money(FILE *out, const char *name, int64_t qepik)
{
    fprintf(out, ",\"%s\":\"%" PRId64 ".%02d\"", name, qepik / 100,
            (int)(qepik % 100));
}

static void begin(struct nation_writer *writer,
                  const struct nation_subject *subject, int section)
{
    fprintf(writer->out,
            "{\"subject\":\"%010" PRIu64 "\",\"section\":\"S%02d\"",
            subject->voen, section);
    nation_date(writer->out, "as_of", NATION_TODAY);
    fprintf(writer->out, ",\"provider_record\":\"%" PRIu64 "/%d\",\"record\":{",
            subject->number, section);
    writer->lines++;
}

static void end(struct nation_writer *writer)
{
    fputs("}}\n", writer->out);
}

/* As it is, and as keys for searching would have it. */
static void name_line(struct nation_writer *writer, const char *text)
{
    uint8_t folded[2 * NATION_TEXT_SIZE];
    struct slice slice = slice_of(text, strlen(text));

    if (writer->names == NULL || slice.size == 0)
        return;
    REQUIRE(slice.size <= NATION_TEXT_SIZE);
    fprintf(writer->names, "%s\n", text);
    for (enum fold_key key = FOLD_CASE; key <= FOLD_PLAIN; key++) {
        size_t size = fold_text(folded, slice, key);
        fprintf(writer->names, "%.*s\n", (int)size, (char *)folded);
    }
}

static void note_person(struct nation_writer *writer,
                        const struct nation_person *person)
{
    name_line(writer, person->surname);
    name_line(writer, person->given);
    name_line(writer, person->patronymic);
    name_line(writer, person->fin);
}

static void put_person(FILE *out, const struct nation_person *person)
{
    fprintf(out,
            "\"surname\":\"%s\",\"given\":\"%s\",\"patronymic\":\"%s\","
            "\"fin\":\"%s\"",
            person->surname, person->given, person->patronymic, person->fin);
}

static void put_names(struct nation_writer *writer,
                      struct nation_subject *subject)
{
    uint32_t count = subject->class == NATION_MICRO ? 1 : 2;
    struct nation_person person = subject->person;
    FILE *out = writer->out;

    begin(writer, subject, 1);
    if (!subject->legal) {
        fputs("\"kind\":\"individual\",", out);
        put_person(out, &person);
        note_person(writer, &person);
        end(writer);
        return;
    }
    fprintf(out, "\"kind\":\"legal\",\"full_name\":\"%s\"", subject->company);
    fputs(",\"representatives\":[", out);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            nation_person(&person, subject, i);
        fputs(i > 0 ? ",{" : "{", out);
        put_person(out, &person);
        fprintf(out, ",\"post\":\"%s\"", i == 0 ? "direktor" : "müavin");
        nation_date(out, "from", subject->registered + (int32_t)i * 30);
        fputc('}', out);
        note_person(writer, &person);
    }
    fputc(']', out);
    name_line(writer, subject->company);
    end(writer);
}

/* A bad one has an address of the other kind of subject. */
static void put_addresses(struct nation_writer *writer,
                          struct nation_subject *subject, bool bad)
{
    begin(writer, subject, 2);
    fprintf(writer->out,
            "\"addresses\":[{\"kind\":\"%s\",\"region\":%u,\"text\":\"%s\"",
            subject->legal != bad ? "legal" : "residence", subject->territory,
            subject->address);
    nation_date(writer->out, "from", subject->registered);
    fputs("}]", writer->out);
    name_line(writer, subject->address);
    end(writer);
}

static void put_number(struct nation_writer *writer,
                       const struct nation_subject *subject)
{
    begin(writer, subject, 3);
    fprintf(writer->out, "\"number\":\"%010" PRIu64 "\",\"state\":\"active\"",
            subject->voen);
    nation_date(writer->out, "issued", subject->registered);
    end(writer);
}

/* A bad one has a certificate older than the registration. */
static void put_registration(struct nation_writer *writer,
                             struct nation_subject *subject, bool bad)
{
    FILE *out = writer->out;

    begin(writer, subject, 4);
    fprintf(out, "\"kind\":\"%s\"", subject->legal ? "legal" : "individual");
    if (subject->legal)
        fprintf(out,
                ",\"register_number\":\"R-%07" PRIu64
                "\",\"legal_form\":%d,\"ownership\":%d",
                subject->number, random_between(&subject->random, 10, 30),
                random_between(&subject->random, 1, 5));
    fprintf(out, ",\"certificate\":\"Ş-%07" PRIu64 "\"", subject->number);
    nation_date(out, "issued", subject->registered + (bad ? -30 : 3));
    nation_date(out, "registered", subject->registered);
    end(writer);
}

static void put_contacts(struct nation_writer *writer,
                         const struct nation_subject *subject)
{
    begin(writer, subject, 5);
    fprintf(writer->out,
            "\"contacts\":[{\"kind\":\"mobile\",\"value\":\"%s\","
            "\"source\":\"provider\",\"primary\":true},"
            "{\"kind\":\"email\",\"value\":\"%s\",\"source\":\"provider\"}]",
            subject->phone, subject->email);
    name_line(writer, subject->phone);
    name_line(writer, subject->email);
    end(writer);
}

/* Five in a thousand name another class than their figures give. */
static void put_class(struct nation_writer *writer,
                      struct nation_subject *subject)
{
    static const char *const names[] = {"micro", "small", "medium", "large"};
    static const int32_t employees[] = {0, 10, 50, 250};
    static const int64_t income[] = {0, 200000, 3000000, 30000000};
    struct random *random = &subject->random;
    uint32_t class = subject->class;
    uint32_t shown = random_chance(random, 5) ? class + 1 : class;
    int64_t span = income[class] - income[class - 1];

    begin(writer, subject, 6);
    fprintf(writer->out, "\"class\":\"%s\",\"year\":%d,\"employees\":%d",
            names[shown - 1], YEAR,
            random_between(random, employees[class - 1] + 1, employees[class]));
    nation_money(
        writer->out, "income",
        (income[class - 1] + span * random_skewed(random, 1000) / 1000) *
            PER_CENT);
    fputs(",\"determined_by\":\"employees\",\"body\":\"Dövlət Vergi Xidməti\"",
          writer->out);
    nation_date(writer->out, "determined", NATION_TODAY - 60);
    end(writer);
}

static void put_activity(struct nation_writer *writer,
                         struct nation_subject *subject)
{
    const struct nation_words_activity *all = nation_words_activities;
    uint32_t count = 0, more = subject->class - 1;
    uint32_t main_code;

    while (all[count].code != NULL)
        count++;
    main_code = random_skewed(&subject->random, count);
    begin(writer, subject, 8);
    fprintf(writer->out, "\"main_code\":\"%s\",\"text\":\"%s\",\"codes\":[",
            all[main_code].code, all[main_code].text);
    for (uint32_t i = 0; i < more; i++)
        fprintf(writer->out, "%s{\"code\":\"%s\"}", i > 0 ? "," : "",
                all[(main_code + i + 1) % count].code);
    fputc(']', writer->out);
    nation_date(writer->out, "from", subject->registered);
    end(writer);
}

static void put_element(struct nation_writer *writer,
                        struct nation_subject *subject, enum topic topic)
{
    switch (topic) {
    case LICENCES:
        nation_licence(writer->out, subject);
        break;
    case INSPECTIONS:
        nation_inspection(writer->out, subject);
        break;
    case SUPPORTS:
        nation_support(writer->out, subject);
        break;
    case EVALUATIONS:
        nation_evaluation(writer->out, subject, writer->provider);
        break;
    case SERVICES:
        nation_service(writer->out, subject);
        break;
    case TOPICS:
        abort();
    }
}

static void put_list(struct nation_writer *writer,
                     struct nation_subject *subject, enum topic topic)
{
    uint32_t mean = lists[topic].per_hundred[subject->class - 1];
    uint32_t count = mean / PER_CENT;

    count += random_below(&subject->random, PER_CENT) < mean % PER_CENT;
    if (count == 0)
        return;
    begin(writer, subject, lists[topic].section);
    fprintf(writer->out, "\"%s\":[", lists[topic].name);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', writer->out);
        put_element(writer, subject, topic);
    }
    fputc(']', writer->out);
    end(writer);
}

void nation_records(struct nation_writer *writer,
                    struct nation_subject *subject)
{
    struct nation_subject other = *subject;
    struct random *random = &subject->random;

    put_names(writer, subject);
    put_addresses(writer, subject, random_chance(random, writer->bad));
    put_number(writer, subject);
    put_registration(writer, subject, random_chance(random, writer->bad));
    put_contacts(writer, subject);
    put_class(writer, subject);
    put_activity(writer, subject);
    for (enum topic topic = LICENCES; topic < TOPICS; topic++)
        put_list(writer, subject, topic);
    if (random_chance(random, 3)) {
        begin(writer, subject, 12);
        fputs("\"values\":[", writer->out);
        nation_other(writer->out, subject);
        fputc(']', writer->out);
        end(writer);
    }
    if (random_chance(random, writer->bad)) {
        /* One digit aside: a number that no territory gave out. */
        other.voen =
            other.voen / 10 % 10 == 9 ? other.voen - 10 : other.voen + 10;
        put_number(writer, &other);
    }
}
