/*
 * section_check_lists.h: the sections whose record is a list.
 *
 * Each returns ST_OK, or ST_BAD_FIELD and the list as the field at fault.
 */
#ifndef DEFTER_SERVER_REGISTRY_SECTION_CHECK_LISTS_H
#define DEFTER_SERVER_REGISTRY_SECTION_CHECK_LISTS_H

#include "server/registry/section_check.h"

#define SECTION_CHECK_LISTS(X) \
    X(s02)                     \
    X(s05)                     \
    X(s07)                     \
    X(s09)                     \
    X(s10)                     \
    X(s11)                     \
    X(s12)                     \
    X(s13)

#define X(lower)                                                            \
    NODISCARD enum status section_check_lists_##lower(                      \
        const struct section_scene *scene, struct section_finding *finding, \
        const struct record_##lower *record);
SECTION_CHECK_LISTS(X)
#undef X

#endif
