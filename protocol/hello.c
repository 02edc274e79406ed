#include "protocol/hello.h"

#include "protocol/text.h"

enum {
    HELLO_TAG_AGENT = 1,
    HELLO_TAG_FEATURES = 3,
    HELLO_TAG_CERTIFICATE = 4,
    HELLO_TLV_HEADER = 4
};

static enum status hello_certificate(struct hello *hello, struct slice value)
{
    if (value.size != NODECERT_SIZE)
        return ST_BAD_FIELD;
    hello->has_certificate = true;
    hello->certificate = value;
    return ST_OK;
}

static enum status hello_value(struct hello *hello, uint16_t tag,
                               struct slice value, bool link)
{
    if (link && tag == HELLO_TAG_CERTIFICATE)
        return hello_certificate(hello, value);
    switch (tag) {
    case HELLO_TAG_AGENT:
        if (value.size > AGENT_SIZE_MAX || !text_valid(value))
            return ST_BAD_FIELD;
        hello->has_agent = true;
        hello->agent = value;
        return ST_OK;
    case HELLO_TAG_FEATURES:
        if (value.size != sizeof hello->features)
            return ST_BAD_FIELD;
        hello->has_features = true;
        hello->features = load_u64(value.data);
        return ST_OK;
    }
    /* Zero is even too: a tag that is never used. */
    return tag % 2 == 0 ? ST_UNKNOWN_FIELD : ST_OK;
}

static enum status hello_read(struct hello *hello, struct slice payload,
                              bool link)
{
    struct reader reader;
    uint16_t last = 0;

    *hello = (struct hello){0};
    reader_init(&reader, payload);
    for (size_t count = 0; reader_left(&reader) > 0; count++) {
        uint16_t tag;
        uint16_t size;
        enum status status;

        if (count == HANDSHAKE_TLVS_MAX)
            return ST_TOO_LARGE;
        if (reader_left(&reader) < HELLO_TLV_HEADER)
            return ST_FRAME;
        tag = reader_u16(&reader);
        size = reader_u16(&reader);
        if (tag <= last && count > 0)
            return ST_FIELD_ORDER;
        last = tag;
        if (size > reader_left(&reader))
            return ST_FRAME;
        status = hello_value(hello, tag, reader_bytes(&reader, size), link);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

enum status hello_decode(struct hello *hello, struct slice payload)
{
    return hello_read(hello, payload, false);
}

enum status hello_decode_link(struct hello *hello, struct slice payload)
{
    return hello_read(hello, payload, true);
}

static void hello_encode_tlv(struct writer *out, uint16_t tag,
                             struct slice value)
{
    writer_u16(out, tag);
    writer_blob(out, value);
}

void hello_encode(const struct hello *hello, struct writer *out)
{
    REQUIRE(hello->agent.size <= AGENT_SIZE_MAX);
    if (hello->has_agent)
        hello_encode_tlv(out, HELLO_TAG_AGENT, hello->agent);
    if (hello->has_features) {
        uint8_t bits[sizeof hello->features];

        store_u64(bits, hello->features);
        hello_encode_tlv(out, HELLO_TAG_FEATURES, slice_of(bits, sizeof bits));
    }
    if (hello->has_certificate) {
        REQUIRE(hello->certificate.size == NODECERT_SIZE);
        hello_encode_tlv(out, HELLO_TAG_CERTIFICATE, hello->certificate);
    }
}
