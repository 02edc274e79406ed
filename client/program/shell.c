#include <editline/readline.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program/cluster.h"
#include "client/program/execute.h"
#include "client/program/help.h"
#include "client/program/program.h"
#include "client/program/words.h"
#include "protocol/render.h"

/* libedit's completion has no context argument. */
static struct {
    const struct operation_info *operation; /* Of the line being completed. */
    uint32_t next;
    size_t next_name;
} completing;

static const char *const commands[] = {"help", "json", "text", "quit", NULL};

/* Names of operations and of the shell's own commands. */
static char *complete_operation(const char *text, int state)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);

    if (state == 0)
        completing.next = 0;
    while (completing.next < count) {
        const char *name = operations[completing.next++].name;
        if (strncmp(name, text, strlen(text)) == 0)
            return strdup(name);
    }
    while (commands[completing.next - count] != NULL) {
        const char *name = commands[completing.next++ - count];
        if (strncmp(name, text, strlen(text)) == 0)
            return strdup(name);
    }
    return NULL;
}

static char *with_equals(const char *name)
{
    size_t size = strlen(name);
    char *text = malloc(size + 2);

    if (text != NULL) {
        memcpy(text, name, size);
        memcpy(text + size, "=", 2);
    }
    return text;
}

/* Field names of the operation, then the clear part's. */
static char *complete_field(const char *text, int state)
{
    static const char *const clear[] = {"subject", "purpose", "as",
                                        "expect",  "realm",   NULL};
    const struct schema *schema = completing.operation->fields;
    const struct field *rows = schema->rows();

    if (state == 0)
        completing.next = 0;
    while (completing.next < schema->fields_count) {
        const char *name = rows[completing.next++].name;
        if (strncmp(name, text, strlen(text)) == 0)
            return with_equals(name);
    }
    while (clear[completing.next - schema->fields_count] != NULL) {
        const char *name = clear[completing.next++ - schema->fields_count];
        if (strncmp(name, text, strlen(text)) == 0)
            return with_equals(name);
    }
    return NULL;
}

static char **complete(const char *text, int start, int end)
{
    size_t size = strcspn(rl_line_buffer, " ");
    const char *line = rl_line_buffer;

    (void)end;
    rl_attempted_completion_over = 1;
    if (start == 0 || strncmp(line, "help ", 5) == 0)
        return rl_completion_matches(text, complete_operation);
    completing.operation = operation_named(slice_of(line, size));
    if (completing.operation == NULL)
        return NULL;
    /* A field's name is followed by its value at once. */
    rl_completion_append_character = '\0';
    return rl_completion_matches(text, complete_field);
}

static void help(const struct program *program, int count, char **words)
{
    uint32_t operations_count;
    const struct operation_info *operations = operation_list(&operations_count);

    if (count > 1) {
        (void)help_about(program, words[1]);
        return;
    }
    for (uint32_t i = 0; i < operations_count; i++)
        printf("  %-21s %s\n", operations[i].name,
               program->azerbaijani ? operations[i].azerbaijani
                                    : operations[i].english);
    puts(program->azerbaijani ? "\n  help ƏMƏLİYYAT   əməliyyatın (və ya "
                                "bölmənin: S06) sahələri\n"
                                "  json, text       cavabların forması\n"
                                "  quit             çıxış"
                              : "\n  help OPERATION   what an operation (or a "
                                "section: S06) takes\n"
                                "  json, text       how answers are shown\n"
                                "  quit             leave");
}

/* One line, typed or of a script; ${*leave_out}: the shell ends. */
static int run_line(struct defter *client, struct program *program,
                    bool *leave_out, const char *line)
{
    struct words words;
    int code = EXIT_GOOD;

    *leave_out = false;
    if (line[0] == '#')
        return EXIT_GOOD;
    if (!words_split(&words, line))
        return program_fail(EXIT_USAGE,
                            "unbalanced quotes or braces, or too many words");
    if (words.count == 0)
        code = EXIT_GOOD;
    else if (strcmp(words.at[0], "quit") == 0 ||
             strcmp(words.at[0], "exit") == 0)
        *leave_out = true;
    else if (strcmp(words.at[0], "help") == 0)
        help(program, words.count, words.at);
    else if (strcmp(words.at[0], "json") == 0)
        program->json = true;
    else if (strcmp(words.at[0], "text") == 0)
        program->json = false;
    else
        code = execute_words(client, program, words.count, words.at);
    words_free(&words);
    return code;
}

static bool history_path(char out[1024])
{
    const char *home = getenv("HOME");
    int size;

    if (home == NULL)
        return false;
    size = snprintf(out, 1024, "%s/.defter_history", home);
    return size > 0 && size < 1024;
}

/* Without a terminal: a script of lines, the first failure ends it. */
static int run_script(struct defter *client, struct program *program)
{
    char *line = NULL;
    size_t capacity = 0;
    bool leave = false;
    int code = EXIT_GOOD;

    while (code == EXIT_GOOD && !leave &&
           getline(&line, &capacity, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        code = run_line(client, program, &leave, line);
    }
    free(line);
    return code;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    interrupted = number;
}

/* ^C gives up the line, not the shell. */
static void catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}

/* The next line; NULL at the end. */
static char *next_line(void)
{
    char *line;

    do {
        interrupted = 0;
        line = readline("defter> ");
        if (line == NULL && interrupted != 0)
            putchar('\n');
    } while (line == NULL && interrupted != 0);
    return line;
}

static void run_terminal(struct defter *client, struct program *program)
{
    char path[1024];
    bool remembers = history_path(path);
    /* Only the line editor needs to know that a letter may be two bytes. */
    locale_t letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = letters != (locale_t)0 ? uselocale(letters) : (locale_t)0;
    char *line;

    rl_readline_name = "defter";
    rl_attempted_completion_function = complete;
    using_history();
    catch_interrupt();
    if (remembers)
        (void)read_history(path);
    puts(program->azerbaijani ? "Əməliyyatlar üçün: help. Tamamlama: Tab."
                              : "Type help for the operations; Tab completes.");
    while ((line = next_line()) != NULL) {
        bool leave;
        if (line[0] != '\0')
            add_history(line);
        (void)run_line(client, program, &leave, line);
        free(line);
        fflush(stdout);
        if (leave)
            break;
    }
    if (remembers)
        (void)write_history(path);
    if (letters != (locale_t)0) {
        (void)uselocale(before);
        freelocale(letters);
    }
}

int shell_run(struct program *program, int argc, char **argv)
{
    struct defter *client = NULL;
    int code;

    if (argc != 1)
        return program_usage(argv[0]);
    code = cluster_connect(&client, program, 0);
    if (code == EXIT_GOOD && isatty(STDIN_FILENO))
        run_terminal(client, program);
    else if (code == EXIT_GOOD)
        code = run_script(client, program);
    defter_close(client);
    return code;
}
