/* SPDX-License-Identifier: Apache-2.0 */
#include "integrations/syslog.h"

#include <string.h>

#include "audit/record.h"

#define BOM "\xef\xbb\xbf"
#define APP_MAX 48
#define MSGID_MAX 32
#define NOTICE 5
#define INFORMATIONAL 6

static const struct {
	const char *name;
	unsigned number;
} facilities[] = {
	{ "daemon", 3 },  { "auth", 4 },    { "authpriv", 10 }, { "local0", 16 },
	{ "local1", 17 }, { "local2", 18 }, { "local3", 19 },   { "local4", 20 },
	{ "local5", 21 }, { "local6", 22 }, { "local7", 23 },
};

int syslog_facility(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(facilities); i++)
		if (strcmp(name, facilities[i].name) == 0)
			return (int)facilities[i].number;
	return -1;
}

static const struct {
	const char *level;
	unsigned severity;
} severities[] = { { "debug", 7 }, { "info", INFORMATIONAL }, { "warning", 4 }, { "error", 3 } };

static const char *text_of(const json_t *o, const char *field)
{
	const char *text = json_string_value(json_object_get(o, field));

	return text ? text : "";
}

unsigned syslog_severity(const json_t *line)
{
	const char *level = text_of(line, "level");
	size_t i;

	for (i = 0; i < ARRAY_LEN(severities); i++)
		if (strcmp(level, severities[i].level) == 0)
			return severities[i].severity;
	return INFORMATIONAL;
}

/* PRINTUSASCII of the header (RFC 5424 6): what is none becomes a question mark. */
static void put_word(struct buf *out, const char *word, size_t max)
{
	size_t i;

	for (i = 0; word[i] && i < max; i++)
		buf_put_byte(out, word[i] > ' ' && word[i] < 0x7f ? (uint8_t)word[i] : '?');
	buf_put_str(out, i ? " " : "- ");
}

/* RFC 5424 6.3.3: only these three are escaped. */
static void put_value(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\' || *value == ']')
			buf_put_byte(out, '\\');
		buf_put_byte(out, (uint8_t)*value);
	}
}

static void put_param(struct buf *out, const char *name, const json_t *value)
{
	if (!json_is_string(value) && !json_is_integer(value))
		return;
	buf_printf(out, " %s=\"", name);
	if (json_is_integer(value))
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	else
		put_value(out, json_string_value(value));
	buf_put_byte(out, '"');
}

static bool is_in(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static void put_data(const struct syslog_origin *o, const json_t *fields,
		     const char *const *elsewhere, struct buf *out)
{
	const char *name;
	const json_t *value;

	buf_printf(out, "[scepter@%u", o->enterprise);
	/* the cast: iterating has no const form */
	json_object_foreach((json_t *)(uintptr_t)fields, name, value)
	{
		if (!is_in(name, elsewhere))
			put_param(out, name, value);
	}
	buf_put_str(out, "] " BOM);
}

struct header {
	unsigned severity;
	const char *time;
	const char *app;
	const char *message_id;
};

static void put_header(const struct syslog_origin *o, const struct header *h, struct buf *out)
{
	buf_printf(out, "<%u>1 ", o->facility * 8 + h->severity);
	put_word(out, h->time, SIZE_MAX);
	put_word(out, o->host, SYSLOG_HOST_MAX - 1);
	put_word(out, h->app, APP_MAX);
	buf_printf(out, "%d ", o->pid);
	put_word(out, h->message_id, MSGID_MAX);
}

enum result syslog_put_line(const struct syslog_origin *o, const json_t *line, struct buf *out,
			    struct err *err)
{
	static const char *const elsewhere[] = { "time", "level", "program", "msg", NULL };
	const struct header h = { syslog_severity(line), text_of(line, "time"),
				  text_of(line, "program"), "log" };

	put_header(o, &h, out);
	put_data(o, line, elsewhere, out);
	buf_put_str(out, text_of(line, "msg"));
	return buf_check(out, err);
}

enum result syslog_put_event(const struct syslog_origin *o, const json_t *event, struct buf *out,
			     struct err *err)
{
	static const char *const elsewhere[] = { "time", "kind", "detail", "hash", NULL };
	const struct header h = { NOTICE, text_of(event, "time"), "scepterd",
				  text_of(event, "kind") };

	put_header(o, &h, out);
	put_data(o, event, elsewhere, out);
	return audit_record_put(event, out, err);
}
