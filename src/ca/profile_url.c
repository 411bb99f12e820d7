/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/profile_url.h"

#include <stdlib.h>

/* The last part of the URL, with its slash, where it is a list of ours or no file at all. */
static const char *list_name(const char *url)
{
	const char *name = strrchr(url, '/');

	if (strstr(url, PROFILE_GENERATION) || !name || strchr(url, '?'))
		return NULL;
	if (strcmp(name, "/full.crl") == 0 || strcmp(name, "/" PROFILE_PART ".crl") == 0)
		return name;
	return strchr(name, '.') ? NULL : name + strlen(name);
}

/* The last part of the URL, with its slash, where it is a file's name. */
static const char *issuer_name(const char *url)
{
	const char *host = strstr(url, "://"), *path, *name = strrchr(url, '/');

	if (strstr(url, PROFILE_GENERATION) || !host || strncmp(url, "http", 4) != 0)
		return NULL;
	path = strchr(host + 3, '/');
	return path && strchr(name, '.') && !strchr(url, '?') ? name : NULL;
}

static const char *name_in(const char *url, enum profile_url_kind kind)
{
	return kind == PROFILE_URL_LIST     ? list_name(url)
	       : kind == PROFILE_URL_ISSUER ? issuer_name(url)
					    : NULL;
}

bool profile_url_follows(const char *url, enum profile_url_kind kind)
{
	return kind == PROFILE_URL_PLAIN || strstr(url, PROFILE_GENERATION) || name_in(url, kind);
}

/* text up to `to`, or to its end where that is NULL, with the placeholders filled in. */
static void put_filled(const char *text, const char *to, unsigned generation, unsigned part,
		       struct buf *out)
{
	size_t len = to ? (size_t)(to - text) : strlen(text), i = 0;

	while (i < len) {
		if (strncmp(text + i, PROFILE_PART, strlen(PROFILE_PART)) == 0) {
			buf_printf(out, "%u", part);
			i += strlen(PROFILE_PART);
		} else if (strncmp(text + i, PROFILE_GENERATION, strlen(PROFILE_GENERATION)) == 0) {
			buf_printf(out, "%u", generation);
			i += strlen(PROFILE_GENERATION);
		} else {
			buf_put_byte(out, (uint8_t)text[i++]);
		}
	}
}

static RESULT put_one(const char *url, enum profile_url_kind kind, unsigned generation,
		      unsigned part, struct buf *out, struct err *err)
{
	const char *name = generation > 1 ? name_in(url, kind) : NULL;

	put_filled(url, name, generation, part, out);
	if (name) {
		buf_printf(out, "/%u", generation);
		put_filled(*name ? name : "/full.crl", NULL, generation, part, out);
	}
	buf_put_byte(out, 0);
	return buf_check(out, err);
}

enum result profile_url_put(const char *url, unsigned generation, unsigned part, struct buf *out,
			    struct err *err)
{
	return put_one(url, PROFILE_URL_LIST, generation, part, out, err);
}

void profile_urls_clear(struct profile_urls *u)
{
	buf_clear(&u->text);
	free(u->urls);
	u->urls = NULL;
}

/* The first generation of nearly all CAs has nothing to fill in. */
static bool is_plain(char *const *urls, size_t n, unsigned generation)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (generation > 1 || strchr(urls[i], '{'))
			return false;
	return true;
}

enum result profile_urls_init(struct profile_urls *u, char *const *urls, size_t n,
			      unsigned generation, enum profile_url_kind kind, struct err *err)
{
	bool plain = is_plain(urls, n, generation);
	size_t i, at = 0;

	u->urls = calloc(n + 1, sizeof(*u->urls));
	if (!u->urls)
		return err_nomem(err);
	for (i = 0; i < n && !plain; i++)
		TRY(put_one(urls[i], kind, generation, 0, &u->text, err));
	for (i = 0; i < n; i++) {
		u->urls[i] = plain ? urls[i] : (const char *)u->text.data + at;
		at += strlen(u->urls[i]) + 1;
	}
	return OK;
}
