#include "client/audit/source.h"

#include <stdio.h>

void source_close(struct source *source)
{
    walk_close(source->walk);
    bundles_close(source->bundles);
    *source = (struct source){.walk = NULL};
}

uint64_t source_size(const struct source *source)
{
    return source->walk != NULL ? walk_size(source->walk)
                                : bundles_size(source->bundles);
}

uint64_t source_passed(const struct source *source)
{
    return source->walk != NULL ? walk_passed(source->walk)
                                : bundles_passed(source->bundles);
}

void source_name(const struct source *source, char out[SOURCE_NAME_SIZE],
                 uint32_t file)
{
    char name[WALK_NAME_SIZE];

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

void source_batch_init(struct walk_batch *batch, const struct source *source)
{
    if (source->walk != NULL)
        walk_batch_init(batch, source->walk);
    else
        bundles_batch_init(batch, source->bundles);
}

void source_next(struct source *source, struct walk_batch *batch)
{
    if (source->walk != NULL)
        walk_next(source->walk, batch);
    else
        bundles_next(source->bundles, batch);
}

bool source_goes_on(const struct source *source, struct walk_place place,
                    uint64_t index)
{
    /* The checkpoint says that a tree has all its bundles. */
    return source->walk == NULL || walk_goes_on(source->walk, place, index);
}
