/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files out of pieces, and a folder to load them from. */
#ifndef UNIT_CONFIG_FIXTURE_H
#define UNIT_CONFIG_FIXTURE_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "config/config.h"

/* A line each, so that a row can name the line that it breaks. */
#define HEAD "data: ./d\n" /* 1 */
#define HTTP                                                                                       \
	"http:\n"                                               /* 2 */                            \
	"  listeners:\n"                                        /* 3 */                            \
	"    - {name: plain, address: 127.0.0.1, port: 8080}\n" /* 4 */
#define PROFILES                                                                                   \
	"profiles:\n"                                 /* 5 */                                      \
	"  - name: device\n"                          /* 6 */                                      \
	"    validity: 1y\n"                          /* 7 */                                      \
	"    subject: [{type: CN, choice: required}]" /* 8 */
#define ENDPOINTS                                                                                  \
	"endpoints:\n"                          /* 9 */                                            \
	"  - name: demo\n"                      /* 10 */                                           \
	"    protocol: scep\n"                  /* 11 */                                           \
	"    path: /scep/demo\n"                /* 12 */                                           \
	"    ca: demo\n"                        /* 13 */                                           \
	"    profile: device\n"                 /* 14 */                                           \
	"    authorisation: {one_time: true}\n" /* 15 */
#define GOOD HEAD HTTP PROFILES "\n" ENDPOINTS

struct fixture {
	char folder[64];
	char path[96];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/test-config-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/s.yaml", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static enum result load(const struct fixture *f, const char *text, const struct config **out,
			struct buf *complaints)
{
	struct err err = { 0 };
	enum result r;

	assert_int_equal(file_write_atomic(f->path, 0600, span_str(text), NULL), OK);
	r = config_load(out, f->path, CONFIG_AND_FILES, complaints, &err);
	/* the first complaint is the error's text */
	if (r != OK)
		assert_true(span_eq_str(
		    span_sub(buf_span(complaints), 0, span_find(buf_span(complaints), '\n')),
		    err_text(&err)));
	return r;
}

/* The file is refused with these complaints; "S:" at a line's begin stands for the file's name. */
static inline void refuses(const struct fixture *f, const char *text, const char *lines)
{
	const struct config *c = NULL;
	BUF complaints = BUF_INIT;
	BUF want = BUF_INIT;
	const char *p;

	assert_int_equal(load(f, text, &c, &complaints), ERR_CONFIG);
	assert_null(c);
	buf_put_str(&want, f->path);
	for (p = lines; *p; p++)
		if (p > lines && p[-1] == '\n' && *p == 'S')
			buf_put_str(&want, f->path);
		else
			buf_put_byte(&want, (uint8_t)*p);
	if (!span_eq(buf_span(&complaints), buf_span(&want)))
		fail_msg("got:  %swant: %s", buf_cstr(&complaints), buf_cstr(&want));
}

#endif
