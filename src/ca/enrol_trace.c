/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_trace.h"

#include <stdio.h>

#include "base/json_text.h"

void enrol_trace_add(struct enrol_trace *t, const char *step, bool ok, const char *fmt, ...)
{
	va_list ap;

	if (!t || t->n == ENROL_STEPS_MAX)
		return;
	t->steps[t->n].step = step;
	t->steps[t->n].ok = ok;
	va_start(ap, fmt);
	(void)vsnprintf(t->steps[t->n].text, sizeof(t->steps[t->n].text), fmt, ap);
	va_end(ap);
	t->n++;
}

void enrol_trace_fail(struct enrol_trace *t, const char *step, const char *text)
{
	size_t i;

	for (i = 0; t && i < t->n; i++)
		if (!t->steps[i].ok)
			return;
	enrol_trace_add(t, step, false, "%s", text);
}

void enrol_trace_put_json(const struct enrol_trace *t, struct buf *out)
{
	size_t i;

	buf_put_byte(out, '[');
	for (i = 0; t && i < t->n; i++) {
		buf_put_str(out, i ? ",{\"step\":\"" : "{\"step\":\"");
		json_text_put(out, span_str(t->steps[i].step));
		buf_put_str(out, t->steps[i].ok ? "\",\"ok\":true,\"text\":\""
						: "\",\"ok\":false,\"text\":\"");
		json_text_put(out, span_str(t->steps[i].text));
		buf_put_str(out, "\"}");
	}
	buf_put_byte(out, ']');
}
