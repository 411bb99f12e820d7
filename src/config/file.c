/* SPDX-License-Identifier: Apache-2.0 */
#include "config/file.h"

#include "ca/profile.h"
#include "config/config.h"

#define TEXT_MAX 4096
#define LIST_MAX 256

/* Shorthand for what this schema is made of; OPTIONAL unless it ends in _NEEDED. */
#define OPTIONAL_PTR (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, OPTIONAL_PTR, type, member, 1, TEXT_MAX)
#define TEXT_NEEDED(key, type, member)                                                             \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)
#define NUMBER_PTR(key, type, member) CYAML_FIELD_UINT_PTR(key, OPTIONAL_PTR, type, member)
#define SWITCH(key, type, member) CYAML_FIELD_BOOL(key, CYAML_FLAG_OPTIONAL, type, member)
#define WORD(key, type, member, words)                                                             \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, type, member, words,        \
			 CYAML_ARRAY_LEN(words))
#define WORD_NEEDED(key, type, member, words)                                                      \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT, type, member, words, CYAML_ARRAY_LEN(words))
#define WORD_PTR(key, type, member, words)                                                         \
	CYAML_FIELD_ENUM_PTR(key, OPTIONAL_PTR | CYAML_FLAG_STRICT, type, member, words,           \
			     CYAML_ARRAY_LEN(words))
#define LIST(key, type, member, entry, max)                                                        \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL_PTR, type, member, &(entry), 0, max)
/* Where an empty list would not mean what it says. */
#define LIST_OF_SOME(key, type, member, entry, max)                                                \
	CYAML_FIELD_SEQUENCE(key, OPTIONAL_PTR, type, member, &(entry), 1, max)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX),
};

/* ---- log, admin, keys, audit, http ---- */

static const cyaml_strval_t output_types[] = {
	{ "stderr", FILE_OUTPUT_STDERR },
	{ "journald", FILE_OUTPUT_JOURNALD },
	{ "syslog", FILE_OUTPUT_SYSLOG },
};

static const cyaml_strval_t transports[] = {
	{ "udp", SENDER_UDP },
	{ "tcp", SENDER_TCP },
	{ "tls", SENDER_TLS },
};

static const cyaml_schema_field_t output_fields[] = {
	WORD_NEEDED("type", struct file_output, type, output_types),
	WORD_PTR("transport", struct file_output, transport, transports),
	TEXT("host", struct file_output, host),
	NUMBER("port", struct file_output, port),
	TEXT("ca", struct file_output, ca),
	TEXT("facility", struct file_output, facility),
	NUMBER("enterprise", struct file_output, enterprise),
	SWITCH("events", struct file_output, events),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t output_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_output, output_fields),
};

static const cyaml_schema_field_t log_fields[] = {
	TEXT("level", struct file_log, level),
	CYAML_FIELD_BOOL_PTR("access", OPTIONAL_PTR, struct file_log, access),
	LIST("outputs", struct file_log, outputs, output_entry, LOG_TAPS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t admin_fields[] = {
	TEXT("socket", struct file_admin, socket),
	LIST("listeners", struct file_admin, listeners, text_entry, CONFIG_LISTENERS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t pkcs11_fields[] = {
	TEXT_NEEDED("module", struct file_pkcs11, module),
	TEXT("pin", struct file_pkcs11, pin),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t tpm_fields[] = {
	TEXT_NEEDED("tcti", struct file_tpm, tcti),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t keys_fields[] = {
	TEXT("passphrase", struct file_keys, passphrase),
	TEXT("store", struct file_keys, store),
	CYAML_FIELD_MAPPING_PTR("pkcs11", OPTIONAL_PTR, struct file_keys, pkcs11, pkcs11_fields),
	CYAML_FIELD_MAPPING_PTR("tpm", OPTIONAL_PTR, struct file_keys, tpm, tpm_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t audit_fields[] = {
	NUMBER_PTR("checkpoint_events", struct file_audit, checkpoint_events),
	NUMBER_PTR("checkpoint_seconds", struct file_audit, checkpoint_seconds),
	CYAML_FIELD_END,
};

static const cyaml_strval_t client_certificates[] = {
	{ "none", TLS_CLIENTS_NONE },
	{ "request", TLS_CLIENTS_REQUEST },
	{ "require", TLS_CLIENTS_REQUIRE },
};

static const cyaml_strval_t staplings[] = {
	{ "own", CONFIG_STAPLING_OWN },
	{ "fetch", CONFIG_STAPLING_FETCH },
	{ "off", CONFIG_STAPLING_OFF },
};

static const cyaml_schema_field_t challenges_fields[] = {
	TEXT("retention", struct file_challenges, retention),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	TEXT("address", struct file_metrics, address),
	NUMBER_PTR("port", struct file_metrics, port),
	TEXT("socket", struct file_metrics, socket),
	CYAML_FIELD_END,
};

static const cyaml_strval_t expired_lists[] = {
	{ "refuse", FILE_EXPIRED_REFUSE },
	{ "accept", FILE_EXPIRED_ACCEPT },
};

#define TRUST(type)                                                                                \
	TEXT("client_ca", type, trust.client_ca),                                                  \
	    TEXT("client_authority", type, trust.client_authority),                                \
	    LIST("client_crl", type, trust.client_crls, text_entry, LIST_MAX),                     \
	    WORD("client_crl_expired", type, trust.client_crl_expired, expired_lists)

static const cyaml_schema_field_t tls_fields[] = {
	TEXT("certificate", struct file_tls, certificate),
	TEXT("key", struct file_tls, key),
	TEXT("ca", struct file_tls, ca),
	TEXT("profile", struct file_tls, profile),
	LIST("names", struct file_tls, names, text_entry, LIST_MAX),
	WORD("ocsp_stapling", struct file_tls, ocsp_stapling, staplings),
	WORD("client_certificates", struct file_tls, client_certificates, client_certificates),
	TRUST(struct file_tls),
	CYAML_FIELD_END,
};

static const cyaml_strval_t headers[] = {
	{ "required", FILE_HEADER_REQUIRED },
	{ "optional", FILE_HEADER_OPTIONAL },
};

static const cyaml_schema_field_t proxies_fields[] = {
	CYAML_FIELD_SEQUENCE("trusted", CYAML_FLAG_POINTER, struct file_proxies, trusted,
			     &text_entry, 1, LIST_MAX),
	WORD("header", struct file_proxies, header, headers),
	CYAML_FIELD_END,
};

static const cyaml_strval_t client_cert_formats[] = {
	{ "rfc9440", CLIENT_CERT_RFC9440 },
	{ "pem", CLIENT_CERT_PEM },
	{ "der", CLIENT_CERT_DER },
};

static const cyaml_schema_field_t tls_proxy_fields[] = {
	LIST("trusted", struct file_tls_proxy, trusted, text_entry, LIST_MAX),
	WORD("format", struct file_tls_proxy, format, client_cert_formats),
	TEXT("header", struct file_tls_proxy, header),
	TRUST(struct file_tls_proxy),
	SWITCH("operators", struct file_tls_proxy, operators),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t listener_fields[] = {
	TEXT_NEEDED("name", struct file_listener, name),
	TEXT_NEEDED("address", struct file_listener, address),
	CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, struct file_listener, port),
	CYAML_FIELD_MAPPING_PTR("tls", OPTIONAL_PTR, struct file_listener, tls, tls_fields),
	CYAML_FIELD_MAPPING_PTR("proxies", OPTIONAL_PTR, struct file_listener, proxies,
				proxies_fields),
	CYAML_FIELD_MAPPING_PTR("tls_proxy", OPTIONAL_PTR, struct file_listener, tls_proxy,
				tls_proxy_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t listener_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_listener, listener_fields),
};

static const cyaml_schema_field_t limits_fields[] = {
	NUMBER_PTR("header_bytes", struct file_limits, header_bytes),
	NUMBER_PTR("body_bytes", struct file_limits, body_bytes),
	NUMBER_PTR("header_seconds", struct file_limits, header_seconds),
	NUMBER_PTR("body_seconds", struct file_limits, body_seconds),
	NUMBER_PTR("write_seconds", struct file_limits, write_seconds),
	NUMBER_PTR("idle_seconds", struct file_limits, idle_seconds),
	NUMBER_PTR("connections", struct file_limits, connections),
	NUMBER_PTR("connections_per_address", struct file_limits, connections_per_address),
	NUMBER_PTR("queue", struct file_limits, queue),
	NUMBER_PTR("drain_seconds", struct file_limits, drain_seconds),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t http_fields[] = {
	CYAML_FIELD_SEQUENCE("listeners", CYAML_FLAG_POINTER, struct file_http, listeners,
			     &listener_entry, 1, CONFIG_LISTENERS_MAX),
	NUMBER("loops", struct file_http, loops),
	NUMBER("workers", struct file_http, workers),
	NUMBER("requests", struct file_http, requests),
	CYAML_FIELD_MAPPING_PTR("limits", OPTIONAL_PTR, struct file_http, limits, limits_fields),
	CYAML_FIELD_END,
};

/* ---- operators ---- */

static const cyaml_strval_t roles[] = {
	{ "challenge-issuer", OPERATOR_CHALLENGE_ISSUER },
	{ "device", OPERATOR_DEVICE },
	{ "administrator", OPERATOR_ADMINISTRATOR },
	{ "approver", OPERATOR_APPROVER },
	{ "auditor", OPERATOR_AUDITOR },
};
static const cyaml_schema_value_t role_entry = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, int, roles, CYAML_ARRAY_LEN(roles)),
};

static const cyaml_schema_field_t operator_cert_fields[] = {
	TEXT("sha256", struct file_operator_cert, sha256),
	TEXT("subject", struct file_operator_cert, subject),
	TEXT("issuer", struct file_operator_cert, issuer),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t operator_fields[] = {
	TEXT_NEEDED("name", struct file_operator, name),
	TEXT("password", struct file_operator, password),
	CYAML_FIELD_MAPPING_PTR("certificate", OPTIONAL_PTR, struct file_operator, certificate,
				operator_cert_fields),
	LIST("roles", struct file_operator, roles, role_entry, LIST_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t operator_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_operator, operator_fields),
};

/* ---- CAs ---- */

static const cyaml_schema_field_t ca_fields[] = {
	TEXT_NEEDED("name", struct file_ca, name),
	TEXT("auto_rollover", struct file_ca, auto_rollover),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t ca_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_ca, ca_fields),
};

/* ---- profiles ---- */

static const cyaml_strval_t key_kinds[] = {
	{ "rsa", KEY_RSA },
	{ "p256", KEY_EC_P256 },
	{ "p384", KEY_EC_P384 },
	{ "p521", KEY_EC_P521 },
	{ "ed25519", KEY_ED25519 },
	{ "ml-dsa-44", KEY_ML_DSA_44 },
	{ "ml-dsa-65", KEY_ML_DSA_65 },
	{ "ml-dsa-87", KEY_ML_DSA_87 },
};

static const cyaml_strval_t choices[] = {
	{ "forbid", PROFILE_FORBID },     { "drop", PROFILE_DROP },
	{ "optional", PROFILE_OPTIONAL }, { "required", PROFILE_REQUIRED },
	{ "fixed", PROFILE_FIXED },
};

static const cyaml_strval_t other_choices[] = {
	{ "forbid", PROFILE_FORBID },
	{ "drop", PROFILE_DROP },
	{ "optional", PROFILE_OPTIONAL },
};

static const cyaml_schema_field_t key_fields[] = {
	WORD_NEEDED("kind", struct file_key, kind, key_kinds),
	NUMBER("min_bits", struct file_key, min_bits),
	NUMBER("max_bits", struct file_key, max_bits),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t key_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_key, key_fields),
};

static const cyaml_schema_field_t name_part_fields[] = {
	TEXT_NEEDED("type", struct file_name_part, type),
	WORD_NEEDED("choice", struct file_name_part, choice, choices),
	TEXT("pattern", struct file_name_part, pattern),
	TEXT("value", struct file_name_part, value),
	NUMBER_PTR("max", struct file_name_part, max),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t name_part_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_name_part, name_part_fields),
};

static const cyaml_strval_t new_keys[] = {
	{ "optional", PROFILE_KEY_OPTIONAL },
	{ "required", PROFILE_KEY_REQUIRED },
	{ "forbidden", PROFILE_KEY_FORBIDDEN },
};

static const cyaml_schema_field_t renewal_fields[] = {
	CYAML_FIELD_BOOL_PTR("allowed", OPTIONAL_PTR, struct file_renewal, allowed),
	TEXT("window", struct file_renewal, window),
	TEXT("grace", struct file_renewal, grace),
	CYAML_FIELD_BOOL_PTR("same_names", OPTIONAL_PTR, struct file_renewal, same_names),
	WORD("new_key", struct file_renewal, new_key, new_keys),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t profile_fields[] = {
	TEXT_NEEDED("name", struct file_profile, name),
	TEXT_NEEDED("validity", struct file_profile, validity),
	TEXT("backdate", struct file_profile, backdate),
	LIST_OF_SOME("key_usage", struct file_profile, key_usage, text_entry, LIST_MAX),
	LIST("eku", struct file_profile, eku, text_entry, PROFILE_EKUS_MAX),
	LIST_OF_SOME("keys", struct file_profile, keys, key_entry, PROFILE_KEYS_MAX),
	LIST("subject", struct file_profile, subject, name_part_entry, PROFILE_ATTRS_MAX),
	WORD_PTR("other_subject", struct file_profile, other_subject, other_choices),
	LIST("san", struct file_profile, san, name_part_entry, PROFILE_SANS_MAX),
	WORD_PTR("other_san", struct file_profile, other_san, other_choices),
	SWITCH("san_from_cn", struct file_profile, san_from_cn),
	CYAML_FIELD_MAPPING_PTR("renewal", OPTIONAL_PTR, struct file_profile, renewal,
				renewal_fields),
	LIST("crl_urls", struct file_profile, crl_urls, text_entry, LIST_MAX),
	NUMBER("crl_parts", struct file_profile, crl_parts),
	LIST("ocsp_urls", struct file_profile, ocsp_urls, text_entry, LIST_MAX),
	LIST("ca_issuer_urls", struct file_profile, ca_issuer_urls, text_entry, LIST_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t profile_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_profile, profile_fields),
};

/* ---- endpoints ---- */

static const cyaml_strval_t protocols[] = {
	{ "scep", FILE_PROTOCOL_SCEP }, { "crl", FILE_PROTOCOL_CRL },
	{ "ocsp", FILE_PROTOCOL_OCSP }, { "ndes", FILE_PROTOCOL_NDES },
	{ "est", FILE_PROTOCOL_EST },
};

static const cyaml_strval_t approvals[] = {
	{ "automatic", FILE_APPROVAL_AUTOMATIC },
	{ "manual", FILE_APPROVAL_MANUAL },
};

static const cyaml_strval_t legacies[] = {
	{ "none", FILE_LEGACY_NONE },
	{ "sha1-3des", FILE_LEGACY_SHA1_3DES },
	{ "md5-des", FILE_LEGACY_MD5_DES },
};

static const cyaml_schema_field_t authorisation_fields[] = {
	SWITCH("one_time", struct file_authorisation, one_time),
	LIST("static", struct file_authorisation, statics, text_entry, LIST_MAX),
	SWITCH("anyone", struct file_authorisation, anyone),
	SWITCH("renewal", struct file_authorisation, renewal),
	SWITCH("accounts", struct file_authorisation, accounts),
	SWITCH("certificates", struct file_authorisation, certificates),
	SWITCH("registrars", struct file_authorisation, registrars),
	TEXT("allow_list", struct file_authorisation, allow_list),
	SWITCH("allow_list_suffices", struct file_authorisation, allow_list_suffices),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t crl_fields[] = {
	TEXT("url", struct file_crl, url),
	TEXT("validity", struct file_crl, validity),
	TEXT("interval", struct file_crl, interval),
	TEXT("delta", struct file_crl, delta),
	NUMBER("parts", struct file_crl, parts),
	TEXT("full_after", struct file_crl, full_after),
	CYAML_FIELD_END,
};

static const cyaml_strval_t unissued[] = {
	{ "unknown", FILE_UNISSUED_UNKNOWN },
	{ "revoked", FILE_UNISSUED_REVOKED },
};

static const cyaml_strval_t responder_ids[] = {
	{ "key", FILE_RESPONDER_KEY },
	{ "name", FILE_RESPONDER_NAME },
};

static const cyaml_schema_field_t ocsp_fields[] = {
	TEXT("validity", struct file_ocsp, validity),
	WORD("unissued", struct file_ocsp, unissued, unissued),
	WORD("responder_id", struct file_ocsp, responder_id, responder_ids),
	NUMBER_PTR("certificates", struct file_ocsp, certificates),
	CYAML_FIELD_END,
};

static const cyaml_strval_t encodings[] = {
	{ "utf-16", NDES_UTF16 },
	{ "utf-8", NDES_UTF8 },
};

static const cyaml_strval_t challenge_forms[] = {
	{ "hex-64", CHALLENGE_HEX_64 },
	{ "hex-128", CHALLENGE_HEX_128 },
};

static const cyaml_schema_field_t ndes_fields[] = {
	TEXT_NEEDED("endpoint", struct file_ndes, endpoint),
	WORD("encoding", struct file_ndes, encoding, encodings),
	WORD("challenge", struct file_ndes, challenge, challenge_forms),
	TEXT("lifetime", struct file_ndes, lifetime),
	NUMBER("maximum", struct file_ndes, maximum),
	SWITCH("reusable", struct file_ndes, reusable),
	SWITCH("allow_plain", struct file_ndes, allow_plain),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t address_rule_fields[] = {
	TEXT("allow", struct file_address_rule, allow),
	TEXT("deny", struct file_address_rule, deny),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t address_rule_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_address_rule, address_rule_fields),
};

static const cyaml_schema_field_t rates_fields[] = {
	TEXT("address", struct file_rates, address),
	TEXT("challenge", struct file_rates, challenge),
	TEXT("identity", struct file_rates, identity),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t quotas_fields[] = {
	TEXT("challenge", struct file_rates, challenge),
	TEXT("identity", struct file_rates, identity),
	CYAML_FIELD_END,
};

static const cyaml_strval_t bindings[] = {
	{ "off", EST_BINDING_OFF },
	{ "optional", EST_BINDING_OPTIONAL },
	{ "required", EST_BINDING_REQUIRED },
};

static const cyaml_strval_t server_keys[] = {
	{ "off", EST_KEYS_OFF },
	{ "encrypted", EST_KEYS_ENCRYPTED },
	{ "plain", EST_KEYS_PLAIN },
};

static const cyaml_schema_field_t est_fields[] = {
	WORD("server_keys", struct file_est, server_keys, server_keys),
	TEXT("shared_keys", struct file_est, shared_keys),
	WORD("channel_binding", struct file_est, channel_binding, bindings),
	SWITCH("certificate_and_password", struct file_est, both),
	SWITCH("full_cmc", struct file_est, full_cmc),
	TEXT("retry_after", struct file_est, retry_after),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t endpoint_fields[] = {
	TEXT_NEEDED("name", struct file_endpoint, name),
	WORD_NEEDED("protocol", struct file_endpoint, protocol, protocols),
	TEXT_NEEDED("path", struct file_endpoint, path),
	TEXT_NEEDED("ca", struct file_endpoint, ca),
	TEXT("profile", struct file_endpoint, profile),
	CYAML_FIELD_MAPPING("authorisation", CYAML_FLAG_OPTIONAL, struct file_endpoint,
			    authorisation, authorisation_fields),
	WORD("approval", struct file_endpoint, approval, approvals),
	NUMBER("approvers", struct file_endpoint, approvers),
	TEXT("pending_lifetime", struct file_endpoint, pending_lifetime),
	WORD("legacy", struct file_endpoint, legacy, legacies),
	TEXT("quirks", struct file_endpoint, quirks),
	CYAML_FIELD_BOOL_PTR("include_ca", OPTIONAL_PTR, struct file_endpoint, include_ca),
	CYAML_FIELD_BOOL_PTR("offer_post", OPTIONAL_PTR, struct file_endpoint, offer_post),
	CYAML_FIELD_BOOL_PTR("require_nonce", OPTIONAL_PTR, struct file_endpoint, require_nonce),
	CYAML_FIELD_BOOL_PTR("asked_validity", OPTIONAL_PTR, struct file_endpoint, asked_validity),
	CYAML_FIELD_MAPPING_PTR("crl", OPTIONAL_PTR, struct file_endpoint, crl, crl_fields),
	CYAML_FIELD_MAPPING_PTR("ocsp", OPTIONAL_PTR, struct file_endpoint, ocsp, ocsp_fields),
	CYAML_FIELD_MAPPING_PTR("ndes", OPTIONAL_PTR, struct file_endpoint, ndes, ndes_fields),
	LIST("addresses", struct file_endpoint, addresses, address_rule_entry, LIST_MAX),
	CYAML_FIELD_MAPPING_PTR("limits", OPTIONAL_PTR, struct file_endpoint, limits, rates_fields),
	CYAML_FIELD_MAPPING_PTR("quotas", OPTIONAL_PTR, struct file_endpoint, quotas,
				quotas_fields),
	CYAML_FIELD_MAPPING_PTR("est", OPTIONAL_PTR, struct file_endpoint, est, est_fields),
	LIST_OF_SOME("listeners", struct file_endpoint, listeners, text_entry,
		     CONFIG_LISTENERS_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t endpoint_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_endpoint, endpoint_fields),
};

/* ---- anomalies ---- */

static const cyaml_schema_field_t anomalies_fields[] = {
	TEXT("window", struct file_anomalies, window),
	TEXT("failures", struct file_anomalies, failures),
	TEXT("failures_per_address", struct file_anomalies, failures_per_address),
	TEXT("issuance", struct file_anomalies, issuance),
	LIST("hours", struct file_anomalies, hours, text_entry, ANOMALY_HOURS_MAX),
	SWITCH("reused_challenge", struct file_anomalies, reused_challenge),
	CYAML_FIELD_END,
};

/* ---- the whole ---- */

static const cyaml_schema_field_t config_fields[] = {
	TEXT_NEEDED("data", struct file_config, data),
	TEXT("user", struct file_config, user),
	TEXT("keeper_user", struct file_config, keeper_user),
	CYAML_FIELD_MAPPING_PTR("log", OPTIONAL_PTR, struct file_config, log, log_fields),
	CYAML_FIELD_MAPPING_PTR("admin", OPTIONAL_PTR, struct file_config, admin, admin_fields),
	CYAML_FIELD_MAPPING_PTR("keys", OPTIONAL_PTR, struct file_config, keys, keys_fields),
	CYAML_FIELD_MAPPING_PTR("audit", OPTIONAL_PTR, struct file_config, audit, audit_fields),
	CYAML_FIELD_MAPPING_PTR("challenges", OPTIONAL_PTR, struct file_config, challenges,
				challenges_fields),
	CYAML_FIELD_MAPPING_PTR("anomalies", OPTIONAL_PTR, struct file_config, anomalies,
				anomalies_fields),
	CYAML_FIELD_MAPPING_PTR("metrics", OPTIONAL_PTR, struct file_config, metrics,
				metrics_fields),
	CYAML_FIELD_MAPPING("http", CYAML_FLAG_DEFAULT, struct file_config, http, http_fields),
	TEXT("login_failures", struct file_config, login_failures),
	LIST("operators", struct file_config, operators, operator_entry, CONFIG_OPERATORS_MAX),
	LIST("cas", struct file_config, cas, ca_entry, CONFIG_CAS_MAX),
	LIST("profiles", struct file_config, profiles, profile_entry, CONFIG_PROFILES_MAX),
	LIST("endpoints", struct file_config, endpoints, endpoint_entry, CONFIG_ENDPOINTS_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_config, config_fields),
};
