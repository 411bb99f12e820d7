/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_framing.h"

struct parse {
	struct span rest; /* lines not looked at yet */
	unsigned line;    /* number of the line at hand, for the error text */
	struct http_request *req;
	struct http_framing framing;
	struct err *err;
	bool http10;
	bool coded; /* Transfer-Encoding seen */
	bool sized; /* Content-Length seen */
	bool named; /* Host seen */
	bool close;
	bool keep;
};

/* token characters, RFC 9110 5.6.2 */
static const bool is_token[256] = {
	['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
	['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
	['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
	['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
	['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

/* what a field value may hold: VCHAR, obs-text and white space, RFC 9110 5.5 */
static const bool is_value[256] = {
	['\t'] = true,
	[' ' ... '~'] = true,
	[0x80 ... 0xff] = true,
};

/* uri-host [":" port], RFC 9110 7.2 */
static const bool is_host[256] = {
	['!'] = true, ['$' ... '.'] = true, ['0' ... '9'] = true, [':'] = true,
	[';'] = true, ['='] = true,         ['A' ... '['] = true, [']'] = true,
	['_'] = true, ['a' ... 'z'] = true, ['~'] = true,
};

static bool all_of(const bool set[256], struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!set[s.p[i]])
			return false;
	return true;
}

/* Lets a refusal be written in one line: the text goes to err, the status to the caller. */
static int refuse(int status, enum result told)
{
	(void)told;
	return status;
}

size_t http_head_end(struct span bytes, size_t *scanned)
{
	size_t at = *scanned;

	for (;;) {
		struct span rest = span_sub(bytes, at, SIZE_MAX);
		size_t lf = span_find(rest, '\n');

		if (lf == rest.len)
			break;
		/* a bare LF ends a line here too: the parser is to see it, and to refuse it */
		if (lf + 1 < rest.len && rest.p[lf + 1] == '\n')
			return at + lf + 2;
		if (lf + 2 < rest.len && rest.p[lf + 1] == '\r' && rest.p[lf + 2] == '\n')
			return at + lf + 3;
		if (lf + 2 >= rest.len) {
			*scanned = at + lf;
			return 0;
		}
		at += lf + 1;
	}
	*scanned = bytes.len;
	return 0;
}

static int next_line(struct parse *p, struct span *line)
{
	size_t lf = span_find(p->rest, '\n');

	p->line++;
	if (lf == p->rest.len)
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 2.1: the head ends within line %u", p->line));
	if (lf == 0 || p->rest.p[lf - 1] != '\r')
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 2.2: line %u ends with LF, not with CR LF",
					   p->line));
	*line = span_sub(p->rest, 0, lf - 1);
	p->rest = span_sub(p->rest, lf + 1, SIZE_MAX);
	return 0;
}

/* Cuts s at the first c; false if there is none. */
static bool cut(struct span *s, uint8_t c, struct span *front)
{
	size_t at = span_find(*s, c);

	if (at == s->len)
		return false;
	*front = span_sub(*s, 0, at);
	*s = span_sub(*s, at + 1, SIZE_MAX);
	return true;
}

static enum http_method method_of(struct span name)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {
		{ "GET", HTTP_GET }, { "POST", HTTP_POST },     { "HEAD", HTTP_HEAD },
		{ "PUT", HTTP_PUT }, { "DELETE", HTTP_DELETE },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(methods); i++)
		if (span_eq_str(name, methods[i].name))
			return methods[i].method;
	return HTTP_OTHER;
}

static bool starts_nocase(struct span s, const char *prefix)
{
	return span_eq_nocase(span_sub(s, 0, strlen(prefix)), span_str(prefix));
}

/* origin-form; absolute-form, whose authority is dropped; "*" of OPTIONS (RFC 9112 3.2). */
static int parse_target(struct parse *p, struct span method, struct span target)
{
	size_t i, slash;

	for (i = 0; i < target.len; i++)
		if (target.p[i] <= ' ' || target.p[i] == 0x7f)
			return refuse(400,
				      err_set(p->err, ERR_SYNTAX,
					      "RFC 9112 3.2: byte 0x%02x in the request target",
					      target.p[i]));
	if (starts_nocase(target, "http://") || starts_nocase(target, "https://")) {
		target = span_sub(target, span_find(target, ':') + 3, SIZE_MAX);
		slash = span_find(target, '/');
		if (slash > span_find(target, '?'))
			slash = span_find(target, '?');
		target = span_sub(target, slash, SIZE_MAX);
	} else if ((target.len == 0 || target.p[0] != '/') &&
		   !(span_eq_str(target, "*") && span_eq_str(method, "OPTIONS"))) {
		return refuse(400,
			      err_set(p->err, ERR_SYNTAX,
				      "RFC 9112 3.2: the request target does not begin with /"));
	}
	i = span_find(target, '?');
	p->req->path = i ? span_sub(target, 0, i) : SPAN_LIT("/");
	p->req->query = span_sub(target, i + 1, SIZE_MAX);
	return 0;
}

static int parse_version(struct parse *p, struct span v)
{
	if (v.len != 8 || memcmp(v.p, "HTTP/", 5) != 0 || v.p[6] != '.' || v.p[5] < '0' ||
	    v.p[5] > '9' || v.p[7] < '0' || v.p[7] > '9')
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 2.3: the request line does not end with a "
					   "version such as HTTP/1.1"));
	if (v.p[5] != '1')
		return refuse(505, err_set(p->err, ERR_BAD_REQUEST,
					   "RFC 9112 2.3: HTTP/%c is not spoken here, HTTP/1.1 is",
					   v.p[5]));
	p->http10 = v.p[7] == '0';
	p->req->http10 = p->http10;
	return 0;
}

static int parse_request_line(struct parse *p)
{
	struct span line, method, target;
	int status;

	/* one empty line before a request is forgiven: old clients send it after a POST's body */
	if (p->rest.len >= 2 && memcmp(p->rest.p, "\r\n", 2) == 0)
		p->rest = span_sub(p->rest, 2, SIZE_MAX);
	status = next_line(p, &line);
	if (status)
		return status;
	if (!cut(&line, ' ', &method) || method.len == 0 || !all_of(is_token, method) ||
	    !cut(&line, ' ', &target))
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 3: the request line is not METHOD, target and "
					   "version with single spaces between"));
	p->req->method = method_of(method);
	status = parse_target(p, method, target);
	return status ? status : parse_version(p, line);
}

static int on_content_length(struct parse *p, struct span value)
{
	uint64_t n = 0;
	size_t i;

	if (p->sized)
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 6.3: Content-Length is there twice"));
	p->sized = true;
	for (i = 0; i < value.len && value.p[i] >= '0' && value.p[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(value.p[i] - '0');
	if (i != value.len || i == 0 || i > 18)
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9110 8.6: Content-Length \"%.*s\" is not 1 to 18 "
					   "digits",
					   (int)(value.len < 32 ? value.len : 32), value.p));
	p->framing.content_length = n;
	return 0;
}

static int on_transfer_encoding(struct parse *p, struct span value)
{
	if (p->coded || !span_eq_nocase(value, SPAN_LIT("chunked")))
		return refuse(501, err_set(p->err, ERR_BAD_REQUEST,
					   "RFC 9112 6.1: the only Transfer-Encoding taken is one "
					   "\"chunked\""));
	p->coded = true;
	p->framing.chunked = true;
	return 0;
}

static int on_host(struct parse *p, struct span value)
{
	if (p->named)
		return refuse(400,
			      err_set(p->err, ERR_SYNTAX, "RFC 9112 3.2: Host is there twice"));
	if (!all_of(is_host, value))
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 3.2: Host is not a host name and port"));
	p->named = true;
	return 0;
}

static int on_connection(struct parse *p, struct span value)
{
	struct span word;
	bool more = true;

	while (more) {
		more = cut(&value, ',', &word);
		if (!more)
			word = value;
		while (word.len && (word.p[0] == ' ' || word.p[0] == '\t'))
			word = span_sub(word, 1, SIZE_MAX);
		while (word.len && (word.p[word.len - 1] == ' ' || word.p[word.len - 1] == '\t'))
			word.len--;
		if (span_eq_nocase(word, SPAN_LIT("close")))
			p->close = true;
		if (span_eq_nocase(word, SPAN_LIT("keep-alive")))
			p->keep = true;
	}
	return 0;
}

static int on_expect(struct parse *p, struct span value)
{
	if (!span_eq_nocase(value, SPAN_LIT("100-continue")))
		return refuse(417,
			      err_set(p->err, ERR_BAD_REQUEST,
				      "RFC 9110 10.1.1: only Expect: 100-continue is understood"));
	p->framing.expect_continue = true;
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct parse *p, struct span value);
} framing_fields[] = {
	{ "content-length", on_content_length },
	{ "transfer-encoding", on_transfer_encoding },
	{ "host", on_host },
	{ "connection", on_connection },
	{ "expect", on_expect },
};

static int parse_field(struct parse *p, struct span line)
{
	struct span name, value = line;
	size_t i;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 5.2: line %u is folded (obs-fold)", p->line));
	if (!cut(&value, ':', &name) || name.len == 0 || !all_of(is_token, name))
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 5.1: line %u does not begin with a field name "
					   "and, right behind it, a colon",
					   p->line));
	while (value.len && (value.p[0] == ' ' || value.p[0] == '\t'))
		value = span_sub(value, 1, SIZE_MAX);
	while (value.len && (value.p[value.len - 1] == ' ' || value.p[value.len - 1] == '\t'))
		value.len--;
	if (!all_of(is_value, value))
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9110 5.5: control character in line %u", p->line));
	if (p->req->n_headers == HTTP_HEADERS_MAX)
		return refuse(431, err_set(p->err, ERR_LIMIT, "more than %d header fields",
					   HTTP_HEADERS_MAX));
	p->req->headers[p->req->n_headers++] = (struct http_header){ name, value };
	for (i = 0; i < ARRAY_LEN(framing_fields); i++)
		if (span_eq_nocase(name, span_str(framing_fields[i].name)))
			return framing_fields[i].parse(p, value);
	return 0;
}

static int parse_fields(struct parse *p)
{
	struct span line;
	int status;

	for (;;) {
		status = next_line(p, &line);
		if (status)
			return status;
		if (line.len == 0)
			break;
		status = parse_field(p, line);
		if (status)
			return status;
	}
	if (p->rest.len)
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 2.1: bytes behind the head's empty line"));
	return 0;
}

/* What the fields must not say together. */
static int check_whole(struct parse *p, bool lenient_gets)
{
	bool nameless = p->http10 || (lenient_gets && p->req->method == HTTP_GET);

	if (p->coded && p->sized)
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 6.1: Content-Length and Transfer-Encoding "
					   "together"));
	if (p->coded && p->http10)
		return refuse(400,
			      err_set(p->err, ERR_SYNTAX,
				      "RFC 9112 6.1: Transfer-Encoding in an HTTP/1.0 request"));
	if (p->http10 && !lenient_gets)
		return refuse(400, err_set(p->err, ERR_BAD_REQUEST,
					   "HTTP/1.0 is not taken here: send this request as "
					   "HTTP/1.1"));
	if (p->http10 && p->req->method == HTTP_POST && !p->sized)
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 1945 8.3: HTTP/1.0 POST without Content-Length"));
	if (!p->named && !nameless)
		return refuse(400, err_set(p->err, ERR_SYNTAX,
					   "RFC 9112 3.2: HTTP/1.1 request without Host"));
	return 0;
}

int http_head_parse(struct span head, bool lenient_gets, struct http_request *req,
		    struct http_framing *framing, struct err *err)
{
	struct parse p = { .rest = head, .req = req, .err = err };
	int status;

	req->method = HTTP_OTHER;
	req->http10 = false;
	req->path = SPAN_NONE;
	req->query = SPAN_NONE;
	req->n_headers = 0;
	status = parse_request_line(&p);
	if (!status)
		status = parse_fields(&p);
	if (!status)
		status = check_whole(&p, lenient_gets);
	if (status)
		return status;
	p.framing.keep_alive = !p.close && (!p.http10 || p.keep);
	if (p.http10)
		p.framing.expect_continue = false; /* RFC 9110 10.1.1 */
	*framing = p.framing;
	return 0;
}
