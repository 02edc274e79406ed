/*
 * report_parts.h: what the files of the report share.
 */
#ifndef DEFTER_CLIENT_AUDIT_REPORT_PARTS_H
#define DEFTER_CLIENT_AUDIT_REPORT_PARTS_H

#include "client/audit/report.h"

/* The sentences of REPORT_REASON_LIST and REPORT_UNCHECKED_LIST. */
extern const char *const report_reasons[REPORT_REASONS_COUNT];
extern const char *const report_uncheckeds[REPORT_UNCHECKED_COUNT];

const char *report_statement_name(enum report_statement statement);
const char *report_hiding_name(enum report_hiding state);

/* Of ${count} things, those that fit. */
uint64_t report_shown(uint64_t count, uint64_t max);

#endif
