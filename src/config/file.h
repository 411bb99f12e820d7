/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file as it is written: what libcyaml fills by config_file_schema. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <cyaml/cyaml.h>

/* A setting that is absent is NULL, or 0 where 0 is not a value of its own. */
enum file_output_type { FILE_OUTPUT_STDERR, FILE_OUTPUT_JOURNALD, FILE_OUTPUT_SYSLOG };

struct file_output {
	int type;
	int *transport; /* enum sender_transport */
	char *host;
	unsigned port;
	char *ca;
	char *facility;
	unsigned enterprise;
	bool events;
};

struct file_log {
	char *level;
	bool *access;
	struct file_output *outputs;
	size_t outputs_count;
};

struct file_admin {
	char *socket;
	char **listeners;
	size_t listeners_count;
};

struct file_pkcs11 {
	char *module;
	char *pin;
};

struct file_tpm {
	char *tcti;
};

struct file_keys {
	char *passphrase;
	char *store;
	struct file_pkcs11 *pkcs11;
	struct file_tpm *tpm;
};

struct file_ca {
	char *name;
	char *auto_rollover;
};

struct file_audit {
	unsigned *checkpoint_events;
	unsigned *checkpoint_seconds;
};

struct file_challenges {
	char *retention;
};

struct file_metrics {
	char *address;
	unsigned *port;
	char *socket;
};

enum file_expired { FILE_EXPIRED_REFUSE, FILE_EXPIRED_ACCEPT };

/* Whose certificates are believed; among the settings of tls and tls_proxy. */
struct file_trust {
	char *client_ca;
	char *client_authority;
	char **client_crls;
	size_t client_crls_count;
	int client_crl_expired; /* enum file_expired */
};

struct file_tls {
	char *certificate;
	char *key;
	char *ca;
	char *profile;
	char **names;
	size_t names_count;
	int ocsp_stapling;       /* enum config_stapling */
	int client_certificates; /* enum tls_clients */
	struct file_trust trust;
};

enum file_header { FILE_HEADER_REQUIRED, FILE_HEADER_OPTIONAL };

struct file_proxies {
	char **trusted;
	size_t trusted_count;
	int header; /* enum file_header */
};

struct file_tls_proxy {
	char **trusted;
	size_t trusted_count;
	int format; /* enum client_cert_format */
	char *header;
	struct file_trust trust;
	bool operators;
};

struct file_listener {
	char *name;
	char *address;
	unsigned port;
	struct file_tls *tls;
	struct file_proxies *proxies;
	struct file_tls_proxy *tls_proxy;
};

struct file_limits {
	unsigned *header_bytes;
	unsigned *body_bytes;
	unsigned *header_seconds;
	unsigned *body_seconds;
	unsigned *write_seconds;
	unsigned *idle_seconds;
	unsigned *connections;
	unsigned *connections_per_address;
	unsigned *queue;
	unsigned *drain_seconds;
};

struct file_http {
	struct file_listener *listeners;
	size_t listeners_count;
	unsigned loops;
	unsigned workers;
	unsigned requests;
	struct file_limits *limits;
};

struct file_key {
	int kind; /* enum key_kind */
	unsigned min_bits;
	unsigned max_bits;
};

struct file_name_part { /* of the subject, or of subjectAltName */
	char *type;
	int choice; /* enum profile_choice */
	char *pattern;
	char *value;
	unsigned *max;
};

struct file_renewal {
	bool *allowed;
	char *window;
	char *grace;
	bool *same_names;
	int new_key; /* enum profile_new_key */
};

struct file_profile {
	char *name;
	char *validity;
	char *backdate;
	char **key_usage;
	size_t key_usage_count;
	char **eku;
	size_t eku_count;
	struct file_key *keys;
	size_t keys_count;
	struct file_name_part *subject;
	size_t subject_count;
	int *other_subject;
	struct file_name_part *san;
	size_t san_count;
	int *other_san;
	bool san_from_cn;
	struct file_renewal *renewal;
	char **crl_urls;
	size_t crl_urls_count;
	unsigned crl_parts;
	char **ocsp_urls;
	size_t ocsp_urls_count;
	char **ca_issuer_urls;
	size_t ca_issuer_urls_count;
};

struct file_authorisation {
	bool one_time;
	char **statics;
	size_t statics_count;
	bool anyone;
	bool renewal;
	bool accounts;
	bool certificates;
	bool registrars;
	char *allow_list;
	bool allow_list_suffices;
};

struct file_crl {
	char *url;
	char *validity;
	char *interval;
	char *delta;
	char *full_after;
	unsigned parts;
};

struct file_ndes {
	char *endpoint;
	int encoding;  /* enum ndes_encoding */
	int challenge; /* enum challenge_form */
	char *lifetime;
	unsigned maximum;
	bool reusable;
	bool allow_plain;
};

struct file_est {
	char *retry_after;
	int channel_binding; /* enum est_binding */
	int server_keys;     /* enum est_server_keys */
	char *shared_keys;
	bool both;
	bool full_cmc;
};

struct file_operator_cert {
	char *sha256;
	char *subject;
	char *issuer;
};

struct file_operator {
	char *name;
	char *password;
	struct file_operator_cert *certificate;
	int *roles; /* enum operator_role */
	size_t roles_count;
};

enum file_approval { FILE_APPROVAL_AUTOMATIC, FILE_APPROVAL_MANUAL };
enum file_unissued { FILE_UNISSUED_UNKNOWN, FILE_UNISSUED_REVOKED };
enum file_responder_id { FILE_RESPONDER_KEY, FILE_RESPONDER_NAME };

struct file_ocsp {
	char *validity;
	int unissued;     /* enum file_unissued */
	int responder_id; /* enum file_responder_id */
	unsigned *certificates;
};

enum file_protocol {
	FILE_PROTOCOL_SCEP,
	FILE_PROTOCOL_CRL,
	FILE_PROTOCOL_OCSP,
	FILE_PROTOCOL_NDES,
	FILE_PROTOCOL_EST
};
enum file_legacy { FILE_LEGACY_NONE, FILE_LEGACY_SHA1_3DES, FILE_LEGACY_MD5_DES };

struct file_address_rule {
	char *allow;
	char *deny;
};

struct file_rates {    /* limits or quotas of an endpoint */
	char *address; /* of limits only */
	char *challenge;
	char *identity;
};

struct file_anomalies {
	char *window;
	char *failures;
	char *failures_per_address;
	char *issuance;
	char **hours;
	size_t hours_count;
	bool reused_challenge;
};

struct file_endpoint {
	char *name;
	int protocol; /* enum file_protocol */
	char *path;
	char *ca;
	char *profile;
	struct file_authorisation authorisation;
	int approval; /* enum file_approval */
	unsigned approvers;
	char *pending_lifetime;
	int legacy; /* enum file_legacy */
	char *quirks;
	bool *include_ca;
	bool *offer_post;
	bool *require_nonce;
	bool *asked_validity;
	struct file_crl *crl;
	struct file_ocsp *ocsp;
	struct file_ndes *ndes;
	struct file_address_rule *addresses;
	size_t addresses_count;
	struct file_rates *limits;
	struct file_rates *quotas;
	struct file_est *est;
	char **listeners;
	size_t listeners_count;
};

struct file_config {
	char *data;
	char *user;
	char *keeper_user;
	struct file_log *log;
	struct file_admin *admin;
	struct file_keys *keys;
	struct file_audit *audit;
	struct file_challenges *challenges;
	struct file_anomalies *anomalies;
	struct file_metrics *metrics;
	struct file_http http;
	char *login_failures;
	struct file_operator *operators;
	size_t operators_count;
	struct file_ca *cas;
	size_t cas_count;
	struct file_profile *profiles;
	size_t profiles_count;
	struct file_endpoint *endpoints;
	size_t endpoints_count;
};

extern const cyaml_schema_value_t config_file_schema;

#endif
