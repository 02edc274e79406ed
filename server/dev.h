/*
 * dev.h: a complete node for trying things out, with sample organisations, keys
 * and duties.  Never for real data: all secrets lie in one directory.
 */
#ifndef DEFTER_SERVER_DEV_H
#define DEFTER_SERVER_DEV_H

#include "server/node.h"
#include "server/pipeline/pipeline.h"

/*
 * dev_make(directory, address):
 * Make the cluster's files in ${directory} unless they are there; the node will
 * listen on ${address}, or on 127.0.0.1:7840 where it is NULL.
 *
 * Returns: NODE_DRAINED; NODE_REFUSED, and it was said why.
 */
enum node_exit dev_make(const char *directory, const char *address);

/*
 * dev_enter(pipeline, directory):
 * Enter the sample organisations, keys, duties and a purpose, unless they are
 * entered.
 */
enum node_exit dev_enter(struct pipeline *pipeline, const char *directory);

/* Print what to type next. */
void dev_say(const char *directory);

#endif
