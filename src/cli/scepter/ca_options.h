/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that ask a CA something have in common: where it is, and what it is known by.
 */
#ifndef CLI_SCEPTER_CA_OPTIONS_H
#define CLI_SCEPTER_CA_OPTIONS_H

#include <stddef.h>

#include "cli/cli.h"
#include "client/device.h"

/* First in a command's options. */
struct ca_options {
	const char *url;
	const char *identifier;
	const char *fingerprint;
	const char *tls_ca;
};

/* In its table; fingerprint_help, and whether one must be given, are the command's own. */
#define CA_OPTIONS(fingerprint_help, must)                                                         \
	{ "--url",                                                                                 \
	  CLI_TEXT,                                                                                \
	  offsetof(struct ca_options, url),                                                        \
	  "URL",                                                                                   \
	  "of the CA's endpoint",                                                                  \
	  .required = true },                                                                      \
	    { "--ca-identifier", CLI_TEXT, offsetof(struct ca_options, identifier), "TEXT",        \
	      "names one CA where a URL has many" },                                               \
	    { "--ca-fingerprint",                                                                  \
	      CLI_TEXT,                                                                            \
	      offsetof(struct ca_options, fingerprint),                                            \
	      "HEX",                                                                               \
	      fingerprint_help,                                                                    \
	      .required = (must) },                                                                \
	{                                                                                          \
		"--tls-ca", CLI_TEXT, offsetof(struct ca_options, tls_ca), "FILE",                 \
		    "trust anchors for https (PEM)"                                                \
	}

/* A device that will ask this CA; it has not asked yet. */
RESULT ca_options_device(const struct ca_options *o, struct device **out, struct err *err);

#endif
