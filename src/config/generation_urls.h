/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of profiles against the generations of a CA's keys: one that does not tell them apart (see
 * ca/profile_url.h) would lead from certificates of a later generation to what is of the first.
 */
#ifndef CONFIG_GENERATION_URLS_H
#define CONFIG_GENERATION_URLS_H

#include "config/config.h"

struct generation_url {
	const char *profile; /* that has it... */
	const char *setting; /* ...there */
	const char *url;
};

/* What to say of one. */
#define GENERATION_URL_FMT                                                                         \
	"profile \"%s\" has %s \"%s\", which would lead from certificates of the next generation " \
	"to what is of the first: put " PROFILE_GENERATION " into it"
#define GENERATION_URL_ARGS(u) (u)->profile, (u)->setting, (u)->url

typedef void generation_url_fn(void *arg, const struct generation_url *url);

/* All of them in profiles by which the CA of that name issues, to devices or to a listener. */
void generation_urls_each(const struct config *config, const char *ca, generation_url_fn *fn,
			  void *arg);
/* ERR_CONFLICT: there is one, which err names. */
RESULT generation_urls_check(const struct config *config, const char *ca, struct err *err);

#endif
