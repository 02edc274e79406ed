/*
 * extract_judge.h: whether a signed extract is what a node of the cluster gave
 * out (EXTRACT, section 6).  Offline, from the file and from what the reader
 * trusts: the authority's key, and a policy for the log's checkpoint.
 *
 * TRUE says: at that place of the log somebody asked for it, and the log holds
 * the statement of a node of the cluster that this was done and answered so.  A
 * node takes such a statement from nobody but itself, and every other node
 * compares it with what it came to before it goes on; so the receipt's key
 * alone makes nothing TRUE.  Whether it still holds today only the registry
 * knows (extract.verify).
 */
#ifndef DEFTER_PROTOCOL_EXTRACT_JUDGE_H
#define DEFTER_PROTOCOL_EXTRACT_JUDGE_H

#include "protocol/extract_file.h"
#include "protocol/nodecert.h"
#include "protocol/receipt.h"
#include "protocol/tlog_proof.h"

enum extract_verdict {
    EXTRACT_TRUE,
    EXTRACT_TAMPERED, /* Or of somebody who is not trusted. */
    EXTRACT_INCOMPLETE
};

/* X(name, verdict, english, azerbaijani): what was found. */
#define EXTRACT_FINDINGS(X)                                                    \
    X(GOOD, TRUE,                                                              \
      "its node signed it, and the log holds its entry and the attestation "   \
      "that the registry decided and answered so",                             \
      "qovşaq imzalayıb, yazısı və reyestrin qərarı ilə cavabının "  \
      "təsdiqləməsi jurnaldadır")                                              \
    X(FORM, TAMPERED, "not well formed", "düzgün yazılmayıb")                  \
    X(CERTIFICATE, TAMPERED,                                                   \
      "its node has no certificate of this authority for that time",           \
      "qovşağın həmin vaxt üçün bu səlahiyyətli orqanın sertifikatı yoxdur")   \
    X(RECEIPT, TAMPERED, "not signed by the node that its certificate names",  \
      "sertifikatda göstərilən qovşaq tərəfindən imzalanmayıb")                \
    X(RESULT, TAMPERED,                                                        \
      "number, subject, sections or commitments are not those that were "      \
      "signed",                                                                \
      "nömrə, subyekt, bölmələr və ya öhdəliklər imzalananlardan fərqlidir")   \
    X(DISCLOSURE, TAMPERED, "this field is not what was signed",               \
      "bu sahə imzalanandan fərqlidir")                                        \
    X(TWICE, TAMPERED, "this field is shown twice",                            \
      "bu sahə iki dəfə göstərilib")                                           \
    X(ENTRY, TAMPERED, "the entry is not the one that the receipt names",      \
      "jurnal yazısı qəbzdə göstərilən deyil")                                 \
    X(PROOF, TAMPERED, "the proof does not show that the log holds the entry", \
      "sübut yazının jurnalda olduğunu göstərmir")                             \
    X(ATTESTER, TAMPERED,                                                      \
      "its attestation is not signed by a node of this authority",             \
      "təsdiqləmə bu səlahiyyətli orqanın qovşağı tərəfindən imzalanmayıb")    \
    X(ATTESTATION, TAMPERED,                                                   \
      "its attestation states another decision or another answer",             \
      "təsdiqləmədə başqa qərar və ya başqa cavab göstərilib")                 \
    X(ATTESTED, TAMPERED,                                                      \
      "the proof does not show that the log holds the attestation",            \
      "sübut təsdiqləmənin jurnalda olduğunu göstərmir")                       \
    X(CHECKPOINT, TAMPERED,                                                    \
      "the checkpoint is not signed by a log that the policy names",           \
      "nəzarət nöqtəsi siyasətdə göstərilən jurnal tərəfindən imzalanmayıb")   \
    X(NO_PROOF, INCOMPLETE,                                                    \
      "signed, but not tied to the log: no proof is in it",                    \
      "imzalanıb, lakin jurnala bağlanmayıb: sübut yoxdur")                    \
    X(RECEIPTED, INCOMPLETE,                                                   \
      "its node signed it, and its entry is in the log; that the registry "    \
      "decided and answered so is the word of that node alone: no "            \
      "attestation is in it",                                                  \
      "qovşaq imzalayıb və yazısı jurnaldadır; reyestrin belə qərar "  \
      "verib cavablandırdığını yalnız həmin qovşaq bildirir: "         \
      "təsdiqləmə yoxdur")                                                     \
    X(NO_POLICY, INCOMPLETE,                                                   \
      "signed, but its checkpoint was not judged: no policy was named",        \
      "imzalanıb, lakin nəzarət nöqtəsi yoxlanmayıb: siyasət göstərilməyib")   \
    X(WITNESSES, INCOMPLETE,                                                   \
      "signed and in the log, but too few witnesses signed the checkpoint",    \
      "imzalanıb və jurnalda var, lakin şahidlərin sayı çatmır")

/* U(name, english, azerbaijani): what was not checked of one that is not
 * tampered. */
#define EXTRACT_UNCHECKED_LIST(U)                                              \
    U(WITNESS,                                                                 \
      "whether anybody but the log's own node vouches for the checkpoint: no " \
      "policy asks for it",                                                    \
      "nəzarət nöqtəsini jurnalın öz qovşağından "                    \
      "başqasının təsdiqləməsi: heç bir siyasət bunu tələb etmir")             \
    U(SIGNER, "the signature of whoever asked for it: that needs the log",     \
      "çıxarışı istəyənin imzası: bunun üçün jurnal lazımdır")                 \
    U(NOW, "whether it still holds: that needs the registry",                  \
      "indi də qüvvədə olması: bunun üçün reyestr lazımdır")

#define EXTRACT_UNCHECKED_ENUM(name, english, azerbaijani) \
    EXTRACT_UNCHECKED_##name,
enum extract_unchecked {
    EXTRACT_UNCHECKED_LIST(EXTRACT_UNCHECKED_ENUM) EXTRACT_UNCHECKED_COUNT
};
#undef EXTRACT_UNCHECKED_ENUM

#define EXTRACT_FINDING_ENUM(name, verdict, english, azerbaijani) \
    EXTRACT_FOUND_##name,
enum extract_finding {
    EXTRACT_FINDINGS(EXTRACT_FINDING_ENUM) EXTRACT_FINDINGS_COUNT
};
#undef EXTRACT_FINDING_ENUM

struct extract_trust {
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    const struct tlog_policy *policy; /* NULL: the checkpoint is not judged. */
};

/* What was found; members are set as far as the judge came. */
struct extract_report {
    enum extract_finding finding;
    size_t line; /* Where; 0: of the whole. */
    struct receipt receipt;
    struct nodecert cert;
    enum nodecert_fault cert_fault;
    uint8_t signer[KEY_ID_SIZE]; /* Whose command it was; by the entry. */
    struct checkpoint checkpoint;
    struct tlog_policy_verdict witnesses;
    uint64_t attested_at; /* Index of the attestation; 0: there is none. */
    uint8_t attester[NODE_ID_SIZE];
    uint32_t unchecked; /* Bits of enum extract_unchecked. */
};

/*
 * extract_judge(report_out, file, trust):
 * Requires: extract_file_read() gave ${file}.
 * Owns:     ${*report_out} borrows ${file} and the policy.
 */
void extract_judge(struct extract_report *report_out,
                   const struct extract_file *file,
                   const struct extract_trust *trust);

enum extract_verdict extract_judge_verdict(enum extract_finding finding);
const char *extract_judge_text(enum extract_finding finding);
const char *extract_judge_text_az(enum extract_finding finding);
const char *extract_judge_unchecked(enum extract_unchecked unchecked,
                                    bool azerbaijani);

#endif
