/*
 * extract_make.h: the disclosures of an extract, one after the other, with
 * their salts (EXTRACT, section 2): when it is issued, and again whenever its
 * subject opens it.  Both must come to the same lines, so that what both need
 * and may change since is kept in the extract's row: its heads.
 */
#ifndef DEFTER_SERVER_REGISTRY_EXTRACT_MAKE_H
#define DEFTER_SERVER_REGISTRY_EXTRACT_MAKE_H

#include "protocol/extract.h"
#include "server/registry/subject.h"
#include "server/registry/version.h"

/* One disclosure; lent for the call. */
struct extract_disclosure {
    uint8_t salt[SALT_SIZE];
    bool begins; /* It is the first of its section. */
    struct slice section_line;
    struct slice field_line;
};

/* Who is given the disclosures; the rest is extract_make's own. */
struct extract_maker {
    struct act *act;
    struct slice item; /* As stored, of extract.issue. */
    uint64_t place;    /* Of it: index << 16 | item. */
    void *context;
    enum status (*take)(void *context, const struct extract_disclosure *one);

    uint32_t number;
    bool begins;
    enum status status;
    struct slice section_line;
};

/* A section as an extract covers it. */
struct extract_head {
    uint8_t section;
    uint8_t path;
    uint32_t version;
    uint16_t flags;
    uint32_t source;
    struct slice name; /* Of the source. */
};

enum {
    EXTRACT_HEADS_SIZE_MAX = VERSIONS_SHOWN_MAX * (1 + 1 + 4 + 2 + 4 + 2 + 256)
};

/* The row's heads: these follow each other in the order of sections, of S05 the
 * provider's first. */
void extract_make_head(struct writer *heads, const struct extract_head *head);
/* False at the end. */
bool extract_make_next_head(struct extract_head *out, struct reader *heads);

/*
 * extract_make_version(maker, head, version, record):
 * The disclosures of the section that ${head} names, whose row is ${version}.
 *
 * Returns: ST_OK; ST_ERASED where the extract's key was destroyed; what ${take}
 *          refused with.
 */
NODISCARD enum status extract_make_version(struct extract_maker *maker,
                                           const struct extract_head *head,
                                           const struct row_version *version,
                                           struct slice record);

/* The one disclosure of a section of which there is nothing. */
NODISCARD enum status extract_make_none(struct extract_maker *maker,
                                        uint8_t section);

#endif
