#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/program/help.h"
#include "client/program/program.h"
#include "client/program/say.h"
#include "protocol/primitives.h"

/* The longest usage, or a message with a path and names in it. */
enum { FAIL_SIZE_MAX = 8192 };

static const struct subcommand subcommands[] = {
    {"init", init_run,
     "init DIR [--origin NAME] [--owner NAME] [--realms PR]\n"
     "         [--environment production|test|training]\n"
     "         [--listen HOST:PORT] [--sibling CLUSTER.CONF]\n"
     "         [--peer-listen HOST:PORT [--minimum N]]\n"
     "  NAME of the origin stands in signed checkpoints; the sibling is the\n"
     "  cluster.conf of another environment, from which this one must differ;\n"
     "  with --peer-listen the node takes others, and acknowledges nothing "
     "before\n"
     "  N nodes (2) hold it",
     "Make a new cluster's keys, genesis and configuration",
     "Yeni klasterin açarlarını, ilk qeydini və tənzimləməsini yaratmaq"},
    {"node", node_run,
     "node new DIR --role backup|archive --listen HOST:PORT\n"
     "         --peer-listen HOST:PORT --cluster CLUSTERDIR [--minimum N]\n"
     "  CLUSTERDIR is what `defter init --peer-listen` made, with the "
     "authority's\n"
     "  key in it; the first HOST:PORT is for clients, the second for other "
     "nodes",
     "Make the keys and the configuration of a further node",
     "Əlavə qovşağın açarlarını və tənzimləməsini yaratmaq"},
    {"keygen", keygen_run, "keygen FILE",
     "Make a signing key; `defter prove` gives what enrols it",
     "İmza açarı yaratmaq; qeydiyyat sözlərini `defter prove` verir"},
    {"prove", prove_run,
     "prove FILE --as ROLE [--level 1..3] [--organisation N] [--person N]",
     "Print the words with which somebody else enrols this key",
     "Açarın başqası tərəfindən qeydə alınması üçün sözlər"},
    {"password", password_run, "--key FILE | --user NAME password NAME",
     "Let oneself log in by --user NAME, or change the password",
     "Ad və parolla girişi təyin etmək, və ya parolu dəyişmək"},
    {"shell", shell_run,
     "--key FILE shell\n"
     "  Lines are operations; Tab completes, the history is kept in\n"
     "  ~/.defter_history. Without a terminal, lines come from standard input\n"
     "  and the first failure ends it",
     "Work with the registry interactively", "Reyestrlə interaktiv işləmək"},
    {"load", load_run,
     "--key EHIS.KEY --role EHIS --signer BODY.KEY load FILE --duty N\n"
     "         [--items 1..256] [--sections MASK] [--atomic]\n"
     "  FILE has a record in JSON on each line; N is the assignment of the\n"
     "  body's SUP; MASK has bit n-1 for section n (0x21: S01 and S06) and is\n"
     "  0x1fff if not said. What was interrupted goes on when the same file "
     "is\n"
     "  loaded again",
     "Feed the records of a file", "Fayldakı məlumatları yükləmək"},
    {"status", status_run,
     "--key FILE [--json] status\n"
     "  Asks each address of the cluster.conf. Exit status: 0 a primary "
     "serves\n"
     "  and all members are in sync, 2 degraded",
     "Show how the cluster's nodes are doing",
     "Klasterin qovşaqlarının vəziyyətini göstərmək"},
    {"promote", promote_run,
     "--key OPERATOR.KEY promote NODE [--via MEMBER] [--yes] [--out FILE]\n"
     "         [--nodes FILE] [--state FILE] [--authority FILE] "
     "[--no-deliver]\n"
     "         [--without NODE] [--valid SECONDS]\n"
     "  NODE is an id in nodes.conf, or four or more of its first digits;\n"
     "  --via: NODE is no member and takes over what the member MEMBER holds.\n"
     "  The options are those of member, switchover, force and certificate\n"
     "  too; --authority signs in the place of an archive that is gone",
     "Make a node primary whose primary is gone",
     "Əsas qovşaq itəndə başqasını əsas etmək"},
    {"member", member_run,
     "--key OPERATOR.KEY member remove NODE | replace NODE BY | add NODE\n"
     "         | enrol NODE | retire NODE | minimum N | adopted MEMBER\n"
     "         | settle [OPTIONS of promote]\n"
     "  adopted: who was promoted via MEMBER holds all that MEMBER has; "
     "settle:\n"
     "  who was to be added or to replace and was not signed for is waited "
     "for\n"
     "  no more",
     "Change which nodes must hold an entry before its answer",
     "Cavabdan əvvəl yazını saxlamalı olan qovşaqları dəyişmək"},
    {"switchover", switchover_run,
     "--key OPERATOR.KEY switchover NODE [--wait SECONDS]\n"
     "         [OPTIONS of promote]\n"
     "  SECONDS (60) the primary may take until all of it is with NODE",
     "Let the primary hand over to a member",
     "Əsas qovşağın vəzifəsini üzvə təhvil vermək"},
    {"force", force_run,
     "--key OPERATOR.KEY force NODE --authority AUTHORITY.KEY\n"
     "         [--minimum N] [OPTIONS of promote]\n"
     "  Begins a history of its own where every member is gone: what was\n"
     "  acknowledged and NODE does not hold is LOST",
     "Go on with what a node holds, and lose the rest",
     "Qovşaqdakı ilə davam etmək, qalanını itirmək"},
    {"certificate", certificate_run,
     "certificate show FILE\n"
     "       --key OPERATOR.KEY certificate again | deliver FILE | paper\n"
     "         | paper NUMBER DIGITS [OPTIONS of promote]\n"
     "  again: sign and deliver once more what was signed last; paper: the "
     "note\n"
     "  to keep, or a lost state set up anew from it",
     "Show, sign again or deliver a signed configuration",
     "İmzalanmış tərkibi göstərmək, yenidən imzalamaq, çatdırmaq"},
    {"destroy", destroy_run,
     "--key FILE [--json] destroy show NUMBER | list [as=DUTY]\n"
     "  show: the certificate of an act: ground, people, keys, and the "
     "holders\n"
     "  with the entries in which they confirmed; as= names the assignment\n"
     "  under which it is read",
     "Show what was destroyed, by whose word and where",
     "Nəyin, kimin qərarı ilə və harada məhv edildiyini göstərmək"},
    {"bench", bench_run,
     "--key FILE bench [--seconds N] [--commands N] [--receipts]\n"
     "         [--sessions 1,16,64,256] [--directory DIR]\n"
     "         [OPERATION name=value ...]\n"
     "  For 5 seconds, or until all commands are answered; system.ping if no\n"
     "  operation is named; DIR is where fdatasync is timed",
     "Measure a node with signed commands", "Qovşağın sürətini ölçmək"},
    {"extract", extract_run,
     "--key FILE extract issue --subject VOEN --sections S01,S06\n"
     "         [--fields FIELD,...] --out FILE\n"
     "       extract show FILE [--html PAGE] [--policy FILE] [--authority "
     "KEY]\n"
     "       extract redact FILE --hide FIELD,... | --fields FIELD,... --out "
     "FILE\n"
     "       --key FILE extract attest FILE --out FILE\n"
     "       --key FILE extract completeness --subject VOEN [--as DUTY]\n"
     "         [--purpose N] [--file-number TEXT] --out FILE\n"
     "  A FIELD is S06, S06.class, S01.representatives.1 and the like. What\n"
     "  redact keeps back nobody can put in again; the rest stays true.\n"
     "  attest brings what was not there yet when it was issued: the log's\n"
     "  attestation of the answer, and a checkpoint that holds it",
     "Get signed extracts, show them, keep parts of them back",
     "İmzalanmış çıxarış almaq, göstərmək, bir hissəsini gizlətmək"},
    {"verify", verify_run,
     "[--cluster FILE] verify DIR|PROOF|UNIT ... [--policy FILE] [--checkpoint "
     "FILE]\n"
     "         [--receipts FILE] [--head SIZE:ROOT] [--leaf HASH]\n"
     "         [--entry FILE] [--authority KEY] [--no-signatures]\n"
     "         [--tree-only] [--resume FILE] [--progress] [--threads N] "
     "[--json]\n"
     "  DIR is a node's directory, its log, or a tree of tiles; PROOF a "
     "file\n"
     "  .tlog-proof; UNITs of the archive are joined to one log. SIZE:ROOT and "
     "HASH are what is expected; the policy "
     "says\n"
     "  who must have signed the checkpoint; the authority's key is KEY, or "
     "the\n"
     "  cluster's. --resume keeps how far it came in FILE, and goes on "
     "there.\n"
     "       verify DIR --completeness FILE | --subject VOEN [...]\n"
     "       [--cluster FILE] verify EXTRACT [--policy FILE] [--authority "
     "KEY]\n"
     "         [--online] [--json]\n"
     "  FILE is of extract completeness; --online asks whether the extract "
     "still\n"
     "  holds.\n"
     "  Exit status: 0 good, 1 tampered with, 2 incomplete, or superseded",
     "Verify a log, a tree, a proof or an extract offline",
     "Jurnalı, ağacı, sübutu və ya çıxarışı oflayn yoxlamaq"},
    {"proof", proof_run,
     "--key FILE proof INDEX [--leaf HASH] | proof --receipt FILE [INDEX]\n"
     "         [--out FILE.tlog-proof] [--log-key KEY] [--newest]\n"
     "  INDEX alone: of an entry that the login's key signed; FILE holds "
     "receipts\n"
     "  that were kept with --receipts, and the last one counts, or that of "
     "INDEX.\n"
     "  The proof is verified; anybody can verify it again, offline. KEY is "
     "the\n"
     "  log's, name+id+base64, if it is not to be what the node says",
     "Show that an entry is in the log, for others",
     "Qeydin jurnalda olduğunu başqaları üçün sübut etmək"},
    {"checkpoint", checkpoint_run,
     "--key FILE checkpoint [--state FILE] [--log-key KEY]\n"
     "  FILE keeps the checkpoint that was seen last (the cluster.conf's name "
     "with\n"
     "  .checkpoint behind it). Exit status 1: the log was rewritten, and both "
     "are\n"
     "  kept; 2: the node's checkpoint is older than that",
     "Print the newest signed head of the log, and see that it only grew",
     "Jurnalın imzalanmış son vəziyyətini göstərmək və yoxlamaq"},
    {"export", export_run,
     "export tiles [--checkpoint FILE] [--threads N] [--json] DIR TREE\n"
     "  DIR is a node's directory with its checkpoint, or a log; TREE is "
     "written\n"
     "  up to the checkpoint, and only what it lacks. Exit status: 1 the log "
     "or\n"
     "  TREE is not the checkpoint's, 2 the log ends before it",
     "Write a log as files that others' tools read",
     "Jurnalı başqa alətlərin oxuduğu fayllara yazmaq"},
    {"archive", archive_run,
     "archive make [--from INDEX] [--to INDEX] [--number N] [--unit-mib N]\n"
     "         [--unit-days N] [--checkpoint FILE] [--policy FILE]\n"
     "         [--threads N] [--json] DIR UNIT\n"
     "       archive make --due [--checkpoint FILE] [--policy FILE]\n"
     "         [--threads N] [--json] DIR UNITS\n"
     "       archive list [--json] DIR\n"
     "       archive verify [OPTIONS of verify] UNIT ...\n"
     "       archive restore [--authority KEY] [--policy FILE]\n"
     "         [--no-signatures] [--incomplete] UNIT ... DIR\n"
     "       archive escrow key FILE\n"
     "       archive escrow show [--recovery-key KEY] [--json] FILE\n"
     "  make: DIR is a node's directory with its checkpoint, or a log; the\n"
     "  entries from INDEX to INDEX, or all that the checkpoint covers; with\n"
     "  --unit-mib or --unit-days UNIT becomes a directory of units of that "
     "size\n"
     "  or age; --due: the units that the log's archive records name and the\n"
     "  directory UNITS lacks. restore: DIR/log is made from units that begin "
     "at entry 0. A "
     "UNIT\n"
     "  may be a directory of units. escrow: a recovery key; what an escrow "
     "of\n"
     "  seal keys says, and with KEY whether all of it opens. Exit status: as\n"
     "  verify",
     "Make, list and verify archive units; restore a log from them",
     "Arxiv vahidlərini yaratmaq, yoxlamaq, jurnalı bərpa etmək"},
    {"dump", dump_run,
     "dump [--full] DIR|FILE [FROM [COUNT]]\n"
     "  Each entry ends with its leaf hash; --full shows long bytes whole. "
     "Exit\n"
     "  status: 1 where something is not the bytes of an entry",
     "Show a log's entries, from the index FROM",
     "Jurnalın qeydlərini göstərmək"},
    {"witness", witness_run,
     "witness init --dir DIR --name NAME\n"
     "       witness --dir DIR --listen HOST:PORT [--logs FILE]\n"
     "               [--sandbox on|required|off]\n"
     "  init makes the witness's key, under NAME, and prints what others need\n"
     "  of it; FILE (DIR/logs) has a line \"log KEY\" for each log that it "
     "signs\n"
     "  for. POST /add-checkpoint is how a log asks (c2sp.org/tlog-witness)",
     "Run a witness that cosigns the checkpoints of logs",
     "Jurnalların nəzarət nöqtələrini təsdiqləyən şahid işlətmək"},
    {NULL, NULL, NULL, NULL, NULL}};

const struct subcommand *program_subcommands(void)
{
    return subcommands;
}

bool program_number(uint64_t *out, const char *text, uint64_t least,
                    uint64_t most)
{
    bool hex = text[0] == '0' && text[1] == 'x';
    char *end;

    errno = 0;
    *out = strtoull(text, &end, hex ? 16 : 10);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
           *out >= least && *out <= most;
}

int program_fail(int code, const char *format, ...)
{
    char text[FAIL_SIZE_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs("defter: ", stderr);
    say_text(stderr, slice_of(text, strlen(text)), true);
    fputc('\n', stderr);
    return code;
}

int program_usage(const char *name)
{
    const struct subcommand *at = subcommands;

    while (strcmp(at->name, name) != 0)
        at++;
    return program_fail(EXIT_USAGE, "usage: defter %s", at->usage);
}

enum request { REQUEST_WRONG, REQUEST_HELP, REQUEST_VERSION, REQUEST_WORDS };

/* Options up to the subcommand. */
static enum request parse(struct program *program, int argc, char **argv)
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
        {"version", no_argument, NULL, 'v'},
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
        case 'h':
            return REQUEST_HELP;
        case 'v':
            return REQUEST_VERSION;
        default:
            return REQUEST_WRONG;
        }
    }
    return optind < argc ? REQUEST_WORDS : REQUEST_WRONG;
}

/* Secrets are in memory: no core dumps, no tracing by others. */
static void harden(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A subcommand, or an operation; argv[0] is its name. */
static int run(struct program *program, int argc, char **argv)
{
    bool help = strcmp(argv[0], "help") == 0;

    if (help && argc == 1) {
        help_all(program);
        return EXIT_GOOD;
    }
    if (help)
        return help_about(program, argv[1]);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return help_about(program, argv[0]);
    for (const struct subcommand *at = subcommands; at->name != NULL; at++) {
        if (strcmp(argv[0], at->name) == 0)
            return at->run(program, argc, argv);
    }
    return operation_run(program, argc, argv);
}

/* Nobody shall take half of an answer for the whole. */
static int delivered(int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    (void)program_fail(EXIT_INCOMPLETE, "the output could not be written");
    return code == EXIT_GOOD ? EXIT_INCOMPLETE : code;
}

int main(int argc, char **argv)
{
    struct program program = {.color = isatty(STDOUT_FILENO) == 1};
    const char *language = getenv("LANG");
    const char *wrong;

    harden();
    /* Not EXIT_REFUSED, by which a verifier judges. */
    if (sodium_init() < 0)
        return program_fail(EXIT_USAGE, "libsodium does not start");
    /* A wrong library would sign what nobody can verify, or verify what nobody
     * signed. */
    if (primitives_check(&wrong) != ST_OK)
        return program_fail(EXIT_USAGE, "libsodium %s: %s",
                            sodium_version_string(), wrong);
    program.azerbaijani = language != NULL && strncmp(language, "az", 2) == 0;
    switch (parse(&program, argc, argv)) {
    case REQUEST_WRONG:
        return help_usage();
    case REQUEST_HELP:
        help_all(&program);
        return EXIT_GOOD;
    case REQUEST_VERSION:
        puts("defter " DEFTER_VERSION);
        return EXIT_GOOD;
    case REQUEST_WORDS:
        break;
    }
    return delivered(run(&program, argc - optind, argv + optind));
}
