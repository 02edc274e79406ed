#include "tests/lib/etcd_fake_calls.h"

#include "server/cluster/etcd_reply.h"

/* One call at a time, in one thread. */
static uint8_t answer_text[ETCD_REPLY_SIZE_MAX];
static struct etcd_reply reply;

static struct slice post(struct etcd_fake *fake, const char *path,
                         const struct writer *body)
{
    struct writer out;

    INVARIANT(body->status == ST_OK);
    writer_init(&out, answer_text, sizeof answer_text);
    (void)etcd_fake_post(fake, &out, path, writer_slice(body));
    INVARIANT(out.status == ST_OK);
    return writer_slice(&out);
}

static void run(struct etcd_fake *fake, const struct etcd_txn *txn)
{
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct writer writer;
    enum status status;

    writer_init(&writer, body, sizeof body);
    etcd_text_txn(&writer, txn);
    status = etcd_reply_txn(&reply, post(fake, ETCD_PATH_TXN, &writer), txn);
    INVARIANT(status == ST_OK);
}

void etcd_fake_cas(struct etcd_fake *fake, struct register_answer *answer,
                   const uint8_t cluster_id[CLUSTER_ID_SIZE],
                   const struct register_proposal *proposal)
{
    struct etcd_txn txn;

    etcd_txn_cas(&txn, cluster_id, proposal);
    run(fake, &txn);
    etcd_reply_cas(answer, &reply, cluster_id, proposal);
}

void etcd_fake_read(struct etcd_fake *fake, struct register_view *view,
                    struct register_alive *alive,
                    const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    struct etcd_txn txn;

    etcd_txn_read(&txn, cluster_id);
    run(fake, &txn);
    etcd_reply_view(view, &reply, cluster_id);
    etcd_reply_alive(alive, &reply, cluster_id);
}

uint64_t etcd_fake_registered(struct etcd_fake *fake,
                              const uint8_t cluster_id[CLUSTER_ID_SIZE],
                              const uint8_t node_id[NODE_ID_SIZE])
{
    struct etcd_txn txn;
    uint64_t incarnation;
    enum status status;

    etcd_txn_probe(&txn, cluster_id, node_id);
    run(fake, &txn);
    INVARIANT(!reply.succeeded);
    status = etcd_reply_incarnation(&incarnation, &reply, cluster_id, node_id);
    INVARIANT(status == ST_OK);
    return incarnation;
}

bool etcd_fake_register(struct etcd_fake *fake,
                        const uint8_t cluster_id[CLUSTER_ID_SIZE],
                        const uint8_t node_id[NODE_ID_SIZE], uint64_t before,
                        uint64_t incarnation)
{
    struct etcd_txn txn;

    etcd_txn_incarnation(&txn, cluster_id, node_id, before, incarnation);
    run(fake, &txn);
    return reply.succeeded;
}

static bool renew(struct etcd_fake *fake, uint64_t id)
{
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct etcd_lease lease;
    struct writer writer;

    writer_init(&writer, body, sizeof body);
    etcd_text_keepalive(&writer, id);
    return etcd_reply_keepalive(
               &lease, post(fake, ETCD_PATH_KEEPALIVE, &writer)) == ST_OK;
}

uint64_t etcd_fake_live(struct etcd_fake *fake,
                        const uint8_t cluster_id[CLUSTER_ID_SIZE],
                        const uint8_t node_id[NODE_ID_SIZE], uint64_t lease,
                        uint32_t ttl_s)
{
    struct etcd_key key = etcd_key_alive(cluster_id, node_id);
    uint8_t body[ETCD_BODY_SIZE_MAX];
    struct etcd_lease granted;
    struct writer writer;
    enum status status;

    if (lease != 0 && renew(fake, lease))
        return lease;
    writer_init(&writer, body, sizeof body);
    etcd_text_grant(&writer, ttl_s);
    status = etcd_reply_grant(&granted, post(fake, ETCD_PATH_GRANT, &writer));
    INVARIANT(status == ST_OK);
    writer_init(&writer, body, sizeof body);
    etcd_text_put(&writer, &key, slice_of("1", 1), granted.id);
    status = etcd_reply_put(post(fake, ETCD_PATH_PUT, &writer));
    INVARIANT(status == ST_OK);
    return granted.id;
}
