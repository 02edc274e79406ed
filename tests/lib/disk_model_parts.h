/*
 * disk_model_parts.h: what the two files of the model disk share.
 */
#ifndef DEFTER_TESTS_LIB_DISK_MODEL_PARTS_H
#define DEFTER_TESTS_LIB_DISK_MODEL_PARTS_H

#include "tests/lib/disk_model.h"

enum { MODEL_BAD_MAX = 8 };
enum { MODEL_FILES_MAX = 128, MODEL_NAMES_MAX = 128, MODEL_STEPS_MAX = 256 };

/*
 * Invariant: data, durable and clean have room for capacity bytes (clean: one
 * byte a sector) and are zero behind the sizes; what is pending lies in the
 * sectors [dirty_first, dirty_end).
 */
struct model_node {
    uint8_t *data;    /* As a process sees it. */
    uint8_t *durable; /* As the medium holds it. */
    uint8_t *clean;   /* Sectors whose write was given up by a failed sync. */
    size_t capacity;
    size_t dirty_first;
    size_t dirty_end;
    uint64_t size;
    uint64_t durable_size;
    bool used;
};

struct model_name {
    char name[DISK_NAME_SIZE_MAX];
    int node;
};

struct model_names {
    struct model_name rows[MODEL_NAMES_MAX];
    int count;
};

/* One change of names that is not durable yet; "" stands for no name. */
struct model_step {
    char older[DISK_NAME_SIZE_MAX];
    char newer[DISK_NAME_SIZE_MAX];
    int node;
};

/* A sector that cannot be read; node 0: none, else its number + 1. */
struct model_bad {
    int node;
    uint64_t sector;
};

struct disk_model {
    struct disk disk; /* First. */
    struct model_node nodes[MODEL_FILES_MAX];
    struct model_names names;
    struct model_names durable;
    struct model_step steps[MODEL_STEPS_MAX];
    int steps_count;
    size_t changes;
    size_t changes_max;
    size_t syncs;
    size_t writes;
    size_t left; /* By files whose place another one took. */
    size_t fail_in;
    enum status fail_with;
    size_t fail_sync_in;
    uint64_t bytes_max;
    bool off;
    struct model_bad bad[MODEL_BAD_MAX];
    size_t bad_count;
    size_t misdirect_in;
    int64_t misdirect_by;
    char lying[DISK_NAME_SIZE_MAX];
};

struct model_file {
    struct disk_file file; /* First. */
    int node;
};

void disk_model_must(bool condition, const char *what);
void *disk_model_alloc(size_t size);
void disk_model_name_copy(char *out, const char *name);

/* Rows of a directory by name; -1 for none. */
int disk_model_names_find(const struct model_names *names, const char *name);
int disk_model_names_node(const struct model_names *names, const char *name);
void disk_model_names_remove(struct model_names *names, const char *name);

/* A step whose beginning did not survive does not happen either. */
void disk_model_names_step(struct model_names *names,
                           const struct model_step *step);

bool disk_model_read_fails(const struct disk_model *model, int node,
                           uint64_t offset, size_t size);
void disk_model_wrote(struct disk_model *model, int node, uint64_t offset,
                      size_t size);
uint64_t disk_model_place(struct disk_model *model,
                          const struct model_node *node, uint64_t offset,
                          size_t size);

bool disk_model_referenced(const struct disk_model *model, int node);
size_t disk_model_node_left(const struct model_node *node);
void disk_model_node_reserve(struct model_node *node, uint64_t size);
void disk_model_node_dirty(struct model_node *node, uint64_t from, uint64_t to);
bool disk_model_node_pending(const struct model_node *node, size_t sector);

#endif
