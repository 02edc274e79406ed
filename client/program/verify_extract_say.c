/*
 * verify_extract_say.c: the verdict on an extract, in words and in JSON.
 */
#include <cJSON.h>
#include <stdio.h>

#include "client/program/say.h"
#include "client/program/verify_extract.h"
#include "protocol/catalogue.h"
#include "protocol/extract_show.h"

#define SAID_ENUM(name, code, text) SAID_##name,
enum said { VERIFY_EXTRACT_SAID(SAID_ENUM) SAID_COUNT };
#undef SAID_ENUM
#define SAID_ROW(name, code, text) {EXIT_##code, text},
static const struct {
    int code;
    const char *name;
} saids[SAID_COUNT] = {VERIFY_EXTRACT_SAID(SAID_ROW)};
#undef SAID_ROW

static_assert((int)EXTRACT_TRUE == (int)EXIT_GOOD &&
                  (int)EXTRACT_TAMPERED == (int)EXIT_REFUSED &&
                  (int)EXTRACT_INCOMPLETE == (int)EXIT_INCOMPLETE,
              "verdicts are exit codes");

/* In English, as JSON has them too, and in Azerbaijani. */
static const char *const verdicts[][2] = {
    {"true", "doğrudur"},
    {"tampered", "dəyişdirilib"},
    {"incomplete", "tam deyil"},
};

/* What the file shows, before what the registry says: one that was superseded,
 * or whose contents were destroyed, was true and is not what holds. */
static enum said said_of(const struct extract_report *report,
                         const struct verify_extract_online *online)
{
    enum extract_verdict verdict = extract_judge_verdict(report->finding);

    if (verdict == EXTRACT_TAMPERED)
        return SAID_TAMPERED;
    if (verdict == EXTRACT_INCOMPLETE)
        return SAID_INCOMPLETE;
    if (!online->is_wished)
        return SAID_TRUE;
    if (!online->was_asked)
        return SAID_INCOMPLETE;
    if (online->code == ST_ERASED)
        return SAID_ERASED;
    if (online->code != ST_OK)
        return SAID_UNKNOWN;
    return online->superseded == 0 ? SAID_TRUE : SAID_SUPERSEDED;
}

static void print_sections(uint16_t sections)
{
    for (uint8_t i = 1; i <= SECTIONS_COUNT; i++) {
        if ((sections & 1u << (i - 1)) != 0)
            printf(" %s", section_info(i)->name);
    }
}

static void print_online(const struct program *program,
                         const struct verify_extract_online *online)
{
    bool az = program->azerbaijani;

    if (!online->was_asked) {
        if (online->is_wished)
            printf("%s: %s\n",
                   az ? "reyestrdən soruşulmayıb" : "not asked online",
                   online->why);
    } else if (online->code == ST_ERASED) {
        puts(az ? "sonradan məhv edilib: o vaxt belə verilib, reyestr məzmunu "
                  "aktla məhv edib"
                : "destroyed since: it was issued so then, and the registry "
                  "has destroyed the contents by an act");
    } else if (online->code != ST_OK) {
        printf("%s: %s\n",
               az ? "reyestr belə çıxarış tanımır"
                  : "the registry knows no such extract",
               defter_status_name(online->code));
    } else if (online->superseded == 0) {
        puts(az ? "indi də qüvvədədir: heç bir bölmə dəyişməyib"
                : "it still holds: no section has changed since");
    } else {
        fputs(az ? "o vaxt belə verilib; sonra dəyişən bölmələr:"
                 : "issued so then; superseded since in:",
              stdout);
        print_sections(online->superseded);
        putchar('\n');
    }
}

/* The verdict, the line if it is of one, and what was found. */
static void print_finding(const struct program *program,
                          enum extract_finding finding, size_t line)
{
    bool az = program->azerbaijani;

    fputs(verdicts[extract_judge_verdict(finding)][az], stdout);
    if (line != 0)
        printf("%s %zu", az ? ", sətir" : ", line", line);
    printf(": %s\n",
           az ? extract_judge_text_az(finding) : extract_judge_text(finding));
}

static void print_text(const struct program *program,
                       const struct extract_load *load,
                       const struct extract_report *report,
                       const struct verify_extract_online *online)
{
    struct extract_shown shown = {.file = &load->file,
                                  .report = report,
                                  .azerbaijani = program->azerbaijani};
    uint8_t bytes[1024];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    extract_show_title(&writer, &shown);
    say_text(stdout, slice_of(bytes, writer.used), true);
    putchar('\n');
    writer_init(&writer, bytes, sizeof bytes);
    extract_show_origin(&writer, &shown);
    say_text(stdout, slice_of(bytes, writer.used), true);
    putchar('\n');
    print_finding(program, report->finding, report->line);
    if (report->finding == EXTRACT_FOUND_CERTIFICATE ||
        (report->finding == EXTRACT_FOUND_ATTESTER &&
         report->cert_fault != NODECERT_GOOD))
        printf("  %s\n", nodecert_fault_text(report->cert_fault));
    if (report->checkpoint.size > 0)
        printf("%s %llu\n",
               program->azerbaijani ? "nəzarət nöqtəsi, yazıların sayı:"
                                    : "checkpoint of a log of entries:",
               (unsigned long long)report->checkpoint.size);
    if (report->attested_at > 0)
        printf("%s %llu\n",
               program->azerbaijani ? "təsdiqləmə, yazının sıra nömrəsi:"
                                    : "attested in entry:",
               (unsigned long long)report->attested_at);
    writer_init(&writer, bytes, sizeof bytes);
    extract_show_count(&writer, &shown);
    say_text(stdout, slice_of(bytes, writer.used), true);
    putchar('\n');
    writer_init(&writer, bytes, sizeof bytes);
    extract_show_unchecked(&writer, &shown);
    say_text(stdout, slice_of(bytes, writer.used), true);
    print_online(program, online);
}

static cJSON *json_of(enum said said, enum extract_finding finding, size_t line)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "verdict", saids[said].name);
    cJSON_AddStringToObject(object, "found", extract_judge_text(finding));
    if (line != 0)
        cJSON_AddNumberToObject(object, "line", (double)line);
    return object;
}

static void json_online(cJSON *object, const struct extract_report *report,
                        const struct verify_extract_online *online)
{
    cJSON *list;

    if (!online->is_wished)
        return;
    cJSON_AddStringToObject(
        object, "offline", verdicts[extract_judge_verdict(report->finding)][0]);
    if (!online->was_asked)
        cJSON_AddStringToObject(object, "not_asked", online->why);
    if (!online->was_asked || online->code != ST_OK)
        return;
    list = cJSON_AddArrayToObject(object, "superseded");
    for (uint8_t i = 1; i <= SECTIONS_COUNT; i++) {
        if ((online->superseded & 1u << (i - 1)) != 0)
            cJSON_AddItemToArray(list,
                                 cJSON_CreateString(section_info(i)->name));
    }
}

static void json_unchecked(cJSON *object, uint32_t unchecked)
{
    cJSON *list = cJSON_AddArrayToObject(object, "not_checked");

    for (int i = 0; i < EXTRACT_UNCHECKED_COUNT; i++) {
        if ((unchecked & 1u << i) != 0)
            cJSON_AddItemToArray(list,
                                 cJSON_CreateString(extract_judge_unchecked(
                                     (enum extract_unchecked)i, false)));
    }
}

static void print_json(const struct extract_load *load,
                       const struct extract_report *report,
                       const struct verify_extract_online *online)
{
    cJSON *object =
        json_of(said_of(report, online), report->finding, report->line);

    cJSON_AddNumberToObject(object, "number", (double)load->file.number);
    cJSON_AddNumberToObject(object, "subject", (double)load->file.subject);
    cJSON_AddNumberToObject(object, "index", (double)report->receipt.index);
    cJSON_AddNumberToObject(object, "issued_us",
                            (double)report->receipt.committed_at);
    if (report->attested_at > 0)
        cJSON_AddNumberToObject(object, "attested",
                                (double)report->attested_at);
    cJSON_AddNumberToObject(object, "fields", load->file.commitments_count);
    cJSON_AddNumberToObject(object, "shown", load->file.disclosures_count);
    json_online(object, report, online);
    json_unchecked(object, report->unchecked);
    say_json(object, false);
}

int verify_extract_say(const struct program *program,
                       const struct extract_load *load,
                       struct extract_report *report,
                       const struct verify_extract_online *online)
{
    if (online->was_asked)
        report->unchecked &= ~(1u << EXTRACT_UNCHECKED_NOW);
    if (program->json)
        print_json(load, report, online);
    else
        print_text(program, load, report, online);
    return saids[said_of(report, online)].code;
}

/* Nothing in it is worth a word beside that. */
int verify_extract_say_unread(const struct program *program,
                              const struct extract_load *load)
{
    if (program->json)
        say_json(json_of(SAID_TAMPERED, EXTRACT_FOUND_FORM, load->line), false);
    else
        print_finding(program, EXTRACT_FOUND_FORM, load->line);
    return saids[SAID_TAMPERED].code;
}
