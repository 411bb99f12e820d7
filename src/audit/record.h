/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event as JSON, and back: what the admin API gives, an export has line by line, and a collector
 * of events gets. There is exactly one text for an event, so that a changed octet is a change.
 * docs/audit.md has the format. Pure.
 */
#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include <jansson.h>

#include "store/store.h"

#define AUDIT_FIELDS 8

struct audit_record {
	struct store_event event; /* its strings are borrowed from the JSON, its octets from here */
	struct buf hash;
	struct buf owned[AUDIT_FIELDS]; /* what stood in hexadecimal, a field each */
};
void audit_record_clear(struct audit_record *r);

/* The caller's to release; NULL: no memory. */
json_t *audit_record_json(const struct store_event *event);
/* ERR_SYNTAX naming the field. value must outlive the record. */
RESULT audit_record_parse(const json_t *value, struct audit_record *out, struct err *err);

/* Appends the one text of a value, without a line's end. */
RESULT audit_record_put(const json_t *value, struct buf *out, struct err *err);
/* "2026-11-21T20:44:00Z", as clock_format() writes it. */
RESULT audit_record_time(const char *text, int64_t *out, struct err *err);

#endif
