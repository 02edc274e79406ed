/*
 * extract_choose.c: which fields of an extract are shown on, by their names.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/extract.h"
#include "client/program/file.h"
#include "protocol/catalogue.h"
#include "protocol/lines.h"

enum { EXTRACT_FILE_MODE = 0600 };

int extract_put_file(const char *path, const void *bytes, size_t size)
{
    enum status status = file_write_new(path, bytes, size, EXTRACT_FILE_MODE);

    return status == ST_OK ? EXIT_GOOD
                           : program_fail(EXIT_USAGE, "%s: %s", path,
                                          status_info(status)->english);
}

/* Whether ${word} names the field ("S01.representatives.1.fin"), what it is an
 * element of, or its section. */
static bool names(struct slice word, const struct extract_reading *one)
{
    uint8_t bytes[8 + EXTRACT_PATH_SIZE_MAX];
    struct writer name;

    writer_init(&name, bytes, sizeof bytes);
    lines_write(&name, section_info(one->section.section)->name);
    if (one->field.kind != EXTRACT_STATE) {
        lines_write(&name, ".");
        writer_bytes(&name, one->field.path.data, one->field.path.size);
    }
    return word.size > 0 && word.size <= name.used &&
           memcmp(name.data, word.data, word.size) == 0 &&
           (word.size == name.used || name.data[word.size] == '.');
}

static bool is_listed(const char *list, const struct extract_reading *one)
{
    while (*list != '\0') {
        size_t size = strcspn(list, ",");

        if (names(slice_of(list, size), one))
            return true;
        list += size;
        list += *list != '\0';
    }
    return false;
}

static bool keeps(void *context, const struct extract_reading *one)
{
    const struct extract_choice *choice = context;

    return (choice->fields == NULL || is_listed(choice->fields, one)) &&
           (choice->hidden == NULL || !is_listed(choice->hidden, one));
}

/* A word that names nothing hides nothing: a slip must not pass for it. */
static int check_words(const struct extract_file *file, const char *list)
{
    while (list != NULL && *list != '\0') {
        size_t size = strcspn(list, ",");
        struct extract_reading reading = {.rest = file->disclosures};
        bool found = false;

        while (extract_file_next(&reading) == ST_OK)
            found = found || names(slice_of(list, size), &reading);
        if (!found)
            return program_fail(EXIT_USAGE, "%.*s: no such field is shown",
                                (int)size, list);
        list += size;
        list += *list != '\0';
    }
    return EXIT_GOOD;
}

int extract_choose_put(const struct extract_file *file,
                       const struct extract_choice *choice, const char *out)
{
    struct extract_choice wanted = *choice;
    uint8_t *bytes = malloc(EXTRACT_FILE_SIZE_MAX);
    struct writer writer;
    int code = bytes == NULL ? program_fail(EXIT_INCOMPLETE, "out of memory")
                             : EXIT_GOOD;

    if (code == EXIT_GOOD)
        code = check_words(file, choice->fields);
    if (code == EXIT_GOOD)
        code = check_words(file, choice->hidden);
    if (code == EXIT_GOOD) {
        writer_init(&writer, bytes, EXTRACT_FILE_SIZE_MAX);
        extract_file_choose(&writer, file, &wanted, keeps);
        ENSURE(writer.status == ST_OK); /* It is no longer than it was. */
        code = extract_put_file(out, bytes, writer.used);
    }
    if (bytes != NULL)
        sodium_memzero(bytes, EXTRACT_FILE_SIZE_MAX);
    free(bytes);
    return code;
}
