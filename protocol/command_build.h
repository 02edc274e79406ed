/*
 * command_build.h: writing and signing a command, as clients and nodes do.
 *
 *   command_build_begin(&build, buffer, sizeof buffer, &header);
 *   command_build_item(&build, &clear, salt, fields);   (1 to 256 times)
 *   status = command_build_sign(&build, &body, cluster_id, &identity);
 */
#ifndef DEFTER_PROTOCOL_COMMAND_BUILD_H
#define DEFTER_PROTOCOL_COMMAND_BUILD_H

#include "protocol/command.h"
#include "protocol/identity.h"
#include "protocol/tree.h"

struct command_build {
    struct writer writer;
    struct command_header header;
    struct tree tree; /* Over the items written so far. */
};

/*
 * command_build_begin(build, buffer, size, header):
 * Start a command in ${buffer}.  Of ${header} the caller sets flags, realm,
 * idem, signed_at, ttl_s and counter; the rest is set when signing.
 *
 * Owns: keeps ${buffer} until signed.
 */
void command_build_begin(struct command_build *build, void *buffer, size_t size,
                         const struct command_header *header);

/*
 * command_build_item(build, clear, salt, fields):
 * Add one item; ${clear}'s size is computed here.  ${salt} are SALT_SIZE random
 * bytes.  A failure is remembered until signing.
 */
void command_build_item(struct command_build *build,
                        const struct item_clear *clear, const uint8_t *salt,
                        struct slice fields);

/*
 * command_build_sign(build, body_out, cluster_id, identity):
 * Finish: ${*body_out} is the body of a COMMAND frame inside the buffer.
 *
 * Returns: ST_OK; ST_ITEMS for no item or too many; ST_TOO_LARGE if the buffer
 *          or the log's entry has no room.
 */
NODISCARD enum status command_build_sign(struct command_build *build,
                                         struct slice *body_out,
                                         const uint8_t *cluster_id,
                                         const struct identity *identity);

#endif
