/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoint a path belongs to. */
#include "config/config.h"

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* How far path is the segments of e's, in which repeated slashes count as one; 0: it is not. */
static size_t match(struct span path, const struct config_endpoint *e)
{
	const char *prefix = e->path;
	size_t i = 0;

	for (; *prefix; prefix++) {
		const uint8_t want = (uint8_t)*prefix;

		if (i >= path.len ||
		    (path.p[i] != want && !(e->nocase && lower(path.p[i]) == lower(want))))
			return 0;
		i++;
		while (*prefix == '/' && i < path.len && path.p[i] == '/')
			i++;
	}
	return i == path.len || path.p[i] == '/' ? i : 0;
}

struct span config_behind(const struct config_endpoint *e, struct span path)
{
	return span_sub(path, match(path, e), SIZE_MAX);
}

const struct config_endpoint *config_route(const struct config *c, size_t listener,
					   struct span path)
{
	const struct config_endpoint *best = NULL;
	size_t i;

	for (i = 0; i < c->n_endpoints; i++) {
		const struct config_endpoint *e = &c->endpoints[i];

		if ((e->listeners >> listener & 1) && match(path, e) &&
		    (!best || strlen(e->path) > strlen(best->path)))
			best = e;
	}
	return best;
}
