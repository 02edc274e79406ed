/*
 * witness_post.h: requests to outside witnesses over HTTP.
 *
 * Callbacks come from the loop, on its thread, and never from within a call to
 * a function of this file.
 */
#ifndef DEFTER_SERVER_COSIGN_WITNESS_POST_H
#define DEFTER_SERVER_COSIGN_WITNESS_POST_H

#include <stdbool.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

struct event_base;
struct witness_posts; /* Opaque. */

enum {
    WITNESS_POST_CONNECT_MS = 5000,
    WITNESS_POST_ALL_MS = 15000,
    WITNESS_POST_REPLY_SIZE_MAX = 4096,
    WITNESS_POST_URL_SIZE_MAX = 512
};

struct witness_post_reply {
    unsigned http_status; /* 0: none came, and ${why} says so. */
    bool is_size;         /* Of the type text/x.tlog.size. */
    struct slice body;    /* Lent for the callback. */
    const char *why;      /* For people. */
};

typedef void witness_post_done(void *context, size_t number,
                               const struct witness_post_reply *reply);

/* Whether ${url} is one that can be posted to: http:// or https://, printable
 * and not too long. */
bool witness_post_url(struct slice url);

/* Requires: as http_multi_open().  Owns: gives ${*posts_out}. */
NODISCARD enum status witness_posts_open(struct witness_posts **posts_out,
                                         struct event_base *base, void *context,
                                         witness_post_done *done);

/* Ends all requests without calling back; accepts NULL. Not from a callback. */
void witness_posts_close(struct witness_posts *posts);

/*
 * witness_posts_send(posts, number, url, body):
 * POST ${body} to ${url} "/add-checkpoint"; done() is called once, with
 * ${number}.
 *
 * Requires: witness_post_url(url); body.size <= WITNESS_REQUEST_SIZE_MAX.
 * Returns:  ST_OK; ST_EXHAUSTED, and done() is not called.
 * Owns:     copies both.
 */
NODISCARD enum status witness_posts_send(struct witness_posts *posts,
                                         size_t number, struct slice url,
                                         struct slice body);

#endif
