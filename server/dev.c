#include "server/dev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sodium.h>

#include "protocol/enrol.h"
#include "protocol/founding.h"
#include "server/diag.h"
#include "server/files.h"
#include "server/pipeline/node_command.h"

enum {
    DEV_ADMINISTRATOR = 1, /* Assignment of the operator, from genesis. */
    DEV_OWNER = 1,
    DEV_TAXES = 2,
    DEV_FUND = 3,
    DEV_BODY = 4, /* Coordinates the registry. */
    DEV_LEVEL = 3,
    DEV_CATEGORIES = 0xff,
    DEV_MODE_SECRET = 0600,
    DEV_MODE_PUBLIC = 0644,
    DEV_MODE_DIRECTORY = 0700,
    DEV_PAUSE_NS = 5000000
};

/* Persons are numbered from 2 and assignments from 2 in this order, because
 * the log is new: 1 is the operator of genesis.  Those who are assigned nothing
 * come last. */
static const struct dev_actor {
    const char *name;
    enum role role;
    uint32_t organisation;
    enum duty duty; /* DUTY_EHS, DUTY_COR: by the key's role. */
    uint16_t scope;
    const char *what;
} actors[] = {
    {"registrar", ROLE_STAFF, DEV_OWNER, DUTY_REG, 0,
     "opens subjects, enters sections"},
    {"checker", ROLE_STAFF, DEV_OWNER, DUTY_CHK, 0, "confirms what is entered"},
    {"officer", ROLE_STAFF, DEV_OWNER, DUTY_DPO, 0, "registers purposes"},
    {"auditor", ROLE_AUDITOR, DEV_OWNER, DUTY_AUD, DEV_CATEGORIES,
     "reads and watches the journal"},
    {"supplier", ROLE_PARTICIPANT, DEV_TAXES, DUTY_SUP, 0,
     "feeds, through the gateway"},
    {"requester", ROLE_PARTICIPANT, DEV_FUND, DUTY_REQ, 0, "asks for consent"},
    {"engineer", ROLE_STAFF, DEV_OWNER, DUTY_OPS, 0,
     "keeps the node going, asks for failovers"},
    {"director", ROLE_STAFF, DEV_OWNER, DUTY_DIR, 0,
     "changes settings, asks for failovers"},
    {"gateway", ROLE_EHIS, DEV_OWNER, DUTY_EHS, 0, "carries what bodies feed"},
    {"coordinator", ROLE_COORDINATOR, DEV_BODY, DUTY_COR, 0,
     "lets failovers of the registry be done"},
};
static const char DEV_ADDRESS[] = "127.0.0.1:7840";

enum { DEV_ACTORS_COUNT = sizeof actors / sizeof actors[0] };

static bool dev_is_assigned(const struct dev_actor *actor)
{
    return actor->duty != DUTY_EHS && actor->duty != DUTY_COR;
}

/* ---- Files -------------------------------------------------------------- */

static enum node_exit dev_fail(enum status status, const char *path)
{
    diag_say(DIAG_FAILURE, "%s: %s", path, status_info(status)->english);
    return NODE_REFUSED;
}

static enum node_exit dev_make_directory(const char *path)
{
    if (mkdir(path, DEV_MODE_DIRECTORY) == 0 || errno == EEXIST)
        return NODE_DRAINED;
    return dev_fail(ST_DISK_FAILED, path);
}

static enum node_exit dev_write(const char *directory, const char *inner,
                                const char *name, struct slice bytes,
                                bool is_secret)
{
    char folder[FILES_PATH_SIZE_MAX];
    char path[FILES_PATH_SIZE_MAX];
    enum status status;

    if (!files_path(folder, directory, inner) ||
        !files_path(path, folder, name))
        return dev_fail(ST_USAGE, directory);
    status = files_write_new(path, bytes.data, bytes.size,
                             is_secret ? DEV_MODE_SECRET : DEV_MODE_PUBLIC);
    return status == ST_OK ? NODE_DRAINED : dev_fail(status, path);
}

static enum node_exit dev_write_actors(const char *directory,
                                       const uint8_t *cluster_id)
{
    enum node_exit exit = NODE_DRAINED;

    for (int i = 0; i < DEV_ACTORS_COUNT && exit == NODE_DRAINED; i++) {
        uint8_t seed[SEED_SIZE], bytes[KEYFILE_SIZE];
        struct keyfile key;
        char name[64];

        randombytes_buf(seed, sizeof seed);
        keyfile_make(&key, KEYFILE_SIGNER, cluster_id, seed);
        keyfile_encode(bytes, &key);
        (void)snprintf(name, sizeof name, "%s.key", actors[i].name);
        exit = dev_write(directory, ".", name, slice_of(bytes, sizeof bytes),
                         true);
        keyfile_wipe(&key);
        sodium_memzero(seed, sizeof seed);
        sodium_memzero(bytes, sizeof bytes);
    }
    return exit;
}

static void dev_plan(struct founding_plan *plan, const char *address)
{
    static const char origin[] = "defter.local/dev";
    static const char owner[] = "KOBİA";

    randombytes_buf(plan, sizeof *plan);
    plan->origin = slice_of(origin, sizeof origin - 1);
    plan->owner = slice_of(owner, sizeof owner - 1);
    plan->address = slice_of(address, strlen(address));
    plan->peer_address = slice_of(NULL, 0);
    plan->environment = 2;
    plan->realms = 3;
    plan->now_s = (int64_t)time(NULL);
}

static enum node_exit dev_make_files(const char *directory,
                                     const struct founding *founding)
{
    static const char *const inner[] = {FILE_AUTHORITY_DIR, FILE_NODE_DIR};
    char path[FILES_PATH_SIZE_MAX];
    enum node_exit exit = dev_make_directory(directory);

    for (int i = 0; i < 2 && exit == NODE_DRAINED; i++)
        exit = files_path(path, directory, inner[i])
                   ? dev_make_directory(path)
                   : dev_fail(ST_USAGE, directory);
    for (uint32_t i = 0; i < founding->files_count && exit == NODE_DRAINED;
         i++) {
        const struct founding_file *file = &founding->files[i];
        exit = dev_write(directory, file->directory, file->name, file->bytes,
                         file->is_secret);
    }
    if (exit == NODE_DRAINED)
        exit = dev_write_actors(directory, founding->cluster_id);
    return exit;
}

enum node_exit dev_make(const char *directory, const char *address)
{
    char path[FILES_PATH_SIZE_MAX];
    struct founding_plan plan;
    struct founding founding;
    struct stat found;
    enum node_exit exit;

    if (!files_path(path, directory, FILE_CLUSTER_CONF))
        return dev_fail(ST_USAGE, directory);
    if (stat(path, &found) == 0)
        return NODE_DRAINED;
    if (address == NULL)
        address = DEV_ADDRESS;
    dev_plan(&plan, address);
    enum status status = founding_make(&founding, &plan);
    if (status == ST_OK)
        exit = dev_make_files(directory, &founding);
    else
        exit = dev_fail(status, address);
    founding_wipe(&founding);
    sodium_memzero(&plan, sizeof plan);
    return exit;
}

/* ---- Entries ------------------------------------------------------------ */

/* One who signs, with his duty. */
struct dev_signer {
    struct identity identity;
    struct node_signer signer;
};

static enum node_exit dev_signer(struct dev_signer *out,
                                 struct pipeline *pipeline,
                                 const char *directory, const char *name,
                                 uint32_t duty)
{
    char path[FILES_PATH_SIZE_MAX];
    struct keyfile key;
    enum status status = ST_USAGE;

    if (files_path(path, directory, name))
        status = files_read_key(&key, path, KEYFILE_SIGNER);
    if (status != ST_OK)
        return dev_fail(status, name);
    identity_init(&out->identity, key.secret);
    keyfile_wipe(&key);
    out->signer =
        (struct node_signer){.identity = &out->identity, .duty = duty};
    memcpy(out->signer.cluster_id, pipeline_cluster_id(pipeline),
           CLUSTER_ID_SIZE);
    return NODE_DRAINED;
}

/* Nobody waits for the answer: what is entered has its place by its order. */
static void dev_submit(struct pipeline *pipeline,
                       const struct dev_signer *signer, uint16_t opcode,
                       const void *fields)
{
    struct clock_source clock = clock_system();
    struct node_command *command = node_command_begin(&signer->signer);

    node_command_add(command, opcode, fields);
    struct work *work = node_command_finish(command, clock_wall(&clock));
    enum status status = pipeline_submit(pipeline, work);
    INVARIANT(status == ST_OK);
}

static void dev_enter_organisations(struct pipeline *pipeline,
                                    const struct dev_signer *admin)
{
    static const char taxes[] = "Dövlət Vergi Xidməti";
    static const char fund[] = "Sahibkarlığın İnkişafı Fondu";
    static const char body[] = "Əlaqələndirici qurum";
    struct op_organisation_enrol enrol = {
        .kind = 2,
        .name = slice_of(taxes, sizeof taxes - 1),
        .sections = SECTIONS_MASK,
        .ehis_code = slice_of("DVX", 3),
        .basis = {{1}},
    };

    dev_submit(pipeline, admin, OPCODE_ORGANISATION_ENROL, &enrol);
    enrol.kind = 3;
    enrol.name = slice_of(fund, sizeof fund - 1);
    enrol.sections = 0;
    enrol.ehis_code = slice_of(NULL, 0);
    dev_submit(pipeline, admin, OPCODE_ORGANISATION_ENROL, &enrol);
    enrol.kind = 5;
    enrol.name = slice_of(body, sizeof body - 1);
    dev_submit(pipeline, admin, OPCODE_ORGANISATION_ENROL, &enrol);
}

static void dev_enter_key(struct pipeline *pipeline,
                          const struct dev_signer *admin,
                          const struct dev_actor *actor,
                          const struct dev_signer *own)
{
    struct enrol_claim claim = {.role = (uint16_t)actor->role,
                                .level = DEV_LEVEL,
                                .organisation = actor->organisation};
    struct op_actor_enrol enrol = {.role = (uint8_t)actor->role,
                                   .level = DEV_LEVEL,
                                   .organisation = actor->organisation,
                                   .evidence = {{1}}};

    memcpy(enrol.public_key.b, own->identity.public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, own->signer.cluster_id, &own->identity);
    dev_submit(pipeline, admin, OPCODE_ACTOR_ENROL, &enrol);
}

static void dev_enter_duty(struct pipeline *pipeline,
                           const struct dev_signer *admin,
                           const struct dev_actor *actor, uint32_t number,
                           const struct dev_signer *own)
{
    struct op_duty_assign assign = {
        .person = number,
        .organisation = actor->organisation,
        .duty = (uint8_t)actor->duty,
        .scope = actor->scope,
        .basis = {{1}},
    };
    struct op_duty_ack ack = {.assignment = number};

    dev_submit(pipeline, admin, OPCODE_DUTY_ASSIGN, &assign);
    dev_submit(pipeline, own, OPCODE_DUTY_ACK, &ack);
}

static void dev_enter_purpose(struct pipeline *pipeline,
                              const struct dev_signer *officer, uint32_t duty)
{
    static const char title[] = "Dəstək üçün müraciətə baxılması";
    static const char basis[] = "R-9.1.3";
    struct dev_signer signer = *officer;
    struct op_purpose_put purpose = {
        .purpose = 1,
        .title = slice_of(title, sizeof title - 1),
        .legal_basis = slice_of(basis, sizeof basis - 1),
        .sections = SECTIONS_MASK,
        .kinds = 0x3ff,
    };

    signer.signer.identity = &signer.identity;
    signer.signer.duty = duty;
    dev_submit(pipeline, &signer, OPCODE_PURPOSE_PUT, &purpose);
}

/* Whom the registry's failovers need. */
static void dev_enter_coordinator(struct pipeline *pipeline,
                                  const struct dev_signer *director,
                                  uint32_t duty)
{
    struct dev_signer signer = *director;
    struct op_config_change change = {
        .setting = SETTING_coordinator_registry,
        .value = DEV_BODY,
        .note = slice_of("dev", 3),
        .basis = {{1}},
    };

    signer.signer.identity = &signer.identity;
    signer.signer.duty = duty;
    dev_submit(pipeline, &signer, OPCODE_CONFIG_CHANGE, &change);
}

static void dev_enter_carrier(struct pipeline *pipeline,
                              const struct dev_signer *admin,
                              const struct dev_signer *gateway)
{
    struct op_carrier_enrol enrol = {.kind = 1, .label = slice_of("EHIS", 4)};

    memcpy(enrol.key_id.b, gateway->identity.key_id, KEY_ID_SIZE);
    dev_submit(pipeline, admin, OPCODE_CARRIER_ENROL, &enrol);
}

static enum node_exit dev_enter_actor(struct pipeline *pipeline,
                                      const char *directory,
                                      const struct dev_signer *admin,
                                      uint32_t position)
{
    const struct dev_actor *actor = &actors[position];
    uint32_t number = position + 2;
    struct dev_signer own;
    char name[64];

    (void)snprintf(name, sizeof name, "%s.key", actor->name);
    enum node_exit exit = dev_signer(&own, pipeline, directory, name, 0);
    if (exit != NODE_DRAINED)
        return exit;
    dev_enter_key(pipeline, admin, actor, &own);
    if (actor->duty == DUTY_EHS)
        dev_enter_carrier(pipeline, admin, &own);
    if (dev_is_assigned(actor))
        dev_enter_duty(pipeline, admin, actor, number, &own);
    if (actor->duty == DUTY_DPO)
        dev_enter_purpose(pipeline, &own, number);
    if (actor->duty == DUTY_DIR)
        dev_enter_coordinator(pipeline, &own, number);
    identity_wipe(&own.identity);
    return NODE_DRAINED;
}

/* Whether the first of the sample keys is enrolled. */
static bool dev_is_entered(struct pipeline *pipeline, const char *directory)
{
    struct directory_key found;
    struct dev_signer first;

    if (dev_signer(&first, pipeline, directory, "registrar.key", 0) !=
        NODE_DRAINED)
        return false;
    bool entered = directory_find(pipeline_directory(pipeline), &found,
                                  first.identity.key_id);
    identity_wipe(&first.identity);
    return entered;
}

enum node_exit dev_enter(struct pipeline *pipeline, const char *directory)
{
    /* Organisations; three entries an actor but the gateway, which has two, and
     * the coordinator, who has one; the purpose; the setting. */
    const uint64_t expected = 3 + 3 * (DEV_ACTORS_COUNT - 2) + 2 + 1 + 1 + 1;
    uint64_t size = pipeline_size(pipeline) + expected;
    struct dev_signer admin;

    if (dev_is_entered(pipeline, directory))
        return NODE_DRAINED;
    enum node_exit exit = dev_signer(&admin, pipeline, directory,
                                     FILE_OPERATOR_KEY, DEV_ADMINISTRATOR);

    if (exit != NODE_DRAINED)
        return exit;
    dev_enter_organisations(pipeline, &admin);
    for (uint32_t i = 0; i < DEV_ACTORS_COUNT && exit == NODE_DRAINED; i++)
        exit = dev_enter_actor(pipeline, directory, &admin, i);
    identity_wipe(&admin.identity);
    while (exit == NODE_DRAINED && pipeline_size(pipeline) < size)
        (void)nanosleep(&(struct timespec){.tv_nsec = DEV_PAUSE_NS}, NULL);
    return exit;
}

/* ---- Words -------------------------------------------------------------- */

/* The word that `defter --role` takes; the owner's staff needs none. */
static const char *dev_role(enum role role)
{
    return role == ROLE_STAFF ? "" : role_name((uint32_t)role);
}

void dev_say(const char *directory)
{
    printf("A node for trying things out, in %s. Its keys:\n\n"
           "  %-15s %-12s %s\n"
           "  %-15s %-12s as=1  enrols keys, assigns duties\n",
           directory, "--key", "--role", "", "operator.key", "");
    for (uint32_t i = 0; i < DEV_ACTORS_COUNT; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s.key", actors[i].name);
        printf("  %-15s %-12s ", name, dev_role(actors[i].role));
        if (!dev_is_assigned(&actors[i]))
            printf("      %s\n", actors[i].what);
        else
            printf("as=%u  %s\n", i + 2, actors[i].what);
    }
    printf("\nIn another terminal:\n\n"
           "  export DEFTER_CLUSTER=%s/%s\n"
           "  defter --key %s/registrar.key subject.open as=2 "
           "subject=1000000171 \\\n"
           "      kind=legal opened=2024-01-15\n"
           "  defter --key %s/operator.key shell\n\n",
           directory, FILE_CLUSTER_CONF, directory, directory);
    (void)fflush(stdout);
}
