/*
 * subject_completeness.c: how many entries name a subject, stated so that
 * whoever walks the log can check that none was left out.
 *
 * The receipt of the answer signs the statement, and the log attests it.
 */
#include "server/registry/dispatch.h"
#include "server/registry/subject.h"

/* Who may ask; a stranger learns nothing, not even whether there is such a
 * subject. */
static enum status completeness_may_ask(struct act *act,
                                        struct slice file_number)
{
    struct subject subject;
    enum status code;

    if (act->duty == DUTY_USR)
        return act_is_self(act, act->subject, RIGHT_ACCESS_LIST) ? ST_OK
                                                                 : ST_NOT_SELF;
    if (act->duty != DUTY_AUD) {
        if (file_number.size == 0)
            return ST_NO_PURPOSE;
        code = act_check_purpose(act, 0);
        if (code != ST_OK)
            return code;
    }
    return subject_load(act, &subject, act->subject) ? ST_OK : ST_NO_SUCH;
}

enum status subject_completeness(struct act *act,
                                 const struct op_subject_completeness *in,
                                 struct result_subject_completeness *out)
{
    struct row_completeness row = {.subject = act->subject};
    enum status code = completeness_may_ask(act, in->file_number);

    if (code != ST_OK)
        return code;
    /* No row: nothing names it yet. */
    (void)state_get(act->state, TABLE_COMPLETENESS, &row);
    out->subject = act->subject;
    out->count = row.count;
    out->rolling = row.rolling;
    out->size = act->index;
    return ST_OK;
}
