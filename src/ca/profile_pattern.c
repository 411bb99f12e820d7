/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/profile_pattern.h"

enum result profile_pattern_compile(const char *text, regex_t *out, struct err *err)
{
	BUF anchored = BUF_INIT;
	char why[128];
	regex_t got;
	int code;

	buf_printf(&anchored, "^(%s)$", text);
	TRY(buf_check(&anchored, err));
	code = regcomp(&got, buf_cstr(&anchored), REG_EXTENDED | REG_NOSUB);
	if (code) {
		(void)regerror(code, &got, why, sizeof(why));
		return err_set(err, ERR_CONFIG,
			       "pattern \"%s\": %s; write a POSIX extended regular expression",
			       text, why);
	}
	*out = got;
	return OK;
}

static bool has_control(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

enum result profile_pattern_check(const struct profile_pattern_value *v, struct err *err)
{
	const char *text = buf_cstr(v->text);

	TRY(buf_check(v->text, err));
	if (has_control(buf_span(v->text)))
		return err_set(err, ERR_BAD_TEMPLATE, "%s: %s holds control characters", v->where,
			       v->type);
	if (v->regex && regexec(v->regex, text, 0, NULL, 0) != 0)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "%s: %s \"%.120s\" does not match the profile's pattern \"%.120s\"",
			       v->where, v->type, text, v->regex_text);
	return OK;
}
