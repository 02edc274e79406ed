#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "server/cluster/cluster_clock.h"
#include "server/cluster/host_private.h"

enum { NODE_TEXT_SIZE = 2 * NODE_ID_SIZE + 1 };

void host_tell(struct host *host, enum cluster_level level, const char *format,
               ...)
{
    char line[CLUSTER_LINE_SIZE_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    host->calls.say(host->calls.context, level, line);
}

static const char *status_text(uint64_t status)
{
    const struct status_info *info = status_info((enum status)status);

    return info == NULL ? "in a way that has no name" : info->english;
}

static const char *why_text(uint64_t why)
{
    switch ((int)why) {
    case CONFIG_BOOT:
        return "begin the cluster";
    case CONFIG_RESTART:
        return "give the primary new epochs";
    case CONFIG_REMOVE:
        return "go on without a member";
    case CONFIG_REPLACE:
        return "put another in a member's place";
    case CONFIG_ADD:
        return "take in a member";
    case CONFIG_PROMOTE:
        return "make a member the primary";
    case CONFIG_PROMOTE_VIA:
        return "make a node the primary that takes over a member's log";
    case CONFIG_ADOPTED:
        return "end a recovery";
    case CONFIG_SWITCHOVER:
        return "hand over";
    case CONFIG_SETTLE:
        return "settle that a node that was named does not join";
    case CONFIG_FORCED:
        return "begin a new lineage";
    default:
        return "change who the nodes are";
    }
}

/* What the operator types for it; "": nothing that he could. */
static void want_command(char out[CLUSTER_LINE_SIZE_MAX], uint64_t why,
                         const char *node)
{
    const char *before = "", *after = "";

    switch ((int)why) {
    case CONFIG_REMOVE:
        before = ": defter member remove ";
        after = ", or member replace";
        break;
    case CONFIG_REPLACE:
        before = ": defter member replace ";
        after = " BY";
        break;
    case CONFIG_ADD:
        before = ": defter member add ";
        break;
    case CONFIG_ADOPTED:
        before = ": defter member adopted ";
        break;
    case CONFIG_RESTART:
        before = ": defter promote ";
        break;
    case CONFIG_SETTLE:
        before = ": defter member settle";
        node = "";
        break;
    default:
        node = "";
        break;
    }
    (void)snprintf(out, CLUSTER_LINE_SIZE_MAX, "%s%.8s%s", before, node, after);
}

/* Nothing waits for it, and it may stay so for years: told once. */
static bool is_told(struct host *host, uint64_t why, const uint8_t *node_id)
{
    bool told = host->wish_why == why &&
                memcmp(host->wish_node, node_id, NODE_ID_SIZE) == 0;

    host->wish_why = why;
    memcpy(host->wish_node, node_id, NODE_ID_SIZE);
    return told;
}

/* A node that leads goes on meanwhile, unless it is stalled; one that may not
 * lead yet serves nobody. */
static void say_want(struct host *host, const struct replica_action *action,
                     const char *node)
{
    uint64_t why = action->say.number;
    char command[CLUSTER_LINE_SIZE_MAX];
    struct replica_status status;

    want_command(command, why, node);
    replica_status(host->replica, &status, cluster_clock_ms());
    if (why == CONFIG_SWITCHOVER)
        host_tell(host, CLUSTER_NOTE,
                  "everything is with node %s: the operator's certificate to "
                  "hand over is waited for",
                  node);
    else if (host->lead_epoch == 0)
        host_tell(host, CLUSTER_WARNING,
                  "this node may not lead before the operator's certificate "
                  "to %s (node %s)%s",
                  why_text(why), node, command);
    else if (status.stalled)
        host_tell(host, CLUSTER_WARNING,
                  "nothing is acknowledged before the operator's certificate "
                  "to %s (node %s)%s",
                  why_text(why), node, command);
    else if (!is_told(host, why, action->say.node_id))
        host_tell(host, CLUSTER_NOTE,
                  "the operator may %s (node %s), nothing waits for it%s",
                  why_text(why), node, command);
}

static void say_stalled(struct host *host, uint64_t members)
{
    struct replica_status status;

    replica_status(host->replica, &status, cluster_clock_ms());
    if (members < status.minimum)
        host_tell(host, CLUSTER_WARNING,
                  "nothing is acknowledged: it has %" PRIu64
                  " of the %u members that must hold an entry, and no other "
                  "node has caught up yet",
                  members, (unsigned)status.minimum);
    else
        host_tell(host, CLUSTER_WARNING,
                  "nothing is acknowledged: of %" PRIu64
                  " members not all answer, and none may be let go",
                  members);
}

static void say_lineage(struct host *host, const char *node, uint64_t number)
{
    char own[2 * sizeof number + 1];

    (void)sodium_bin2hex(own, sizeof own, host->options.replica.lineage,
                         sizeof number);
    host_tell(host, CLUSTER_WARNING,
              "node %s is of another lineage (%016" PRIx64
              ", this node of %s): a forced certificate began one without the "
              "other. Their histories stay apart, and the link is refused",
              node, number, own);
}

/* For whoever handed the certificate in. */
static void host_note_refusal(struct host *host,
                              const struct replica_action *action)
{
    uint64_t number = action->say.number;

    if (action->say.note == NOTE_CERTIFICATE)
        host->refusal = config_fault_text((enum config_fault)number);
    else if (action->say.note == NOTE_FORCED && number != FORCED_GOOD)
        host->refusal = replica_forced_text((enum replica_forced)number);
}

/* A sentence for every note, in the order of replica.h; longer than a screen,
 * because each has a line or two. */
void host_say(struct host *host, const struct replica_action *action)
{
    uint64_t number = action->say.number;
    const char *text = action->say.text == NULL ? "" : action->say.text;
    char node[NODE_TEXT_SIZE];

    host_note_refusal(host, action);
    (void)sodium_bin2hex(node, sizeof node, action->say.node_id, NODE_ID_SIZE);
    switch (action->say.note) {
    case NOTE_ROLE:
        host_tell(host, CLUSTER_NOTE, "this node is now %s",
                  replica_role_name((enum replica_role)number));
        return;
    case NOTE_LEADS:
        host_tell(host, CLUSTER_NOTE,
                  "this node is the primary of epoch %" PRIu64, number);
        return;
    case NOTE_STALLED:
        say_stalled(host, number);
        return;
    case NOTE_RESUMED:
        host_tell(host, CLUSTER_NOTE, "entries are acknowledged again");
        return;
    case NOTE_DROPPED:
        host_tell(host, CLUSTER_WARNING, "node %s is a member no more", node);
        return;
    case NOTE_ADDED:
        host_tell(host, CLUSTER_NOTE, "node %s is a member", node);
        return;
    case NOTE_CUT:
        host_tell(host, CLUSTER_WARNING,
                  "the log was cut at %" PRIu64
                  ", because the primary has other entries there; what was "
                  "cut off is kept in %s",
                  number, text);
        return;
    case NOTE_LOST:
        host_tell(host, CLUSTER_FAILURE,
                  "LOST: this node's log lacks entries that it had "
                  "acknowledged; it takes no part before it holds %" PRIu64
                  " entries again",
                  number);
        return;
    case NOTE_FOUND:
        host_tell(host, CLUSTER_NOTE, "what this node had lost is here again");
        return;
    case NOTE_REPAIRED:
        host_tell(host, CLUSTER_NOTE,
                  "entry %" PRIu64 " was repaired from another node", number);
        return;
    case NOTE_ROT:
        host_tell(host, CLUSTER_WARNING,
                  "entry %" PRIu64 " is damaged on this disk", number);
        return;
    case NOTE_REGISTER:
        host_tell(host, CLUSTER_FAILURE,
                  "the register contradicts what it said before%s%s",
                  text[0] == '\0' ? "" : ": ", text);
        return;
    case NOTE_CERTIFICATE:
        host_tell(host, CLUSTER_WARNING, "a certificate is refused: %s",
                  config_fault_text((enum config_fault)number));
        return;
    case NOTE_PEER:
        host_tell(host, CLUSTER_WARNING, "node %s broke the rules: %s", node,
                  status_text(number));
        return;
    case NOTE_HALT:
        host_tell(host, CLUSTER_FAILURE,
                  "HALTED: %s. This node serves nothing any more; keep its "
                  "disk as it is",
                  halt_text((uint32_t)number));
        return;
    case NOTE_CLOCK:
        host_tell(host, CLUSTER_WARNING,
                  "the clock of node %s differs by %" PRIu64 " ms", node,
                  number);
        return;
    case NOTE_WANT:
        say_want(host, action, node);
        return;
    case NOTE_DISPUTE:
        host_tell(host, CLUSTER_FAILURE,
                  "DISPUTED: node %s says that another entry %" PRIu64
                  " is committed than this node has, and proves nothing; look "
                  "at its log",
                  node, number);
        return;
    case NOTE_UNKEPT:
        host_tell(host, CLUSTER_FAILURE,
                  "the log was cut at %" PRIu64
                  ", and what was cut off is gone: divergent/ is full; move "
                  "its files to another place",
                  number);
        return;
    case NOTE_LINEAGE:
        say_lineage(host, node, number);
        return;
    case NOTE_FORCED:
        host_tell(host, number == FORCED_GOOD ? CLUSTER_NOTE : CLUSTER_WARNING,
                  number == FORCED_GOOD ? "a forced certificate is taken: %s"
                                        : "a certificate is refused: %s",
                  replica_forced_text((enum replica_forced)number));
        return;
    }
}
