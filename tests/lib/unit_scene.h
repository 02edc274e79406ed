/*
 * unit_scene.h: a log in a folder of its own and archive units of it, for tests
 * of whoever makes or verifies units.
 */
#ifndef DEFTER_TESTS_LIB_UNIT_SCENE_H
#define DEFTER_TESTS_LIB_UNIT_SCENE_H

#include "client/audit/verify.h"
#include "client/export/unit_export.h"
#include "tests/lib/long_log.h"

enum { UNIT_SCENE_PATH_SIZE = 256 };

struct unit_scene {
    char base[64];
    char node[UNIT_SCENE_PATH_SIZE]; /* Its log and its checkpoint. */
    struct long_log log;
    struct report report;
    struct unit_export_result result;
};

/* A log of ${size} entries, with its checkpoint. */
void unit_scene_open(struct unit_scene *scene, uint64_t size);
/* It is ${scene->log} already that has the checkpoint's root: a small log of
 * one's own. */
void unit_scene_open_signed(struct unit_scene *scene,
                            const struct signed_log *log);
void unit_scene_close(struct unit_scene *scene);

/* "${base}/${name}" */
void unit_scene_path(const struct unit_scene *scene,
                     char out[UNIT_SCENE_PATH_SIZE], const char *name);

/* Make the unit ${name} of that range; options may be NULL. */
enum status unit_scene_make(struct unit_scene *scene, const char *name,
                            uint64_t number, uint64_t first, uint64_t last);

/* The verdict on one or several units of the scene; ended by NULL. */
enum report_verdict unit_scene_judge(struct unit_scene *scene,
                                     const char *const *names);

/* The manifest of the unit made anew, as if its files were right. */
void unit_scene_reseal(struct unit_scene *scene, const char *name);

#endif
