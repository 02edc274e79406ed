/*
 * extract_trust.c: what an extract is judged by: an authority's key, given or
 * of a cluster.conf, and a policy.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/extract.h"
#include "client/program/file.h"

bool extract_trust_key(struct extract_trusted *trusted, const char *text)
{
    size_t got;

    trusted->has_authority =
        sodium_hex2bin(trusted->trust.authority_key, PUBLIC_KEY_SIZE, text,
                       strlen(text), NULL, &got, NULL) == 0 &&
        got == PUBLIC_KEY_SIZE;
    return trusted->has_authority;
}

static int take_authority(struct extract_trusted *trusted,
                          const struct program *program)
{
    return trusted->has_authority
               ? EXIT_GOOD
               : cluster_authority(trusted->trust.authority_key, program);
}

static int take_policy(struct extract_trusted *trusted)
{
    struct tlog_policy_error error;
    enum status status = ST_EXHAUSTED;
    size_t size;

    if (trusted->policy_path == NULL)
        return EXIT_GOOD;
    trusted->policy_bytes = malloc(TLOG_POLICY_SIZE_MAX);
    if (trusted->policy_bytes != NULL)
        status = file_read(trusted->policy_bytes, &size, trusted->policy_path,
                           TLOG_POLICY_SIZE_MAX, false);
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", trusted->policy_path,
                            status_info(status)->english);
    if (tlog_policy_read(&trusted->policy, &error,
                         slice_of(trusted->policy_bytes, size)) != ST_OK)
        return program_fail(EXIT_USAGE, "%s: line %zu: %s",
                            trusted->policy_path, error.line,
                            tlog_policy_fault_text(error.fault));
    trusted->trust.policy = &trusted->policy;
    return EXIT_GOOD;
}

bool extract_trust_is_named(const struct extract_trusted *trusted,
                            const struct program *program)
{
    return trusted->has_authority || trusted->policy_path != NULL ||
           program->cluster != NULL || getenv("DEFTER_CLUSTER") != NULL;
}

int extract_trust_take(struct extract_trusted *trusted,
                       const struct program *program)
{
    int code = take_authority(trusted, program);

    return code == EXIT_GOOD ? take_policy(trusted) : code;
}

void extract_trust_wipe(struct extract_trusted *trusted)
{
    free(trusted->policy_bytes);
    trusted->policy_bytes = NULL;
}
