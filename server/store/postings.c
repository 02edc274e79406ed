#include "server/store/postings.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/contract.h"
#include "server/store/statements.h"

enum { RUN_CAPACITY_MIN = 2 };

static void *resize(void *memory, size_t size)
{
    void *larger = realloc(memory, size);

    if (larger == NULL)
        statements_failed(NULL, "the search index");
    return larger;
}

/* The first run whose last subject is at least ${from}. */
static uint32_t run_of(const struct postings *postings, uint64_t from)
{
    uint32_t low = 0, high = postings->runs_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct postings_run *run = &postings->runs[middle];
        if (run->subjects[run->count - 1] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The place of the first subject in the run that is at least ${from}. */
static uint16_t place_in(const struct postings_run *run, uint64_t from)
{
    uint16_t low = 0, high = run->count;

    while (low < high) {
        uint16_t middle = (uint16_t)(low + (high - low) / 2);
        if (run->subjects[middle] < from)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return low;
}

/* An empty run at ${at}; its first subject must follow at once. */
static struct postings_run *insert_run(struct postings *postings, uint32_t at,
                                       uint16_t capacity)
{
    struct postings_run *run;

    if (postings->runs_count == postings->runs_capacity) {
        postings->runs_capacity =
            postings->runs_capacity == 0 ? 1 : 2 * postings->runs_capacity;
        postings->runs = resize(postings->runs, postings->runs_capacity *
                                                    sizeof *postings->runs);
    }
    run = &postings->runs[at];
    memmove(run + 1, run, (postings->runs_count - at) * sizeof *run);
    postings->runs_count++;
    run->subjects = resize(NULL, capacity * sizeof *run->subjects);
    run->count = 0;
    run->capacity = capacity;
    return run;
}

/* Half of a full run goes to a new one behind it. */
static void split(struct postings *postings, uint32_t at)
{
    struct postings_run *upper = insert_run(postings, at + 1, POSTINGS_RUN_MAX);
    struct postings_run *lower = &postings->runs[at];
    uint16_t keep = (uint16_t)(lower->count / 2);

    upper->count = (uint16_t)(lower->count - keep);
    memcpy(upper->subjects, lower->subjects + keep,
           upper->count * sizeof *upper->subjects);
    lower->count = keep;
}

static void insert_in(struct postings_run *run, uint16_t place,
                      uint64_t subject)
{
    if (run->count == run->capacity) {
        run->capacity = (uint16_t)(2 * run->capacity);
        run->subjects =
            resize(run->subjects, run->capacity * sizeof *run->subjects);
    }
    memmove(run->subjects + place + 1, run->subjects + place,
            (size_t)(run->count - place) * sizeof *run->subjects);
    run->subjects[place] = subject;
    run->count++;
}

bool postings_add(struct postings *postings, uint64_t subject)
{
    uint32_t at = run_of(postings, subject);
    struct postings_run *run;
    uint16_t place;

    if (postings->runs_count == 0)
        insert_run(postings, 0, RUN_CAPACITY_MIN);
    else if (at == postings->runs_count)
        at--; /* Above all others: behind the last. */
    run = &postings->runs[at];
    place = place_in(run, subject);
    if (place < run->count && run->subjects[place] == subject)
        return false;
    if (run->count == POSTINGS_RUN_MAX) {
        split(postings, at);
        return postings_add(postings, subject);
    }
    insert_in(run, place, subject);
    postings->count++;
    return true;
}

bool postings_remove(struct postings *postings, uint64_t subject)
{
    uint32_t at = run_of(postings, subject);
    struct postings_run *run;
    uint16_t place;

    if (at == postings->runs_count)
        return false;
    run = &postings->runs[at];
    place = place_in(run, subject);
    if (run->subjects[place] != subject)
        return false;
    run->count--;
    memmove(run->subjects + place, run->subjects + place + 1,
            (size_t)(run->count - place) * sizeof *run->subjects);
    postings->count--;
    if (run->count > 0)
        return true;
    free(run->subjects);
    postings->runs_count--;
    memmove(run, run + 1, (postings->runs_count - at) * sizeof *run);
    return true;
}

bool postings_seek(const struct postings *postings, uint64_t *subject_out,
                   uint64_t from)
{
    uint32_t at = run_of(postings, from);
    const struct postings_run *run;

    if (at == postings->runs_count)
        return false;
    run = &postings->runs[at];
    *subject_out = run->subjects[place_in(run, from)];
    ENSURE(*subject_out >= from);
    return true;
}

void postings_wipe(struct postings *postings)
{
    for (uint32_t i = 0; i < postings->runs_count; i++)
        free(postings->runs[i].subjects);
    free(postings->runs);
    memset(postings, 0, sizeof *postings);
}
