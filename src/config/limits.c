/* SPDX-License-Identifier: Apache-2.0 */
/* How much challenges and identities may ask for, and what is unusual. */
#include <time.h>

#include "base/clock.h"
#include "config/build.h"

#define WINDOW 600

static bool is_for_devices(int protocol)
{
	return protocol == FILE_PROTOCOL_SCEP || protocol == FILE_PROTOCOL_EST;
}

/* By challenge nothing is counted where none is shown. */
static void check_counted(struct config_item *item, const struct file_endpoint *f)
{
	const struct file_authorisation *a = &f->authorisation;
	const char *setting = f->limits && f->limits->challenge   ? "limits.challenge"
			      : f->quotas && f->quotas->challenge ? "quotas.challenge"
								  : NULL;

	if (setting && is_for_devices(f->protocol) && !a->one_time && !a->statics_count &&
	    !a->accounts)
		config_yaml_complain(
		    &item->b->yaml, config_at(item, "%s", setting),
		    "counts by challenge or account, and this endpoint takes none; "
		    "count by identity");
}

enum result config_build_throttle(struct config_build *b, size_t i, struct err *err)
{
	const struct file_endpoint *f = &b->file->endpoints[i];
	static const struct file_rates none;
	const struct file_rates *limits = f->limits ? f->limits : &none,
				*quotas = f->quotas ? f->quotas : &none;
	struct config_item item = { .b = b, .list = "endpoints", .i = i };
	struct throttle_config config = { 0 };
	struct {
		const char *setting;
		const char *text;
		struct rate *rate;
	} rows[] = {
		{ "limits.challenge", limits->challenge, &config.requests[THROTTLE_CHALLENGE] },
		{ "limits.identity", limits->identity, &config.requests[THROTTLE_IDENTITY] },
		{ "quotas.challenge", quotas->challenge, &config.certificates[THROTTLE_CHALLENGE] },
		{ "quotas.identity", quotas->identity, &config.certificates[THROTTLE_IDENTITY] },
	};
	bool any = false;
	size_t j;

	for (j = 0; j < ARRAY_LEN(rows); j++) {
		if (!rows[j].text)
			continue;
		any = true;
		config_read_rate(&item, rows[j].setting, rows[j].text, rows[j].rate);
		if (!is_for_devices(f->protocol))
			config_yaml_complain(&b->yaml, config_at(&item, "%s", rows[j].setting),
					     "is for endpoints where devices enrol; remove it");
	}
	check_counted(&item, f);
	for (j = 0; j < THROTTLE_COUNT_; j++)
		if (config.certificates[j].seconds > b->config->quota_seconds)
			b->config->quota_seconds = config.certificates[j].seconds;
	return any ? throttle_new(&b->config->endpoints[i].throttle, &config, err) : OK;
}

/* ---- anomalies ---- */

static void read_rate(struct config_build *b, const char *place, const char *text, struct rate *out)
{
	struct err why = { 0 };

	if (text && rate_parse(text, out, &why) != OK)
		config_yaml_complain(&b->yaml, place, "%s", err_text(&why));
}

static void read_hours(struct config_build *b, const struct file_anomalies *f,
		       struct anomaly_config *config)
{
	char place[CONFIG_PLACE];
	struct err why = { 0 };
	size_t i;

	config->n_hours = f->hours_count;
	for (i = 0; i < f->hours_count; i++)
		if (anomaly_hours_parse(f->hours[i], &config->hours[i], &why) != OK)
			config_yaml_complain(&b->yaml,
					     config_place(place, "anomalies.hours[%zu]", i), "%s",
					     err_text(&why));
	tzset(); /* read while the process may still look for the file */
}

enum result config_build_anomalies(struct config_build *b, struct err *err)
{
	const struct file_anomalies *f = b->file->anomalies;
	struct anomaly_config config = { .window = WINDOW };
	struct err why = { 0 };

	if (!f)
		return OK;
	read_rate(b, "anomalies.failures", f->failures, &config.rates[ANOMALY_FAILURES]);
	read_rate(b, "anomalies.failures_per_address", f->failures_per_address,
		  &config.rates[ANOMALY_BY_ADDRESS]);
	read_rate(b, "anomalies.issuance", f->issuance, &config.rates[ANOMALY_ISSUANCE]);
	read_hours(b, f, &config);
	config.reused_challenge = f->reused_challenge;
	if (f->window && clock_parse_duration(f->window, &config.window, &why) != OK)
		config_yaml_complain(&b->yaml, "anomalies.window", "%s", err_text(&why));
	else if (config.window < 1)
		config_yaml_complain(&b->yaml, "anomalies.window", "must be a second at least");
	if (config.window < 1)
		return OK;
	return anomalies_new(&b->config->anomalies, &config, err);
}
