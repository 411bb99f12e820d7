/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scepterd's configuration, read whole and checked whole: what is wrong is refused with the line
 * of the file and what to do about it. A snapshot: immutable and reference-counted; SIGHUP makes a
 * new one. Thread-safe once loaded.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "admin/ndes.h"
#include "base/log.h"
#include "ca/crl_make.h"
#include "ca/foreign_crl.h"
#include "config/passphrase.h"
#include "est/service.h"
#include "integrations/log_output.h"
#include "net/admission.h"
#include "net/http_server.h"
#include "net/tls.h"
#include "ocsp/service.h"
#include "scep/service.h"

#define CONFIG_LISTENERS_MAX 32
#define CONFIG_METRICS "metrics" /* name of the listener for monitoring */
#define CONFIG_PROFILES_MAX 256
#define CONFIG_ENDPOINTS_MAX 256
#define CONFIG_OPERATORS_MAX 1024
#define CONFIG_CAS_MAX 256

/* tls.ocsp_stapling: of certificates that a CA of this server issued, of others' too, or not. */
enum config_stapling { CONFIG_STAPLING_OWN, CONFIG_STAPLING_FETCH, CONFIG_STAPLING_OFF };

/* Who may tell of a TLS client in a header field: see struct http_tls_proxy. */
struct config_tls_proxy {
	const char *field; /* NULL: nobody */
	enum client_cert_format format;
	struct address_block *trusted; /* owned */
	size_t n_trusted;
	const char *client_ca; /* as of the listener's own TLS */
	const char *client_authority;
	struct foreign_crl *client_crl; /* owned */
	bool operators;                 /* are known by such a certificate, too */
};

struct config_listener {
	const char *name;
	const char *address;          /* IPv4 or IPv6 literal */
	uint16_t port;                /* 0: any free one */
	const char *tls_certificate;  /* path; NULL: plain */
	const char *tls_key;          /* NULL: the server issues the certificate to itself, by... */
	const char *own_ca;           /* ...this CA... */
	const char *own_profile;      /* ...and profile... */
	const char *const *own_names; /* ...for these host names and addresses */
	size_t n_own_names;
	enum config_stapling stapling;
	enum tls_clients clients;
	const char *client_ca; /* path; NULL: whoever uses a client's certificate judges it... */
	const char *client_authority; /* ...or this CA of ours is trusted; NULL: none */
	struct foreign_crl
	    *client_crl;               /* owned: what the client_ca have revoked; NULL: not asked */
	struct address_block *proxies; /* owned: who may send a PROXY header... */
	size_t n_proxies;
	bool proxy_optional; /* ...and need not */
	struct config_tls_proxy tls_proxy;
};

struct config_keys {
	struct passphrase_source passphrase; /* of kind PASSPHRASE_NONE: key files are plain */
	const char *store;                   /* where keys are made: a URI; NULL: files */
	const char *pkcs11_module;
	struct passphrase_source pin; /* of the PKCS#11 tokens */
	const char *tpm_tcti;
};

enum config_protocol { CONFIG_SCEP, CONFIG_CRL, CONFIG_OCSP, CONFIG_NDES, CONFIG_EST };
/* As in the file: "scep". */
const char *config_protocol_name(enum config_protocol p);

struct config_endpoint {
	enum config_protocol protocol;
	const char *name;
	const char *ca;
	const struct enrol_policy *policy; /* where devices enrol: within one of the next two */
	struct scep_endpoint scep;         /* CONFIG_SCEP */
	struct est_endpoint est;           /* CONFIG_EST */
	struct crl_plan crl;               /* CONFIG_CRL */
	char *crl_directory;               /* owned; crl.directory */
	struct ocsp_endpoint ocsp;         /* CONFIG_OCSP */
	struct ndes_endpoint ndes;         /* CONFIG_NDES */
	char *ndes_file;                   /* owned; ndes.password_file */
	const char *path;                  /* begins with '/', does not end with it */
	bool nocase;                       /* so is the path, as in an IIS */
	uint32_t listeners;                /* bit i: listeners[i] */
	struct throttle *throttle;         /* owned; NULL: devices may ask as often as they like */
	struct admission *admission;       /* owned; NULL: everyone may come */
};

struct config_ca {
	const char *name;
	int64_t auto_rollover; /* seconds before its end that the next generation is made; 0: not */
};

struct config {
	const char *data; /* directory; absolute, like all paths here */
	const char *user; /* NULL: stay who we are */
	const char *keeper_user;
	const char *admin_socket;
	uint32_t admin_listeners; /* bit i: listeners[i] serves the admin API, too */
	struct config_keys keys;
	unsigned checkpoint_events; /* of the audit record: see audit/audit.h */
	unsigned checkpoint_seconds;
	struct anomalies *anomalies; /* owned; NULL: none are looked for */
	int64_t quota_seconds;       /* the longest of the quotas' times */
	int64_t challenge_retention; /* seconds from a challenge's end to its deletion */
	enum log_level log_level;
	bool access_log;
	bool log_stderr; /* of the server's lines; the other processes have nothing else */
	struct log_output_config outputs[LOG_TAPS_MAX];
	size_t n_outputs;
	struct config_listener listeners[CONFIG_LISTENERS_MAX];
	size_t n_listeners;
	struct config_listener metrics; /* name NULL: none */
	const char *metrics_socket;     /* NULL: none */
	struct http_limits limits;
	unsigned loops;
	unsigned workers;
	unsigned requests;
	unsigned drain_seconds;
	struct config_ca *cas; /* owned */
	size_t n_cas;
	struct profile **profiles; /* owned */
	size_t n_profiles;
	struct operator_list *operators;   /* owned */
	struct config_endpoint *endpoints; /* owned */
	size_t n_endpoints;
};

/*
 * Are the files that it names (certificates, keys) to be looked at, too? The parent does; the
 * server, who has become another user, cannot.
 */
enum config_scope { CONFIG_ALONE, CONFIG_AND_FILES };

/*
 * ERR_CONFIG: err has the first complaint, *complaints (may be NULL) all of them, a line each:
 * "scepterd.yaml:12: endpoints[0].profile: ...". ERR_NOT_FOUND, ERR_IO: the file cannot be read.
 */
RESULT config_load(const struct config **out, const char *path, enum config_scope scope,
		   struct buf *complaints, struct err *err);
const struct config *config_ref(const struct config *c);
void config_unref(const struct config *c);
/* Does it speak TLS, itself or a proxy for it? */
static inline bool config_listener_is_tls(const struct config_listener *l)
{
	return l->tls_certificate || l->tls_proxy.field;
}
/* The first setting for whose change a running server would have to be restarted; NULL: none. */
const char *config_needs_restart(const struct config *old, const struct config *fresh);

/*
 * The endpoint that a request's path on this listener belongs to: the longest of their paths that
 * its first segments are, whatever follows. Repeated slashes count as one. NULL: none.
 */
const struct config_endpoint *config_route(const struct config *c, size_t listener,
					   struct span path);
/* What stands in it behind the endpoint's path, as received. */
struct span config_behind(const struct config_endpoint *e, struct span path);

#endif
