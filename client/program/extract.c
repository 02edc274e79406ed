/*
 * extract.c: `defter extract`: have extracts issued, shown and cut down; have
 * the count of a subject's entries stated.
 */
#include "client/program/extract.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program/cluster.h"
#include "client/program/file.h"
#include "protocol/catalogue.h"
#include "protocol/extract_show.h"
#include "protocol/lines.h"

struct wishes {
    uint64_t subject;
    uint16_t sections;
    struct extract_choice choice;
    const char *out;
    const char *html;
    const char *path;        /* An extract's file. */
    const char *file_number; /* Of a case. */
    uint64_t duty, purpose;
    struct extract_trusted trusted;
};

/* ---- Files -------------------------------------------------------------- */

int extract_load(struct extract_load *load, const char *path)
{
    enum status status = ST_EXHAUSTED;

    memset(load, 0, sizeof *load);
    load->bytes = malloc(EXTRACT_FILE_SIZE_MAX);
    load->commitments = calloc(EXTRACT_FIELDS_MAX, HASH_SIZE);
    if (load->bytes != NULL && load->commitments != NULL)
        status = file_read(load->bytes, &load->size, path,
                           EXTRACT_FILE_SIZE_MAX, false);
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", path,
                            status_info(status)->english);
    status = extract_file_read(&load->file, load->commitments, &load->line,
                               slice_of(load->bytes, load->size));
    return status == ST_OK ? EXIT_GOOD : EXIT_REFUSED;
}

/* The same, and what is no extract is called so. */
static int load_extract(struct extract_load *load, const char *path)
{
    int code = extract_load(load, path);

    if (code == EXIT_REFUSED)
        return program_fail(code,
                            "%s: line %zu is not of an extract: it was "
                            "tampered with, or is none",
                            path, load->line);
    return code;
}

void extract_load_wipe(struct extract_load *load)
{
    if (load->bytes != NULL)
        sodium_memzero(load->bytes, EXTRACT_FILE_SIZE_MAX);
    free(load->bytes);
    free(load->commitments);
    memset(load, 0, sizeof *load);
}

/* Found out before anything is asked of a node. */
static int check_free(const char *path)
{
    return access(path, F_OK) == 0
               ? program_fail(EXIT_USAGE, "%s: is there already", path)
               : EXIT_GOOD;
}

/* ---- Words -------------------------------------------------------------- */

uint16_t extract_sections(const char *text)
{
    uint16_t sections = 0;

    while (*text != '\0') {
        size_t size = strcspn(text, ",+");
        struct slice word = slice_of(text, size);
        uint16_t bit = 0;

        for (uint8_t i = 1; i <= SECTIONS_COUNT; i++) {
            if (lines_equal(word, section_info(i)->name))
                bit = (uint16_t)(1u << (i - 1));
        }
        if (bit == 0)
            return 0;
        sections |= bit;
        text += size;
        text += *text != '\0';
    }
    return sections;
}

/* ---- Subcommands -------------------------------------------------------- */

/* --signer's seed, if there is one. */
static int take_signer(uint8_t seed[SEED_SIZE], const uint8_t **seed_out,
                       const struct program *program)
{
    *seed_out = NULL;
    if (program->signer == NULL)
        return EXIT_GOOD;
    *seed_out = seed;
    return cluster_seed(seed, program->signer);
}

/* An answer that is no yes. */
static int say_refusal(const struct program *program,
                       const struct defter_answer *answer)
{
    const struct status_info *info = status_info((uint32_t)answer->code);

    return program_fail(EXIT_REFUSED, "%s: %s (%d)",
                        defter_status_name(answer->code),
                        info == NULL           ? ""
                        : program->azerbaijani ? info->azerbaijani
                                               : info->english,
                        answer->code);
}

static int save_issued(struct wishes *wishes, const uint8_t *bytes, size_t size)
{
    struct extract_file *file = calloc(1, sizeof *file);
    uint8_t(*commitments)[HASH_SIZE] = calloc(EXTRACT_FIELDS_MAX, HASH_SIZE);
    size_t line;
    int code = EXIT_INCOMPLETE;

    if (file != NULL && commitments != NULL &&
        extract_file_read(file, commitments, &line, slice_of(bytes, size)) ==
            ST_OK)
        code = extract_choose_put(file, &wishes->choice, wishes->out);
    if (code == EXIT_GOOD)
        printf("%llu\t%s%s\n", (unsigned long long)file->number, wishes->out,
               file->proof.size == 0            ? "\t(not tied to the log yet)"
               : file->attested.entry_size == 0 ? "\t(not attested yet)"
                                                : "");
    else if (file == NULL || commitments == NULL)
        (void)program_fail(code, "out of memory");
    free(file);
    free(commitments);
    return code;
}

static int run_issue(struct program *program, struct wishes *wishes)
{
    struct defter *client = NULL;
    struct defter_answer answer;
    uint8_t seed[SEED_SIZE];
    const uint8_t *signer;
    uint8_t *bytes = NULL;
    size_t size = 0;
    int status;
    int code = check_free(wishes->out);

    if (code == EXIT_GOOD)
        code = take_signer(seed, &signer, program);
    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program, ROLE_USER);
    if (code == EXIT_GOOD) {
        status = defter_extract(client, wishes->subject, wishes->sections,
                                signer, &answer, &bytes, &size);
        if (status != 0)
            code =
                program_fail(EXIT_INCOMPLETE, "%s: %s",
                             defter_status_name(status), defter_reason(client));
        else if (answer.code != 0)
            code = say_refusal(program, &answer);
        else
            code = save_issued(wishes, bytes, size);
    }
    defter_extract_free(bytes, size);
    defter_close(client);
    sodium_memzero(seed, sizeof seed);
    return code;
}

/* Judged where something was named to judge it by. */
static int judge_shown(struct extract_report *report, bool *judged_out,
                       struct extract_trusted *trusted,
                       const struct extract_file *file,
                       const struct program *program)
{
    int code;

    *judged_out = extract_trust_is_named(trusted, program);
    if (!*judged_out)
        return EXIT_GOOD;
    code = extract_trust_take(trusted, program);
    if (code == EXIT_GOOD)
        extract_judge(report, file, &trusted->trust);
    return code;
}

static int put_shown(const struct extract_shown *shown, size_t size,
                     const char *html)
{
    size_t room = EXTRACT_SHOW_SIZE(size);
    uint8_t *bytes = malloc(room);
    struct writer writer;
    int code = EXIT_GOOD;

    if (bytes == NULL)
        return program_fail(EXIT_INCOMPLETE, "out of memory");
    writer_init(&writer, bytes, room);
    if (html != NULL)
        extract_show_page(&writer, shown);
    else
        extract_show_lines(&writer, shown);
    ENSURE(writer.status == ST_OK);
    if (html != NULL)
        code = extract_put_file(html, bytes, writer.used);
    else
        (void)fwrite(bytes, 1, writer.used, stdout);
    sodium_memzero(bytes, room);
    free(bytes);
    return code;
}

/* What was tampered with is not shown as if it were something. */
static int run_show(struct program *program, struct wishes *wishes)
{
    struct extract_load load;
    struct extract_report report;
    bool judged = false;
    int code = load_extract(&load, wishes->path);

    if (code == EXIT_GOOD)
        code = judge_shown(&report, &judged, &wishes->trusted, &load.file,
                           program);
    if (code == EXIT_GOOD && judged &&
        extract_judge_verdict(report.finding) == EXTRACT_TAMPERED)
        code = program_fail(
            EXIT_REFUSED, "%s: line %zu: %s", wishes->path, report.line,
            program->azerbaijani ? extract_judge_text_az(report.finding)
                                 : extract_judge_text(report.finding));
    if (code == EXIT_GOOD) {
        struct extract_shown shown = {.file = &load.file,
                                      .report = judged ? &report : NULL,
                                      .azerbaijani = program->azerbaijani};

        code = put_shown(&shown, load.size, wishes->html);
    }
    extract_trust_wipe(&wishes->trusted);
    extract_load_wipe(&load);
    return code;
}

static int run_redact(struct program *program, struct wishes *wishes)
{
    struct extract_load load;
    int code = load_extract(&load, wishes->path);

    MAYBE(program->json);
    if (code == EXIT_GOOD)
        code = extract_choose_put(&load.file, &wishes->choice, wishes->out);
    extract_load_wipe(&load);
    return code;
}

/* What was not there yet when the extract was issued. */
static int run_attest(struct program *program, struct wishes *wishes)
{
    struct defter *client = NULL;
    struct extract_load load;
    uint8_t *bytes = NULL;
    size_t size = 0;
    int status;
    int code = load_extract(&load, wishes->path);

    if (code == EXIT_GOOD)
        code = check_free(wishes->out);
    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program, ROLE_USER);
    if (code == EXIT_GOOD) {
        status =
            defter_extract_attest(client, load.bytes, load.size, &bytes, &size);
        code = status == 0 ? extract_put_file(wishes->out, bytes, size)
                           : program_fail(EXIT_INCOMPLETE, "%s: %s",
                                          defter_status_name(status),
                                          defter_reason(client));
    }
    defter_extract_free(bytes, size);
    defter_close(client);
    extract_load_wipe(&load);
    return code;
}

static int run_completeness(struct program *program, struct wishes *wishes)
{
    struct defter_item item = {.duty = (uint32_t)wishes->duty,
                               .purpose = (uint32_t)wishes->purpose,
                               .subject = wishes->subject};
    struct defter *client = NULL;
    struct defter_answer answer;
    uint8_t bytes[DEFTER_COMPLETENESS_SIZE], seed[SEED_SIZE];
    const uint8_t *signer;
    size_t size = 0;
    int status;
    int code = check_free(wishes->out);

    if (code == EXIT_GOOD)
        code = take_signer(seed, &signer, program);
    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program,
                               wishes->duty == 0 ? ROLE_USER : 0);
    if (code == EXIT_GOOD) {
        status = defter_completeness(
            client, &item,
            wishes->file_number == NULL ? "" : wishes->file_number, signer,
            &answer, bytes, &size);
        if (status != 0)
            code =
                program_fail(EXIT_INCOMPLETE, "%s: %s",
                             defter_status_name(status), defter_reason(client));
        else if (answer.code != 0)
            code = say_refusal(program, &answer);
        else
            code = extract_put_file(wishes->out, bytes, size);
    }
    defter_close(client);
    sodium_memzero(seed, sizeof seed);
    return code;
}

/* ---- Options ------------------------------------------------------------ */

/* Longer than a screen: one line an option. */
static bool parse(struct wishes *wishes, int argc, char **argv)
{
    static const struct option names_of[] = {
        {"subject", required_argument, NULL, 's'},
        {"sections", required_argument, NULL, 'S'},
        {"fields", required_argument, NULL, 'f'},
        {"hide", required_argument, NULL, 'h'},
        {"out", required_argument, NULL, 'o'},
        {"html", required_argument, NULL, 'w'},
        {"as", required_argument, NULL, 'a'},
        {"purpose", required_argument, NULL, 'p'},
        {"file-number", required_argument, NULL, 'n'},
        {"policy", required_argument, NULL, 'P'},
        {"authority", required_argument, NULL, 'A'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0; /* Scanned once before, up to the subcommand. */
    while (good &&
           (option = getopt_long(argc, argv, "", names_of, NULL)) != -1) {
        if (option == 's')
            good = program_number(&wishes->subject, optarg, 1,
                                  INT64_C(9999999999));
        else if (option == 'S')
            good = (wishes->sections = extract_sections(optarg)) != 0;
        else if (option == 'f')
            wishes->choice.fields = optarg;
        else if (option == 'h')
            wishes->choice.hidden = optarg;
        else if (option == 'o')
            wishes->out = optarg;
        else if (option == 'w')
            wishes->html = optarg;
        else if (option == 'a')
            good = program_number(&wishes->duty, optarg, 1, UINT32_MAX);
        else if (option == 'p')
            good = program_number(&wishes->purpose, optarg, 1, UINT32_MAX);
        else if (option == 'n')
            wishes->file_number = optarg;
        else if (option == 'P')
            wishes->trusted.policy_path = optarg;
        else if (option == 'A')
            good = extract_trust_key(&wishes->trusted, optarg);
        else
            good = false;
    }
    if (optind < argc)
        wishes->path = argv[optind++];
    return good && optind == argc;
}

int extract_run(struct program *program, int argc, char **argv)
{
    struct wishes wishes = {.subject = 0};
    const char *what = argc > 1 ? argv[1] : "";

    if (argc < 2 || !parse(&wishes, argc - 1, argv + 1))
        return program_usage("extract");
    if (strcmp(what, "issue") == 0 && wishes.subject != 0 &&
        wishes.sections != 0 && wishes.out != NULL && wishes.path == NULL &&
        wishes.html == NULL)
        return run_issue(program, &wishes);
    if (strcmp(what, "show") == 0 && wishes.path != NULL && wishes.out == NULL)
        return run_show(program, &wishes);
    if (strcmp(what, "redact") == 0 && wishes.path != NULL &&
        wishes.out != NULL &&
        (wishes.choice.hidden != NULL || wishes.choice.fields != NULL))
        return run_redact(program, &wishes);
    if (strcmp(what, "attest") == 0 && wishes.path != NULL &&
        wishes.out != NULL)
        return run_attest(program, &wishes);
    if (strcmp(what, "completeness") == 0 && wishes.subject != 0 &&
        wishes.out != NULL && wishes.path == NULL)
        return run_completeness(program, &wishes);
    return program_usage("extract");
}
