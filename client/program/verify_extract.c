/*
 * verify_extract.c: whether an extract is true, offline; and where it is asked
 * for, whether it still holds.
 */
#include <cJSON.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/program/cluster.h"
#include "client/program/extract.h"
#include "client/program/verify_kinds.h"
#include "protocol/catalogue.h"
#include "protocol/extract_show.h"

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

struct wishes {
    const char *path;
    bool online;
    struct extract_trusted trusted;
};

/* What asking the registry gave. */
struct online {
    bool asked;
    int code; /* Of the answer. */
    uint16_t superseded;
};

/* ---- What is to be judged ------------------------------------------------ */

/* As getopt, flags may be cut short; what nobody knows is refused later. */
static bool takes_value(const char *word)
{
    static const char *const flags[] = {"--online", "--json", "--progress",
                                        "--tree-only", "--no-signatures"};

    if (strchr(word, '=') != NULL)
        return false;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strncmp(flags[i], word, strlen(word)) == 0)
            return false;
    }
    return true;
}

/* By its name, or by what is in it: one that was damaged is told to be so. */
static bool is_extract(const char *path)
{
    static const char suffix[] = ".extract";
    size_t size = strlen(path), suffix_size = sizeof suffix - 1;
    struct stat about;
    uint8_t *bytes;
    FILE *file;
    bool is = false;

    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return false;
    if (size > suffix_size && strcmp(path + size - suffix_size, suffix) == 0)
        return true;
    bytes = malloc(EXTRACT_FILE_SIZE_MAX);
    file = fopen(path, "rbe");
    if (bytes != NULL && file != NULL)
        is = extract_file_is(
            slice_of(bytes, fread(bytes, 1, EXTRACT_FILE_SIZE_MAX, file)));
    if (file != NULL)
        (void)fclose(file);
    free(bytes);
    return is;
}

bool verify_extract_wants(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            i += takes_value(argv[i]);
        else if (is_extract(argv[i]))
            return true;
    }
    return false;
}

static bool parse(struct wishes *wishes, struct program *program, int argc,
                  char **argv)
{
    static const struct option names[] = {
        {"policy", required_argument, NULL, 'p'},
        {"authority", required_argument, NULL, 'a'},
        {"cluster", required_argument, NULL, 'c'},
        {"online", no_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0; /* Scanned once before, up to the subcommand. */
    while (good && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'p')
            wishes->trusted.policy_path = optarg;
        else if (option == 'a')
            good = extract_trust_key(&wishes->trusted, optarg);
        else if (option == 'c')
            program->cluster = optarg;
        else if (option == 'o')
            wishes->online = true;
        else if (option == 'j')
            program->json = true;
        else
            good = false;
    }
    if (!good || optind != argc - 1)
        return false;
    wishes->path = argv[optind];
    return true;
}

/* Whoever holds an extract may ask; he logs in as whatever he is. */
static int ask(struct online *online, const struct program *program,
               const struct extract_load *load)
{
    struct defter *client = NULL;
    struct defter_answer answer;
    uint8_t seed[SEED_SIZE];
    int status, code = EXIT_GOOD;

    if (program->signer != NULL)
        code = cluster_seed(seed, program->signer);
    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program, 0);
    if (code == EXIT_GOOD) {
        status = defter_extract_check(client, load->bytes, load->size,
                                      program->signer == NULL ? NULL : seed,
                                      &answer, &online->superseded);
        online->asked = status == 0;
        online->code = answer.code;
        if (status != 0)
            code =
                program_fail(EXIT_INCOMPLETE, "%s: %s",
                             defter_status_name(status), defter_reason(client));
    }
    defter_close(client);
    sodium_memzero(seed, sizeof seed);
    return code;
}

/* ---- Saying it ---------------------------------------------------------- */

static void print_sections(uint16_t sections)
{
    for (uint8_t i = 1; i <= SECTIONS_COUNT; i++) {
        if ((sections & 1u << (i - 1)) != 0)
            printf(" %s", section_info(i)->name);
    }
}

static void print_online(const struct program *program,
                         const struct online *online)
{
    bool az = program->azerbaijani;

    if (!online->asked)
        return;
    if (online->code != ST_OK) {
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
                       const struct online *online)
{
    struct extract_shown shown = {.file = &load->file,
                                  .report = report,
                                  .azerbaijani = program->azerbaijani};
    uint8_t bytes[1024];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    extract_show_title(&writer, &shown);
    printf("%.*s\n", (int)writer.used, (const char *)bytes);
    writer_init(&writer, bytes, sizeof bytes);
    extract_show_origin(&writer, &shown);
    printf("%.*s\n", (int)writer.used, (const char *)bytes);
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
    printf("%.*s\n", (int)writer.used, (const char *)bytes);
    print_online(program, online);
}

static cJSON *json_of(enum extract_finding finding, size_t line)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "verdict",
                            verdicts[extract_judge_verdict(finding)][0]);
    cJSON_AddStringToObject(object, "found", extract_judge_text(finding));
    if (line != 0)
        cJSON_AddNumberToObject(object, "line", (double)line);
    return object;
}

/* Takes ${object}. */
static void put_json(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);

    puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
}

static void print_json(const struct extract_load *load,
                       const struct extract_report *report,
                       const struct online *online)
{
    cJSON *object = json_of(report->finding, report->line);
    cJSON *list;

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
    if (online->asked && online->code == ST_OK) {
        list = cJSON_AddArrayToObject(object, "superseded");
        for (uint8_t i = 1; i <= SECTIONS_COUNT; i++) {
            if ((online->superseded & 1u << (i - 1)) != 0)
                cJSON_AddItemToArray(list,
                                     cJSON_CreateString(section_info(i)->name));
        }
    }
    put_json(object);
}

/* Nothing in it is worth a word beside that. */
static void print_unread(const struct program *program,
                         const struct extract_load *load)
{
    if (program->json)
        put_json(json_of(EXTRACT_FOUND_FORM, load->line));
    else
        print_finding(program, EXTRACT_FOUND_FORM, load->line);
}

/* One that was superseded was true, and is not what holds: incomplete. */
static int code_of(const struct extract_report *report,
                   const struct online *online)
{
    int code = (int)extract_judge_verdict(report->finding);

    if (code == EXIT_GOOD && online->asked && online->code != ST_OK)
        code = EXIT_REFUSED;
    if (code == EXIT_GOOD && online->superseded != 0)
        code = EXIT_INCOMPLETE;
    return code;
}

static int judge(struct program *program, const struct wishes *wishes)
{
    struct extract_load load;
    struct extract_report report;
    struct online online = {.asked = false};
    int code = extract_load(&load, wishes->path);

    if (code == EXIT_REFUSED)
        print_unread(program, &load);
    if (code == EXIT_GOOD) {
        extract_judge(&report, &load.file, &wishes->trusted.trust);
        /* A forgery is nothing to ask about. */
        if (wishes->online &&
            extract_judge_verdict(report.finding) != EXTRACT_TAMPERED)
            code = ask(&online, program, &load);
    }
    if (code == EXIT_GOOD) {
        if (program->json)
            print_json(&load, &report, &online);
        else
            print_text(program, &load, &report, &online);
        code = code_of(&report, &online);
    }
    extract_load_wipe(&load);
    return code;
}

int verify_extract_run(struct program *program, int argc, char **argv)
{
    static struct wishes wishes;
    int code = EXIT_GOOD;

    if (!parse(&wishes, program, argc, argv))
        return program_usage("verify");
    code = extract_trust_take(&wishes.trusted, program);
    if (code == EXIT_GOOD)
        code = judge(program, &wishes);
    extract_trust_wipe(&wishes.trusted);
    return code;
}
