/* SPDX-License-Identifier: Apache-2.0 */
/* How a snapshot is made of a file: each part checks its settings and fills its part of it. */
#ifndef CONFIG_BUILD_H
#define CONFIG_BUILD_H

#include "config/config.h"
#include "config/file.h"
#include "config/yaml_doc.h"

struct config_build {
	struct config_yaml yaml;  /* complaints go there */
	struct file_config *file; /* the snapshot's strings are borrowed from it */
	struct config *config;
	enum config_scope scope;
};

/* A place in the file: "profiles[0].eku[1]". */
#define CONFIG_PLACE 128
const char *config_place(char out[CONFIG_PLACE], const char *fmt, ...) PRINTF_LIKE(2, 3);

/* An entry of one of the file's lists, under construction. */
struct config_item {
	struct config_build *b;
	const char *list; /* "profiles" */
	size_t i;
	char place[CONFIG_PLACE];
};
/* Below the entry: "profiles[0].eku[1]"; holds until the next call. */
const char *config_at(struct config_item *item, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* For a struct that has one as its member `item`. */
#define AT(m, ...) config_at(&(m)->item, __VA_ARGS__)
#define COMPLAIN(m, place, ...) config_yaml_complain(&(m)->item.b->yaml, place, __VA_ARGS__)

/* Names that stand in records, paths and logs: [A-Za-z0-9._-]{1,63}. */
void config_check_name(struct config_build *b, const char *place, const char *name);

/* A file that this process must be able to read, where files are looked at. */
void config_check_readable(struct config_build *b, const char *place, const char *path);

/* Parts of config_build_server(). */
void config_build_log(struct config_build *b);
/* Behind the listeners. */
void config_build_metrics(struct config_build *b);
void config_build_keys(struct config_build *b);
void config_check_key_uri(struct config_build *b, const char *place, const char *uri);

/* A rate, where one is written: at item's setting. */
void config_read_rate(struct config_item *item, const char *setting, const char *text,
		      struct rate *out);

/* tls of http.listeners[i], part of config_build_server(); and what of it only shows when profiles
 * are there. */
RESULT config_build_tls(struct config_build *b, size_t i, struct err *err);
void config_check_tls(struct config_build *b);

/* Each returns ERR_NOMEM only: what is wrong with the file is a complaint. */
RESULT config_build_server(struct config_build *b, struct err *err);
RESULT config_build_operators(struct config_build *b, struct err *err);
RESULT config_build_cas(struct config_build *b, struct err *err);
RESULT config_build_profiles(struct config_build *b, struct err *err);
RESULT config_build_endpoints(struct config_build *b, struct err *err);
/* http.listeners[i].proxies */
RESULT config_build_proxies(struct config_build *b, size_t i, struct err *err);
/* Of item's setting `group`, "tls" or "tls_proxy". *crl: what its lists say; left alone: no lists.
 */
RESULT config_build_trust(struct config_item *item, const char *group, const struct file_trust *f,
			  struct foreign_crl **crl, struct err *err);
/* http.listeners[i].tls_proxy */
RESULT config_build_tls_proxy(struct config_build *b, size_t i, struct err *err);
/* What limits and quotas say of endpoints[i] beyond addresses. */
RESULT config_build_throttle(struct config_build *b, size_t i, struct err *err);
RESULT config_build_anomalies(struct config_build *b, struct err *err);
/* endpoints[i].addresses and limits.address */
RESULT config_build_admission(struct config_build *b, size_t i, struct err *err);
/* endpoints[i], which is of protocol crl. */
RESULT config_build_crl(struct config_build *b, size_t i, struct err *err);
/* endpoints[i], which is of protocol ocsp. */
void config_build_ocsp(struct config_build *b, size_t i);
/* endpoints[i], which is of protocol est: what it has beside its policy. */
void config_build_est(struct config_build *b, size_t i);
/* endpoints[i], which is of protocol ndes. */
RESULT config_build_ndes(struct config_build *b, size_t i, struct err *err);

#endif
