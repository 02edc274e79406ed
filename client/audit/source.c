#include "client/audit/source.h"

#include <stdio.h>

void source_close(struct source *source)
{
    walk_close(source->walk);
    bundles_close(source->bundles);
    joined_close(source->joined);
    *source = (struct source){.walk = NULL};
}

uint64_t source_size(const struct source *source)
{
    if (source->walk != NULL)
        return walk_size(source->walk);
    return source->joined != NULL ? joined_size(source->joined)
                                  : bundles_size(source->bundles);
}

uint64_t source_passed(const struct source *source)
{
    if (source->walk != NULL)
        return walk_passed(source->walk);
    return source->joined != NULL ? joined_passed(source->joined)
                                  : bundles_passed(source->bundles);
}

void source_name(const struct source *source, char out[SOURCE_NAME_SIZE],
                 uint32_t file)
{
    char name[WALK_NAME_SIZE];

    if (source->joined != NULL) {
        joined_name(source->joined, out, SOURCE_NAME_SIZE, file);
        return;
    }
    if (source->walk == NULL) {
        bundles_name(source->bundles, out, file);
        return;
    }
    walk_name(source->walk, name, file);
    (void)snprintf(out, SOURCE_NAME_SIZE, "%s", name);
}

bool source_is_last(const struct source *source, uint32_t file)
{
    return source->walk != NULL &&
           file + 1 == walk_segments_count(source->walk);
}

enum status source_batch_open(struct walk_batch *batch,
                              const struct source *source)
{
    if (source->walk != NULL)
        return walk_batch_open(batch, source->walk);
    return source->joined != NULL ? joined_batch_open(batch, source->joined)
                                  : bundles_batch_open(batch, source->bundles);
}

void source_next(struct source *source, struct walk_batch *batch)
{
    if (source->walk != NULL)
        walk_next(source->walk, batch);
    else if (source->joined != NULL)
        joined_next(source->joined, batch);
    else
        bundles_next(source->bundles, batch);
}

enum status source_goes_on(const struct source *source, bool *goes_on_out,
                           struct walk_place place, uint64_t index)
{
    /* A tree has all its bundles, as its checkpoint says, and so has a unit. */
    *goes_on_out = true;
    return source->walk == NULL
               ? ST_OK
               : walk_goes_on(source->walk, goes_on_out, place, index);
}
