/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/serve_crl.h"

#include <stdio.h>
#include <time.h>

#define MAX_AGE 900 /* seconds that a cache may keep a list without asking for a newer one */
#define RETRY_SECONDS 5
#define CA_CERTIFICATE "ca.cer"
#define ETAG_OCTETS 16
#define DATE_MAX 64
/*
 * Seconds after which a list is called by its thisUpdate: no other begins in the same second any
 * more, and a date tells versions apart (RFC 9110 8.8.2.2).
 */
#define SETTLED 3

/* As HTTP has it; "" if there is no such date. */
static const char *put_date(int64_t t, char text[DATE_MAX])
{
	time_t at = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&at, &tm) || !strftime(text, DATE_MAX, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		text[0] = '\0';
	return text;
}

static const char *etag_of(const struct crl_file *file, char out[2 * ETAG_OCTETS + 3])
{
	size_t i;

	for (i = 0; i < ETAG_OCTETS; i++)
		(void)snprintf(out + 1 + 2 * i, 3, "%02x", file->sha256[i]);
	out[0] = out[1 + 2 * ETAG_OCTETS] = '"';
	out[2 + 2 * ETAG_OCTETS] = '\0';
	return out;
}

/*
 * If-None-Match (RFC 9110 13.1.2): a list of tags, perhaps weak, or "*". Without it
 * If-Modified-Since (13.1.3), as it was told here.
 */
static bool is_known(const struct http_request *req, const struct crl_file *file, const char *etag)
{
	struct span tags = http_header(req, "If-None-Match");
	char date[DATE_MAX];

	if (span_eq_str(tags, "*"))
		return true;
	if (tags.len)
		return memmem(tags.p, tags.len, etag, strlen(etag)) != NULL;
	return *put_date(file->record.this_update, date) &&
	       span_eq_str(http_header(req, "If-Modified-Since"), date);
}

static void put_caching(struct http_reply *reply, const struct crl_file *file, const char *etag,
			int64_t now)
{
	int64_t left = file->record.next_update - now;
	int64_t age = left < 0 ? 0 : left < MAX_AGE ? left : MAX_AGE;
	char date[DATE_MAX];

	http_reply_header(reply, "ETag", "%s", etag);
	if (now >= file->record.this_update + SETTLED)
		http_reply_header(reply, "Last-Modified", "%s",
				  put_date(file->record.this_update, date));
	http_reply_header(reply, "Expires", "%s", put_date(now + age, date));
	http_reply_header(reply, "Cache-Control", "max-age=%lld, public, no-transform",
			  (long long)age);
}

static void release(void *owner)
{
	crl_file_unref(owner);
}

static void send_list(struct crl_file *file, int64_t now, const struct http_request *req,
		      struct http_reply *reply)
{
	char etag[2 * ETAG_OCTETS + 3];

	put_caching(reply, file, etag_of(file, etag), now);
	if (is_known(req, file, etag)) {
		reply->status = 304;
		crl_file_unref(file);
		return;
	}
	reply->status = 200;
	reply->content_type = "application/pkix-crl";
	reply->lent = (struct http_lent){ file->der, release, file };
}

/* What stands behind the endpoint's path, without its slash; nothing: the complete list. */
static struct span name_of(const struct config_endpoint *endpoint, struct span path,
			   unsigned *generation)
{
	struct span name = config_behind(endpoint, path);

	while (name.len && name.p[0] == '/')
		name = span_sub(name, 1, SIZE_MAX);
	return name.len ? crl_plan_split(name, generation) : SPAN_LIT("full.crl");
}

static void send_certificate(const struct authority_ca *ca, struct http_reply *reply)
{
	struct err err = { 0 };

	if (!ca) {
		http_reply_text(reply, 404, "there is no such generation of the CA");
		return;
	}
	buf_put(&reply->body, buf_span(&ca->ca.der));
	if (buf_check(&reply->body, &err) != OK) {
		http_reply_text(reply, 503, "%s", err_text(&err));
		return;
	}
	reply->status = 200;
	reply->content_type = "application/pkix-cert";
	http_reply_header(reply, "Cache-Control", "max-age=%d, public, no-transform", MAX_AGE);
}

static void refuse(const struct serve_crl *s, const struct config_endpoint *endpoint,
		   struct span name, unsigned generation, struct http_reply *reply)
{
	if (crl_plan_find(&endpoint->crl, name) == SIZE_MAX) {
		http_reply_text(reply, 404, "there is no list of this name");
		return;
	}
	/* of a CA that is not made yet nothing is known */
	if (authority_knows(s->authority, endpoint->ca, 0) &&
	    !authority_knows(s->authority, endpoint->ca, generation)) {
		http_reply_text(reply, 404, "CA \"%s\" has no generation %u", endpoint->ca,
				generation);
		return;
	}
	http_reply_text(reply, 503, "CA \"%s\" has not made this revocation list yet",
			endpoint->ca);
	http_reply_header(reply, "Retry-After", "%d", RETRY_SECONDS);
}

void serve_crl(const struct serve_crl *s, const struct config_endpoint *endpoint,
	       const struct http_request *req, struct http_reply *reply)
{
	unsigned generation = s->ca ? s->ca->generation : 0;
	struct span name = name_of(endpoint, req->path, &generation);
	struct crl_file *file;

	if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
		http_reply_text(reply, 405, "what is published here is read by GET");
		http_reply_header(reply, "Allow", "GET, HEAD");
		return;
	}
	if (span_eq_str(name, CA_CERTIFICATE)) {
		send_certificate(authority_ca_sibling(s->ca, generation), reply);
		return;
	}
	file = crl_publisher_get(s->publisher, endpoint->ca, generation, name);
	if (file)
		send_list(file, s->now, req, reply);
	else
		refuse(s, endpoint, name, generation, reply);
}
