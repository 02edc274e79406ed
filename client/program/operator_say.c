#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/program/operator.h"
#include "protocol/config_cert.h"

void operator_short(char out[OPERATOR_SHORT_SIZE], const uint8_t *node_id)
{
    sodium_bin2hex(out, OPERATOR_SHORT_SIZE, node_id,
                   (OPERATOR_SHORT_SIZE - 1) / 2);
}

/* What a node is under a configuration. */
static const char *part_of(const struct program *program,
                           const struct config *config, const uint8_t *node_id)
{
    if (memcmp(config->primary, node_id, NODE_ID_SIZE) == 0 &&
        config->phase == CONFIG_RECOVERING)
        return OPERATOR_WORDS(program, "recovering", "bərpa edir");
    if (memcmp(config->primary, node_id, NODE_ID_SIZE) == 0)
        return OPERATOR_WORDS(program, "primary", "əsas");
    if (config_has_member(config, node_id))
        return OPERATOR_WORDS(program, "member", "üzv");
    if (config_has_learner(config, node_id))
        return OPERATOR_WORDS(program, "learner", "öyrənən");
    return OPERATOR_WORDS(program, "not in it", "daxil deyil");
}

static void say_flags(const struct program *program, uint16_t flags)
{
    if ((flags & STATEMENT_PRIMARY) != 0)
        fputs(OPERATOR_WORDS(program, ", leads", ", rəhbərlik edir"), stdout);
    if ((flags & STATEMENT_SEALED) != 0)
        fputs(OPERATOR_WORDS(program, ", has stopped", ", dayanıb"), stdout);
    if ((flags & STATEMENT_LOST) != 0)
        fputs(
            OPERATOR_WORDS(program, ", has LOST entries", ", yazıları İTİRİB"),
            stdout);
    if ((flags & STATEMENT_DAMAGED) != 0)
        fputs(OPERATOR_WORDS(program, ", has DAMAGED entries",
                             ", ZƏDƏLİ yazıları var"),
              stdout);
}

static void say_node(const struct operator_job *job, size_t at)
{
    const struct succession_node *node = &job->view.nodes[at];
    const struct statement *said = &node->statement;
    const struct program *program = &job->program;
    char id[OPERATOR_SHORT_SIZE], other[OPERATOR_SHORT_SIZE];

    operator_short(id, node->node_id);
    printf("  %s %-8s %-10s ", id,
           node->archive ? OPERATOR_WORDS(program, "archive", "arxiv")
                         : OPERATOR_WORDS(program, "backup", "ehtiyat"),
           job->plan.older.number == 0
               ? "-"
               : part_of(program, &job->plan.older, node->node_id));
    if (!node->reached) {
        printf("%s: %s\n",
               OPERATOR_WORDS(program, "does not answer", "cavab vermir"),
               job->known[at].why_not);
        return;
    }
    printf(OPERATOR_WORDS(program,
                          "%" PRIu64 " entries, %" PRIu64
                          " of them committed; epoch %" PRIu32
                          ", configuration %" PRIu64,
                          "%" PRIu64 " yazı, onlardan %" PRIu64
                          " qəti; dövr %" PRIu32 ", tərkib %" PRIu64),
           said->size, said->committed, said->promised, said->config_number);
    say_flags(program, said->flags);
    if ((said->flags & STATEMENT_ACK) != 0) {
        operator_short(other, said->other);
        printf(OPERATOR_WORDS(program, ", %s acknowledged %" PRIu64,
                              ", %s %" PRIu64 " yazını təsdiqləyib"),
               other, said->other_matched);
    }
    putchar('\n');
}

static void say_config(const struct program *program,
                       const struct config *config)
{
    char id[OPERATOR_SHORT_SIZE];

    printf(OPERATOR_WORDS(program,
                          "  configuration %" PRIu64 " (%s), epoch %" PRIu32
                          ", minimum %d:",
                          "  tərkib %" PRIu64 " (%s), dövr %" PRIu32
                          ", minimum %d:"),
           config->number, config_why_name(config->why), config->epoch,
           config->minimum);
    for (size_t i = 0; i < config->members_count; i++) {
        operator_short(id, config->members[i].node_id);
        printf(" %s (%s)", id,
               part_of(program, config, config->members[i].node_id));
    }
    for (size_t i = 0; i < config->learners_count; i++) {
        operator_short(id, config->learners[i]);
        printf(" %s (%s)", id, part_of(program, config, config->learners[i]));
    }
    putchar('\n');
}

/* What a forced change costs. */
static void say_loss(const struct operator_job *job)
{
    const struct succession_plan *plan = &job->plan;
    const struct program *program = &job->program;

    if (plan->known > plan->kept)
        printf(OPERATOR_WORDS(program,
                              "  LOST for certain: the committed entries from "
                              "%" PRIu64 " to %" PRIu64 ".\n",
                              "  QƏTİ İTİR: %" PRIu64 " - %" PRIu64
                              " nömrəli qəti yazılar.\n"),
               plan->kept, plan->known - 1);
    printf(OPERATOR_WORDS(program,
                          "  Whatever the nodes that do not answer "
                          "acknowledged from entry %" PRIu64
                          " on is lost too.\n",
                          "  Cavab verməyən qovşaqların %" PRIu64
                          " nömrəli yazıdan sonra təsdiq etdikləri də itir.\n"),
           plan->kept);
    if (plan->held > plan->kept)
        printf(OPERATOR_WORDS(program,
                              "  ANOTHER NODE THAT ANSWERS HOLDS MORE: %" PRIu64
                              " entries. Force that one, or lay its log to "
                              "this one first.\n",
                              "  CAVAB VERƏN BAŞQA QOVŞAQDA DAHA ÇOX YAZI VAR: "
                              "%" PRIu64 ". Onu seçin və ya əvvəlcə onun "
                              "jurnalını bura köçürün.\n"),
               plan->held);
    if (plan->newer.minimum > 1)
        printf(OPERATOR_WORDS(program,
                              "  Nothing is acknowledged until %d nodes are "
                              "members: --minimum 1 serves at once.\n",
                              "  %d üzv olmayınca heç nə təsdiq edilmir: "
                              "--minimum 1 ilə dərhal işləyir.\n"),
               plan->newer.minimum);
}

/* What is forced, and what it begins. */
static void say_forced(const struct operator_job *job)
{
    const struct succession_plan *plan = &job->plan;
    const struct program *program = &job->program;
    char older[2 * LINEAGE_SIZE + 1], newer[2 * LINEAGE_SIZE + 1];
    char leaf[2 * HASH_SIZE + 1], id[OPERATOR_SHORT_SIZE];

    operator_short(id, plan->newer.primary);
    sodium_bin2hex(older, sizeof older, plan->older.lineage, LINEAGE_SIZE);
    sodium_bin2hex(newer, sizeof newer, plan->newer.lineage, LINEAGE_SIZE);
    sodium_bin2hex(leaf, sizeof leaf, plan->newer.base_leaf, HASH_SIZE);
    printf(OPERATOR_WORDS(program,
                          "  FORCED: %s leads alone, with the %" PRIu64
                          " entries that it holds; the last one's hash is\n"
                          "    %s\n",
                          "  MƏCBURİ: %s tək rəhbərlik edir, onda olan %" PRIu64
                          " yazı ilə; sonuncunun heşi:\n"
                          "    %s\n"),
           id, plan->kept, leaf);
    say_loss(job);
    printf(OPERATOR_WORDS(
               program,
               "  The lineage %s ends, and a new one begins:\n    %s\n"
               "  No node of the old lineage is ever spoken with again. One "
               "whose log is a beginning of\n  this one takes the same "
               "certificate; any other keeps its disk as evidence, and comes\n"
               "  back with an empty one.\n",
               "  %s nəsli bitir, yenisi başlayır:\n    %s\n"
               "  Köhnə nəslin heç bir qovşağı ilə bir daha əlaqə qurulmur. "
               "Jurnalı bu jurnalın\n  başlanğıcı olan qovşaq həmin "
               "sertifikatı qəbul edir; başqası diskini sübut kimi\n  saxlayır "
               "və boş disklə qayıdır.\n"),
           older, newer);
}

/* Only a member is promoted; who is none, and may lead, has another way. */
static bool may_go_via(const struct operator_job *job)
{
    const struct config *older = &job->plan.older;

    return job->wish.why == CONFIG_PROMOTE && job->fault == SUCCESSION_CONFIG &&
           job->plan.config_fault == CONFIG_V3_PRIMARY &&
           config_is_eligible(older, job->wish.node) &&
           !config_has_member(older, job->wish.node);
}

static void say_fault(const struct operator_job *job)
{
    const struct program *program = &job->program;
    char id[OPERATOR_SHORT_SIZE];
    const char *text = program->azerbaijani
                           ? succession_fault_text_az(job->fault)
                           : succession_fault_text(job->fault);

    printf(
        "%s: %s",
        OPERATOR_WORDS(program, "This may not be signed", "Bu imzalana bilməz"),
        text);
    if (job->fault == SUCCESSION_CONFIG)
        printf(" (%s)", program->azerbaijani
                            ? config_fault_text_az(job->plan.config_fault)
                            : config_fault_text(job->plan.config_fault));
    if (!sodium_is_zero(job->plan.concerned, NODE_ID_SIZE)) {
        operator_short(id, job->plan.concerned);
        printf(" [%s]", id);
    }
    puts(".");
    if (!may_go_via(job))
        return;
    operator_short(id, job->wish.node);
    printf(OPERATOR_WORDS(&job->program,
                          "It is no member. Where no member may lead, it can "
                          "take over the log of one: defter promote %s --via "
                          "MEMBER\n",
                          "O, üzv deyil. Üzvlərdən heç biri rəhbərlik edə "
                          "bilməzsə, o, üzvün jurnalını mənimsəyə bilər: "
                          "defter promote %s --via ÜZV\n"),
           id);
}

void operator_say_nodes(const struct operator_job *job)
{
    puts(OPERATOR_WORDS(&job->program,
                        "What the nodes state:", "Qovşaqların bəyanatı:"));
    for (size_t at = 0; at < job->view.nodes_count; at++)
        say_node(job, at);
}

void operator_say(const struct operator_job *job)
{
    const struct program *program = &job->program;

    operator_say_nodes(job);
    if (job->plan.older.number != 0) {
        puts(OPERATOR_WORDS(program, "Now:", "İndi:"));
        say_config(program, &job->plan.older);
    }
    if (job->fault != SUCCESSION_GOOD) {
        say_fault(job);
        return;
    }
    puts(OPERATOR_WORDS(program, "To be signed:", "İmzalanacaq:"));
    say_config(program, &job->plan.newer);
    if (job->wish.why == CONFIG_FORCED)
        say_forced(job);
    if (job->wish.why == CONFIG_SETTLE)
        puts(OPERATOR_WORDS(
            program,
            "  Nobody joins or leaves. Whoever was to join, and was named to "
            "the primary without\n"
            "  a certificate that followed, is waited for no more.",
            "  Heç kim əlavə olunmur və çıxarılmır. Əsas qovşağa adı verilmiş, "
            "lakin sertifikatı\n"
            "  imzalanmamış qovşaq daha gözlənilmir."));
    if (job->plan.witness_needed)
        puts(OPERATOR_WORDS(program, "  An archive must countersign.",
                            "  Arxiv qovşağı da imzalamalıdır."));
}

void operator_say_done(const struct operator_job *job)
{
    const struct program *program = &job->program;
    char id[OPERATOR_SHORT_SIZE];

    if (job->paper[0] != '\0')
        printf(OPERATOR_WORDS(program, "For the paper: %s\n",
                              "Kağıza yazın: %s\n"),
               job->paper);
    if (job->saved[0] != '\0')
        printf(OPERATOR_WORDS(program, "The certificate: %s\n",
                              "Sertifikat: %s\n"),
               job->saved);
    if (job->unwitnessed) { /* No node was tried: each would refuse it. */
        puts(OPERATOR_WORDS(
            program, "Next: defter certificate again [--authority FILE]",
            "Növbəti: defter certificate again [--authority FAYL]"));
        return;
    }
    for (size_t at = 0; at < job->view.nodes_count; at++) {
        const struct operator_delivery *out = &job->delivered[at];
        operator_short(id, job->view.nodes[at].node_id);
        if (out->tried && out->code == 0)
            printf("  %s %s\n", id,
                   OPERATOR_WORDS(program, "took it", "qəbul etdi"));
        else if (out->tried)
            printf("  %s %s: %s%s%s\n", id,
                   OPERATOR_WORDS(program, "did not take it", "qəbul etmədi"),
                   status_info(out->code)->english,
                   out->text[0] != '\0' ? ": " : "", out->text);
        else if (job->saved[0] != '\0' && job->no_deliver)
            printf(OPERATOR_WORDS(program, "  %s was not tried\n",
                                  "  %s qovşağına göndərilmədi\n"),
                   id);
        else if (job->saved[0] != '\0')
            printf(OPERATOR_WORDS(program,
                                  "  %s was not reached: lay the certificate "
                                  "into its directory as %s\n",
                                  "  %s əlçatan deyil: sertifikatı onun "
                                  "qovluğuna %s adı ilə qoyun\n"),
                   id, "incoming.certificate");
    }
}

int operator_say_certificate(const struct program *program, const char *path,
                             struct slice certificate)
{
    static const char *const signers[] = {"", "operator", "authority",
                                          "witness"};
    struct config_cert cert;
    struct config config;
    char id[OPERATOR_SHORT_SIZE], hash[2 * HASH_SIZE + 1];
    uint8_t digest[HASH_SIZE];

    if (config_cert_decode(&cert, certificate) != ST_OK ||
        config_decode(&config, cert.config) != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: not a certificate", path);
    say_config(program, &config);
    config_hash(digest, cert.config);
    sodium_bin2hex(hash, sizeof hash, digest, HASH_SIZE);
    printf("  hash      %s\n", hash);
    sodium_bin2hex(hash, sizeof hash, config.previous, HASH_SIZE);
    printf("  previous  %s\n", hash);
    sodium_bin2hex(hash, sizeof hash, config.lineage, LINEAGE_SIZE);
    printf("  lineage   %s\n", hash);
    sodium_bin2hex(hash, sizeof hash, cert.evidence, HASH_SIZE);
    printf("  evidence  %s\n  base      %" PRIu64 "\n  not after %" PRId64 "\n",
           hash, config.base_size, cert.not_after_s);
    if (config.why == CONFIG_FORCED)
        printf("  lost      %" PRIu32 " committed entries from %" PRIu64
               " on, and what else was acknowledged\n",
               config.lost_count, config.base_size);
    for (size_t i = 0; i < cert.signatures_count; i++) {
        const struct config_signature *at = &cert.signatures[i];
        operator_short(id, at->node_id);
        printf("  signed by %s%s%s\n", signers[at->signer],
               at->signer == CONFIG_SIGNER_WITNESS ? " " : "",
               at->signer == CONFIG_SIGNER_WITNESS ? id : "");
    }
    return EXIT_GOOD;
}
