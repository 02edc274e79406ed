#include "protocol/nodecert.h"

#include <string.h>

#include "protocol/assumptions.h"

enum { NODECERT_SIGNED_SIZE = NODECERT_SIZE - SIGNATURE_SIZE };

static_assert(NODECERT_SIGNED_SIZE == 120, "the signature begins at 120");

#define NODECERT_LIFETIME_S_MAX ((uint64_t)NODECERT_LIFETIME_DAYS_MAX * 86400)

void nodecert_sign(uint8_t out[NODECERT_SIZE], const struct nodecert *cert,
                   const struct identity *authority)
{
    struct writer writer;

    writer_init(&writer, out, NODECERT_SIGNED_SIZE);
    writer_u16(&writer, NODECERT_VERSION);
    writer_u16(&writer, cert->role);
    writer_u32(&writer, cert->serial);
    writer_i64(&writer, cert->not_before_s);
    writer_i64(&writer, cert->not_after_s);
    writer_bytes(&writer, cert->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, cert->node_id, NODE_ID_SIZE);
    writer_bytes(&writer, cert->channel_key, PUBLIC_KEY_SIZE);
    writer_bytes(&writer, cert->receipt_key, PUBLIC_KEY_SIZE);
    ENSURE(writer.status == ST_OK && writer.used == NODECERT_SIGNED_SIZE);
    identity_sign(authority, out + NODECERT_SIGNED_SIZE, TAG_NODECERT, NULL,
                  out, NODECERT_SIGNED_SIZE);
}

void nodecert_decode(struct nodecert *cert, const uint8_t *bytes)
{
    struct reader reader;

    reader_init(&reader, slice_of(bytes, NODECERT_SIZE));
    reader_u16(&reader);
    cert->role = reader_u16(&reader);
    cert->serial = reader_u32(&reader);
    cert->not_before_s = reader_i64(&reader);
    cert->not_after_s = reader_i64(&reader);
    reader_copy(&reader, cert->cluster_id, CLUSTER_ID_SIZE);
    reader_copy(&reader, cert->node_id, NODE_ID_SIZE);
    reader_copy(&reader, cert->channel_key, PUBLIC_KEY_SIZE);
    reader_copy(&reader, cert->receipt_key, PUBLIC_KEY_SIZE);
}

/* The lifetime, compared without overflow whatever the authority signed. */
static bool nodecert_lifetime_good(const struct nodecert *cert)
{
    if (cert->not_before_s < 0 || cert->not_after_s < cert->not_before_s)
        return false;
    return (uint64_t)cert->not_after_s - (uint64_t)cert->not_before_s <=
           NODECERT_LIFETIME_S_MAX;
}

static enum nodecert_fault nodecert_judge(
    const struct nodecert *cert, const uint8_t *bytes,
    const struct nodecert_expected *expected, const uint8_t *channel_key)
{
    if (load_u16(bytes) != NODECERT_VERSION)
        return NODECERT_BAD_VERSION;
    if (memcmp(cert->cluster_id, expected->cluster_id, CLUSTER_ID_SIZE) != 0)
        return NODECERT_OTHER_CLUSTER;
    if (identity_verify(expected->authority_key, bytes + NODECERT_SIGNED_SIZE,
                        TAG_NODECERT, NULL, bytes,
                        NODECERT_SIGNED_SIZE) != ST_OK)
        return NODECERT_BAD_SIGNATURE;
    if (expected->now_s + NODECERT_CLOCK_SLACK_S < cert->not_before_s)
        return NODECERT_NOT_YET_VALID;
    if (expected->now_s - NODECERT_CLOCK_SLACK_S > cert->not_after_s)
        return NODECERT_EXPIRED;
    if (cert->role != expected->role)
        return NODECERT_OTHER_ROLE;
    if (channel_key != NULL &&
        memcmp(cert->channel_key, channel_key, PUBLIC_KEY_SIZE) != 0)
        return NODECERT_OTHER_CHANNEL_KEY;
    if (!nodecert_lifetime_good(cert))
        return NODECERT_LIFETIME;
    if (!identity_public_key_acceptable(cert->receipt_key))
        return NODECERT_BAD_RECEIPT_KEY;
    return NODECERT_GOOD;
}

enum status nodecert_verify(struct nodecert *cert,
                            enum nodecert_fault *fault_out,
                            const uint8_t *bytes,
                            const struct nodecert_expected *expected,
                            const uint8_t *channel_key)
{
    REQUIRE(expected->now_s >= 0 && expected->now_s < INT64_MAX / 2);
    nodecert_decode(cert, bytes);
    *fault_out = nodecert_judge(cert, bytes, expected, channel_key);
    return *fault_out == NODECERT_GOOD ? ST_OK : ST_CERTIFICATE;
}

const char *nodecert_fault_text(enum nodecert_fault fault)
{
    switch (fault) {
    case NODECERT_GOOD:
        return "certificate is good";
    case NODECERT_BAD_VERSION:
        return "certificate version not known";
    case NODECERT_OTHER_CLUSTER:
        return "certificate of another cluster";
    case NODECERT_BAD_SIGNATURE:
        return "certificate not signed by the cluster's authority";
    case NODECERT_NOT_YET_VALID:
        return "certificate not yet valid";
    case NODECERT_EXPIRED:
        return "certificate expired";
    case NODECERT_OTHER_ROLE:
        return "certificate for another role";
    case NODECERT_OTHER_CHANNEL_KEY:
        return "certificate for another channel key";
    case NODECERT_LIFETIME:
        return "certificate lifetime over the limit";
    case NODECERT_BAD_RECEIPT_KEY:
        return "certificate with an unusable receipt key";
    case NODECERT_FAULTS_COUNT:
        break;
    }
    return "unknown fault";
}
