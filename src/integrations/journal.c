/* SPDX-License-Identifier: Apache-2.0 */
#include "integrations/journal.h"

#include <ctype.h>
#include <errno.h>
#include <sys/uio.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/buf.h"
#include "integrations/syslog.h"

#define FIELDS_MAX 40
#define NOTICE 5

struct entry {
	struct buf fields[FIELDS_MAX];
	int n;
};

static void entry_clear(struct entry *e)
{
	int i;

	for (i = 0; i < e->n; i++)
		buf_clear(&e->fields[i]);
}

static struct buf *add(struct entry *e, const char *name)
{
	struct buf *b = &e->fields[e->n];

	if (e->n == FIELDS_MAX)
		return NULL;
	e->n++;
	buf_printf(b, "%s=", name);
	return b;
}

static void add_text(struct entry *e, const char *name, const char *text)
{
	struct buf *b = text ? add(e, name) : NULL;

	if (b)
		buf_put_str(b, text);
}

static void add_number(struct entry *e, const char *name, long long n)
{
	struct buf *b = add(e, name);

	if (b)
		buf_printf(b, "%lld", n);
}

/* The journal's names are upper-case letters, digits and underscores. */
static void add_field(struct entry *e, const char *name, const json_t *value)
{
	char upper[64] = "SCEPTER_";
	size_t at = strlen(upper);

	for (; *name && at < sizeof(upper) - 1; name++, at++)
		upper[at] = isalnum((unsigned char)*name) ? (char)toupper(*name) : '_';
	upper[at] = '\0';
	if (json_is_integer(value))
		add_number(e, upper, json_integer_value(value));
	else
		add_text(e, upper, json_string_value(value));
}

static enum result send(struct entry *e, const json_t *fields, struct err *err)
{
	struct iovec parts[FIELDS_MAX];
	const char *name;
	const json_t *value;
	int i, rc;

	/* the cast: iterating has no const form */
	json_object_foreach((json_t *)(uintptr_t)fields, name, value) add_field(e, name, value);
	for (i = 0; i < e->n; i++) {
		TRY(buf_check(&e->fields[i], err));
		parts[i] = (struct iovec){ e->fields[i].data, e->fields[i].len };
	}
	rc = sd_journal_sendv(parts, e->n);
	return rc < 0 ? err_errno(err, -rc, "journald") : OK;
}

static const char *text_of(const json_t *o, const char *field)
{
	return json_string_value(json_object_get(o, field));
}

enum result journal_send_line(const json_t *line, struct err *err)
{
	CLEANUP(entry_clear) struct entry e = { .n = 0 };

	add_text(&e, "MESSAGE", text_of(line, "msg"));
	add_number(&e, "PRIORITY", syslog_severity(line));
	add_text(&e, "SYSLOG_IDENTIFIER", text_of(line, "program"));
	return send(&e, line, err);
}

enum result journal_send_event(const json_t *event, struct err *err)
{
	CLEANUP(entry_clear) struct entry e = { .n = 0 };
	const char *reason = text_of(event, "reason"), *kind = text_of(event, "kind");
	struct buf *b = add(&e, "MESSAGE");

	buf_printf(b, "%s%s%s", kind ? kind : "", reason ? ": " : "", reason ? reason : "");
	add_number(&e, "PRIORITY", NOTICE);
	add_text(&e, "SYSLOG_IDENTIFIER", "scepterd-audit");
	return send(&e, event, err);
}
