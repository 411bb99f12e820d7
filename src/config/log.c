/* SPDX-License-Identifier: Apache-2.0 */
/* log: what is logged, and where it goes. */
#include "config/build.h"

#define SYSLOG_PORT 514
#define SYSLOG_TLS_PORT 6514 /* RFC 5425 4.1 */
#define OUTPUT_MS 5000

static void complain(struct config_build *b, size_t i, const char *setting, const char *text)
{
	char place[CONFIG_PLACE];

	config_yaml_complain(&b->yaml, config_place(place, "log.outputs[%zu].%s", i, setting), "%s",
			     text);
}

static bool is_syslog(const struct file_output *f)
{
	return f->type == FILE_OUTPUT_SYSLOG;
}

/* What a collector needs, and nothing else does. */
static void check_syslog(struct config_build *b, size_t i, const struct file_output *f)
{
	bool tls = f->transport && *f->transport == SENDER_TLS;

	if (is_syslog(f) && !f->host)
		complain(b, i, "type", "syslog needs \"host\", where the collector is");
	if (!is_syslog(f) && (f->host || f->port || f->transport || f->facility || f->enterprise))
		complain(b, i, "type",
			 "only syslog has host, port, transport, facility and enterprise");
	if (f->ca && !tls)
		complain(b, i, "ca", "is of use with \"transport: tls\" only");
	if (f->port > UINT16_MAX)
		complain(b, i, "port", "is no port: 1 to 65535");
	if (f->type == FILE_OUTPUT_STDERR && f->events)
		complain(b, i, "events",
			 "standard error has no events; follow them by \"scepterctl audit tail "
			 "--follow --json\"");
}

static unsigned facility_of(struct config_build *b, size_t i, const struct file_output *f)
{
	int number = syslog_facility(f->facility ? f->facility : "daemon");

	if (number < 0)
		complain(b, i, "facility", "is none of daemon, auth, authpriv, local0 to local7");
	return number < 0 ? 0 : (unsigned)number;
}

static void build_output(struct config_build *b, size_t i)
{
	const struct file_output *f = &b->file->log->outputs[i];
	struct log_output_config *o = &b->config->outputs[b->config->n_outputs];
	char place[CONFIG_PLACE];

	check_syslog(b, i, f);
	if (f->type == FILE_OUTPUT_STDERR) {
		b->config->log_stderr = true;
		return;
	}
	*o = (struct log_output_config){
		.kind = is_syslog(f) ? LOG_OUTPUT_SYSLOG : LOG_OUTPUT_JOURNALD,
		.to = { .transport =
			    f->transport ? (enum sender_transport) * f->transport : SENDER_UDP,
			.host = f->host,
			.port = (uint16_t)f->port,
			.ca_file = f->ca,
			.timeout_ms = OUTPUT_MS },
		.facility = facility_of(b, i, f),
		.enterprise = f->enterprise ? f->enterprise : SYSLOG_ENTERPRISE,
		.events = f->events,
	};
	if (f->port == 0)
		o->to.port = o->to.transport == SENDER_TLS ? SYSLOG_TLS_PORT : SYSLOG_PORT;
	if (f->ca)
		config_check_readable(b, config_place(place, "log.outputs[%zu].ca", i), f->ca);
	b->config->n_outputs++;
}

static void build_outputs(struct config_build *b)
{
	const struct file_log *log = b->file->log;
	size_t i;

	b->config->log_stderr = !log || log->outputs_count == 0;
	for (i = 0; log && i < log->outputs_count; i++)
		build_output(b, i);
}

void config_build_log(struct config_build *b)
{
	const struct file_log *log = b->file->log;
	struct err err = { 0 };

	b->config->log_level = LOG_LEVEL_INFO;
	b->config->access_log = !log || !log->access || *log->access;
	if (log && log->level && log_level_parse(log->level, &b->config->log_level, &err) != OK)
		config_yaml_complain(&b->yaml, "log.level", "%s", err_text(&err));
	build_outputs(b);
}
