#include <getopt.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/program/execute.h"
#include "client/program/program.h"

static const struct subcommand subcommands[] = {
    {"init", init_run, "DIR", "Make a new cluster's keys and genesis",
     "Yeni klasterin açarlarını və ilk qeydini yaratmaq"},
    {"keygen", keygen_run, "FILE", "Make a signing key", "İmza açarı yaratmaq"},
    {"prove", prove_run, "FILE --as ROLE", "Words for enrolling a key",
     "Açarın qeydə alınması üçün məlumat"},
    {"shell", shell_run, "", "Work with the registry interactively",
     "Reyestrlə interaktiv işləmək"},
    {"load", load_run, "FILE", "Feed the records of a file",
     "Fayldakı məlumatları yükləmək"},
    {"status", status_run, "", "Show how the node is doing",
     "Qovşağın vəziyyətini göstərmək"},
    {"bench", bench_run, "[OPERATION ...]", "Measure a node",
     "Qovşağın sürətini ölçmək"},
    {"verify", verify_run, "DIR [OPTION ...]", "Verify a log offline",
     "Jurnalı oflayn yoxlamaq"},
    {"dump", dump_run, "DIR|FILE [FROM [N]]", "Show a log's entries",
     "Jurnalın qeydlərini göstərmək"},
    {NULL, NULL, NULL, NULL, NULL}};

const struct subcommand *program_subcommands(void)
{
    return subcommands;
}

int program_fail(int code, const char *format, ...)
{
    va_list arguments;

    fputs("defter: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

static int usage(const struct program *program, FILE *out)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);

    fputs("usage: defter [OPTIONS] SUBCOMMAND ...\n"
          "       defter [OPTIONS] OPERATION name=value ...\n\n"
          "  --cluster FILE   cluster.conf ($DEFTER_CLUSTER)\n"
          "  --key FILE       the key to log in with ($DEFTER_KEY)\n"
          "  --user NAME      log in by name and password instead\n"
          "  --signer FILE    sign with this key over --key's connection\n"
          "  --role ROLE      staff, user, participant, auditor, portal, EHIS "
          "...\n"
          "  --address H:P    instead of the file's address\n"
          "  --receipts FILE  keep verified receipts here\n"
          "  --json           answers as JSON\n"
          "  --az             messages in Azerbaijani\n\n",
          out);
    for (const struct subcommand *at = subcommands; at->name != NULL; at++)
        fprintf(out, "  %-8s %-19s %s\n", at->name, at->arguments,
                program->azerbaijani ? at->azerbaijani : at->english);
    fputs("  help     [OPERATION]         What an operation takes\n\n"
          "operations:\n",
          out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "  %-20s %s\n", operations[i].name,
                program->azerbaijani ? operations[i].azerbaijani
                                     : operations[i].english);
    return out == stdout ? EXIT_GOOD : EXIT_USAGE;
}

static int help(const struct program *program, int argc, char **argv)
{
    const struct operation_info *operation;

    if (argc < 2)
        return usage(program, stdout);
    operation = operation_named(slice_of(argv[1], strlen(argv[1])));
    if (operation == NULL)
        return program_fail(EXIT_USAGE, "%s: no such operation", argv[1]);
    execute_help(operation, program->azerbaijani);
    return EXIT_GOOD;
}

/* Options up to the subcommand; false if one is wrong. */
static bool parse(struct program *program, int argc, char **argv)
{
    static const struct option options[] = {
        {"cluster", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"user", required_argument, NULL, 'u'},
        {"signer", required_argument, NULL, 's'},
        {"role", required_argument, NULL, 'r'},
        {"address", required_argument, NULL, 'a'},
        {"receipts", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {"az", no_argument, NULL, 'z'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            program->cluster = optarg;
            break;
        case 'k':
            program->key = optarg;
            break;
        case 'u':
            program->user = optarg;
            break;
        case 's':
            program->signer = optarg;
            break;
        case 'r':
            program->role = optarg;
            break;
        case 'a':
            program->address = optarg;
            break;
        case 'p':
            program->receipts = optarg;
            break;
        case 'j':
            program->json = true;
            break;
        case 'z':
            program->azerbaijani = true;
            break;
        default:
            return false;
        }
    }
    return optind < argc;
}

/* Secrets are in memory: no core dumps, no tracing by others. */
static void harden(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
    struct program program = {.color = isatty(STDOUT_FILENO) == 1};
    const char *language = getenv("LANG");

    harden();
    if (sodium_init() < 0)
        return program_fail(EXIT_REFUSED, "libsodium does not start");
    program.azerbaijani = language != NULL && strncmp(language, "az", 2) == 0;
    if (!parse(&program, argc, argv))
        return usage(&program, argc > 1 && strcmp(argv[1], "--help") == 0
                                   ? stdout
                                   : stderr);
    argc -= optind;
    argv += optind;
    if (strcmp(argv[0], "help") == 0)
        return help(&program, argc, argv);
    for (const struct subcommand *at = subcommands; at->name != NULL; at++) {
        if (strcmp(argv[0], at->name) == 0)
            return at->run(&program, argc, argv);
    }
    return operation_run(&program, argc, argv);
}
