/*
 * cluster_say.h: how this folder speaks to people: whoever opens a thing gives
 * it a function that takes lines.
 */
#ifndef DEFTER_SERVER_CLUSTER_CLUSTER_SAY_H
#define DEFTER_SERVER_CLUSTER_CLUSTER_SAY_H

enum cluster_level { CLUSTER_NOTE, CLUSTER_WARNING, CLUSTER_FAILURE };

enum { CLUSTER_LINE_SIZE_MAX = 256 };

/* Any thread.  The line is borrowed, and may hold what a stranger sent. */
typedef void cluster_say(void *context, enum cluster_level level,
                         const char *line);

#endif
