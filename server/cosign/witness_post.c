#include "server/cosign/witness_post.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/cluster/http_multi.h"

#define POST_PATH      "/add-checkpoint"
#define POST_SIZE_TYPE "text/x.tlog.size"

/* Invariant: easy is in the multi until finished. */
struct post {
    struct witness_posts *posts;
    struct post *next;
    CURL *easy;
    size_t number;
    bool finished;
    CURLcode code; /* Once finished. */
    char error[CURL_ERROR_SIZE];
    size_t head_size;
    size_t used;
    uint8_t reply[WITNESS_POST_REPLY_SIZE_MAX];
    size_t body_size;
    uint8_t body[]; /* Of the request. */
};

struct witness_posts {
    struct http_multi multi;
    struct curl_slist *headers;
    struct post *first;
    void *context;
    witness_post_done *done;
};

bool witness_post_url(struct slice url)
{
    static const char *const schemes[] = {"http://", "https://"};
    bool known = false;

    if (url.size > WITNESS_POST_URL_SIZE_MAX)
        return false;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = strlen(schemes[i]);

        known = known ||
                (url.size > size && memcmp(url.data, schemes[i], size) == 0);
    }
    for (size_t i = 0; i < url.size; i++) {
        /* Nor a query or a fragment, behind which no path can stand. */
        if (url.data[i] <= ' ' || url.data[i] > '~' || url.data[i] == '?' ||
            url.data[i] == '#')
            return false;
    }
    return known;
}

/* ---- One request -------------------------------------------------------- */

static void post_free(struct post *post)
{
    struct post **link = &post->posts->first;

    while (*link != post)
        link = &(*link)->next;
    *link = post->next;
    if (post->easy != NULL) {
        /* Refused if it is not in there any more. */
        (void)curl_multi_remove_handle(post->posts->multi.multi, post->easy);
        curl_easy_cleanup(post->easy);
    }
    free(post);
}

/* From within libcurl: only keeps the bytes. */
static size_t post_receive(char *data, size_t one, size_t size, void *context)
{
    struct post *post = context;

    INVARIANT(one == 1);
    if (size > sizeof post->reply - post->used)
        return 0; /* Ends the request with an error. */
    memcpy(post->reply + post->used, data, size);
    post->used += size;
    return size;
}

static bool post_set_up(struct post *post, struct slice url)
{
    curl_write_callback receive = post_receive;
    char text[WITNESS_POST_URL_SIZE_MAX + sizeof POST_PATH];
    CURL *easy = post->easy;

    while (url.size > 0 && url.data[url.size - 1] == '/')
        url.size--;
    memcpy(text, url.data, url.size);
    memcpy(text + url.size, POST_PATH, sizeof POST_PATH);
    return http_multi_set_text(easy, CURLOPT_URL, text) &&
           http_multi_set_pointer(easy, CURLOPT_PRIVATE, post) &&
           http_multi_set_pointer(easy, CURLOPT_ERRORBUFFER, post->error) &&
           http_multi_set_pointer(easy, CURLOPT_HTTPHEADER,
                                  post->posts->headers) &&
           http_multi_set_number(easy, CURLOPT_POSTFIELDSIZE,
                                 (long)post->body_size) &&
           http_multi_set_pointer(easy, CURLOPT_POSTFIELDS, post->body) &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           http_multi_set_pointer(easy, CURLOPT_WRITEDATA, post) &&
           http_multi_set_manners(easy, &post->head_size,
                                  WITNESS_POST_CONNECT_MS, WITNESS_POST_ALL_MS);
}

enum status witness_posts_send(struct witness_posts *posts, size_t number,
                               struct slice url, struct slice body)
{
    struct post *post = calloc(1, sizeof *post + body.size);

    REQUIRE(witness_post_url(url));
    REQUIRE(body.size <= WITNESS_REQUEST_SIZE_MAX);
    if (post == NULL)
        return ST_EXHAUSTED;
    post->posts = posts;
    post->next = posts->first;
    posts->first = post;
    post->number = number;
    memcpy(post->body, body.data, body.size);
    post->body_size = body.size;
    post->easy = curl_easy_init();
    if (post->easy != NULL && post_set_up(post, url) &&
        curl_multi_add_handle(posts->multi.multi, post->easy) == CURLM_OK)
        return ST_OK;
    post_free(post);
    return ST_EXHAUSTED;
}

/* ---- Answers ------------------------------------------------------------ */

static void post_finished(void *own, CURLcode code)
{
    struct post *post = own;

    post->code = code;
    post->finished = true;
}

static bool post_is_size(CURL *easy)
{
    const char *type = NULL;

    return curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK &&
           type != NULL && strcasecmp(type, POST_SIZE_TYPE) == 0;
}

static struct witness_post_reply post_reply(const struct post *post)
{
    struct witness_post_reply reply = {.body =
                                           slice_of(post->reply, post->used)};
    long http_status = 0;

    reply.why =
        post->error[0] != '\0' ? post->error : curl_easy_strerror(post->code);
    if (post->code != CURLE_OK)
        return reply;
    (void)curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &http_status);
    reply.http_status = (unsigned)http_status;
    reply.is_size = post_is_size(post->easy);
    return reply;
}

static void posts_deliver(void *context)
{
    struct witness_posts *posts = context;
    struct post *post;

    http_multi_finished(&posts->multi, post_finished);
    do {
        for (post = posts->first; post != NULL; post = post->next) {
            if (post->finished)
                break;
        }
        if (post != NULL) {
            struct witness_post_reply reply = post_reply(post);

            posts->done(posts->context, post->number, &reply);
            post_free(post);
        }
    } while (post != NULL); /* Whoever is called may send: start over. */
}

enum status witness_posts_open(struct witness_posts **posts_out,
                               struct event_base *base, void *context,
                               witness_post_done *done)
{
    struct witness_posts *posts = calloc(1, sizeof *posts);
    enum status status = ST_EXHAUSTED;

    if (posts == NULL)
        return ST_EXHAUSTED;
    posts->context = context;
    posts->done = done;
    posts->headers = curl_slist_append(NULL, "Content-Type: text/plain");
    if (posts->headers != NULL)
        status = http_multi_open(&posts->multi, base, posts, posts_deliver);
    if (status != ST_OK) {
        witness_posts_close(posts);
        return status;
    }
    *posts_out = posts;
    return ST_OK;
}

void witness_posts_close(struct witness_posts *posts)
{
    if (posts == NULL)
        return;
    while (posts->first != NULL)
        post_free(posts->first);
    curl_slist_free_all(posts->headers);
    http_multi_close(&posts->multi);
    free(posts);
}
