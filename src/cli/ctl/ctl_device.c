/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl device: the lists of devices that may enrol. */
#include "base/file.h"
#include "ca/device_csv.h"
#include "cli/ctl/ctl_list.h"
#include "cli/ctl/ctl_show.h"

#define TYPES "MAC serialNumber CN DNS IP URI email UPN RID"

/* ---- import ---- */

struct import_opts {
	const char *file;
	const char *list;
	bool once;
	bool keep;
};

static const struct cli_option import_options[] = {
	{ "FILE", CLI_ARG, offsetof(struct import_opts, file), NULL, "CSV; - for standard input" },
	{ "--list", CLI_TEXT, offsetof(struct import_opts, list), "NAME",
	  "the list that takes them; made if there is none", .required = true },
	{ "--once", CLI_FLAG, offsetof(struct import_opts, once), NULL,
	  "each is good for one certificate, where no column \"use\" says otherwise" },
	{ "--keep-existing", CLI_FLAG, offsetof(struct import_opts, keep), NULL,
	  "leave those that the list has already as they are; else they are an error" },
	{ 0 },
};

static void tell_lines(void *ctx, size_t lines)
{
	const char *file = ctx;

	cli_output_progress("%s: %zu lines read", file, lines);
}

/* All that is wrong is told here, before the server is asked. */
static RESULT check_file(const struct import_opts *o, struct span text, size_t *n, struct err *err)
{
	CLEANUP(device_csv_clear) struct device_csv csv = { .n = 0 };
	const struct device_csv_options options = { o->once, tell_lines,
						    (void *)(uintptr_t)o->file };
	BUF complaints = BUF_INIT;
	enum result r = device_csv_parse(&csv, text, &options, &complaints, err);

	cli_output_progress_end();
	if (r == ERR_SYNTAX && complaints.len) {
		(void)fwrite(complaints.data, 1, complaints.len, stderr);
		return err_set(err, r, "%s: nothing was imported", o->file);
	}
	if (r != OK)
		return err_prefix(err, r, "%s", o->file);
	*n = csv.n;
	return OK;
}

static RESULT send_file(const struct cli *cli, const struct import_opts *o, struct span text,
			json_t **answer, struct err *err)
{
	CLEANUP_JSON body = json_pack("{s:s%, s:s, s:b}", "csv", (const char *)text.p, text.len,
				      "use", o->once ? "once" : "ever", "keep_existing", o->keep);
	BUF path = BUF_INIT;

	if (!body)
		return err_set(err, ERR_SYNTAX, "%s is not UTF-8 text", o->file);
	ctl_api_path(&path, "/v1/device-lists/", o->list);
	TRY(buf_check(&path, err));
	return ctl_api_post(cli, buf_cstr(&path), body, answer, err);
}

static enum result run_import(struct cli *cli, const void *opts, struct err *err)
{
	const struct import_opts *o = opts;
	CLEANUP_JSON answer = NULL;
	BUF text = BUF_INIT;
	enum result r;
	size_t n = 0;

	TRY(file_read(strcmp(o->file, "-") == 0 ? "/dev/stdin" : o->file, DEVICE_CSV_BYTES_MAX,
		      &text, err));
	TRY(check_file(o, buf_span(&text), &n, err));
	cli_output_progress("%zu devices: the server imports them ...", n);
	r = send_file(cli, o, buf_span(&text), &answer, err);
	cli_output_progress_end();
	if (r != OK)
		return r;
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_line(&cli->out, CLI_GREEN, "list %s: %lld added, %lld were there", o->list,
			(long long)json_integer_value(json_object_get(answer, "added")),
			(long long)json_integer_value(json_object_get(answer, "kept")));
	return OK;
}

/* ---- list ---- */

struct list_opts {
	struct ctl_list page;
	const char *list;
	const char *type;
	const char *value;
};

static const struct cli_option list_options[] = {
	{ "--list", CLI_TEXT, offsetof(struct list_opts, list), "NAME",
	  "the devices of this list; without it, and without --value, the lists" },
	{ "--type", CLI_TEXT, offsetof(struct list_opts, type), "TYPE", "with --value",
	  .choices = TYPES },
	{ "--value", CLI_TEXT, offsetof(struct list_opts, value), "TEXT",
	  "where this device is listed" },
	CTL_LIST_PAGE,
	{ 0 },
};

static RESULT put_lists(const struct cli *cli, const json_t *lists, struct err *err)
{
	CLEANUP(cli_table_clear) struct cli_table t = { { "LIST", "DEVICES", "ONCE", "USED" }, 4 };
	const json_t *l;
	size_t i;

	json_array_foreach(lists, i, l)
	{
		cli_table_put(&t, ctl_api_text(l, "name"));
		ctl_list_put_number(&t, l, "entries");
		ctl_list_put_number(&t, l, "once");
		ctl_list_put_number(&t, l, "used");
	}
	return cli_table_print(&t, &cli->out, "there is no list: scepterctl device import", err);
}

static RESULT put_devices(const struct cli *cli, const json_t *devices, struct err *err)
{
	CLEANUP(cli_table_clear)
	struct cli_table t = { { "ID", "LIST", "TYPE", "VALUE", "USE", "USED", "NOTE" }, 7 };
	const json_t *d;
	size_t i;

	json_array_foreach(devices, i, d)
	{
		ctl_list_put_number(&t, d, "id");
		cli_table_put(&t, ctl_api_text(d, "list"));
		cli_table_put(&t, ctl_api_text(d, "type"));
		cli_table_put(&t, ctl_api_text(d, "value"));
		cli_table_put(&t, ctl_api_text(d, "use"));
		cli_table_put(&t, ctl_api_text(d, "used"));
		cli_table_put(&t, ctl_api_text(d, "note"));
	}
	return cli_table_print(&t, &cli->out, "no such device is listed", err);
}

static enum result run_list(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_list_shown shown[] = { { "lists", put_lists },
						       { "devices", put_devices } };
	const struct list_opts *o = opts;
	bool devices = o->list || o->value || o->type;
	BUF path = BUF_INIT;

	buf_put_str(&path, devices ? "/v1/devices" : "/v1/device-lists");
	ctl_api_query(&path, "list", o->list);
	ctl_api_query(&path, "type", o->type);
	ctl_api_query(&path, "value", o->value);
	TRY(buf_check(&path, err));
	return ctl_list_run(cli, buf_cstr(&path), &o->page, &shown[devices], err);
}

/* ---- add ---- */

struct add_opts {
	const char *type;
	const char *value;
	const char *list;
	const char *note;
	bool once;
};

static const struct cli_option add_options[] = {
	{ "TYPE", CLI_ARG, offsetof(struct add_opts, type), NULL,
	  "MAC, an attribute such as serialNumber, or DNS, IP, URI, email, UPN, RID",
	  .choices = TYPES },
	{ "VALUE", CLI_ARG, offsetof(struct add_opts, value), NULL, "of the device" },
	{ "--list", CLI_TEXT, offsetof(struct add_opts, list), "NAME", "the list that takes it",
	  .required = true },
	{ "--once", CLI_FLAG, offsetof(struct add_opts, once), NULL,
	  "it is good for one certificate" },
	{ "--note", CLI_TEXT, offsetof(struct add_opts, note), "TEXT", "for people" },
	{ 0 },
};

static enum result run_add(struct cli *cli, const void *opts, struct err *err)
{
	const struct add_opts *o = opts;
	CLEANUP_JSON body = json_object();
	CLEANUP_JSON answer = NULL;

	ctl_api_set(body, "list", o->list);
	ctl_api_set(body, "type", o->type);
	ctl_api_set(body, "value", o->value);
	ctl_api_set(body, "note", o->note);
	ctl_api_set(body, "use", o->once ? "once" : "ever");
	TRY(ctl_api_post(cli, "/v1/devices", body, &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_line(&cli->out, CLI_GREEN, "%s \"%s\" is on list %s",
			ctl_api_text(answer, "type"), o->value, o->list);
	return OK;
}

/* ---- one ---- */

struct one_opts {
	const char *id;
};

static const struct cli_option one_options[] = {
	{ "ID", CLI_ARG, offsetof(struct one_opts, id), NULL, "as \"device list\" shows it" },
	{ 0 },
};

static RESULT device_path(const struct one_opts *o, struct buf *path, struct err *err)
{
	ctl_api_path(path, "/v1/devices/", o->id);
	return buf_cstr(path) ? OK : err_nomem(err);
}

static enum result run_show(struct cli *cli, const void *opts, struct err *err)
{
	static const struct ctl_field fields[] = {
		{ "List", "list" },           { "Type", "type" },
		{ "Value", "value" },         { "Use", "use" },
		{ "Used", "used" },           { "Note", "note" },
		{ "Added by", "created_by" }, { "Added", "created" },
	};
	BUF path = BUF_INIT;

	TRY(device_path(opts, &path, err));
	return ctl_show_run(cli, buf_cstr(&path), fields, ARRAY_LEN(fields), err);
}

static enum result run_remove(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	TRY(device_path(opts, &path, err));
	TRY(ctl_api_delete(cli, buf_cstr(&path), &answer, err));
	if (cli->out.json)
		return cli_output_json(&cli->out, answer, err);
	cli_output_line(&cli->out, CLI_PLAIN, "%s \"%s\" is off list %s",
			ctl_api_text(answer, "type"), ctl_api_text(answer, "value"),
			ctl_api_text(answer, "list"));
	return OK;
}

static const struct cli_command commands[] = {
	{ .name = "import",
	  .summary = "Add the devices of a CSV file to a list: all of them, or none.",
	  .examples = "scepterctl device import routers.csv --list routers\n"
		      "scepterctl device import phones.csv --list phones --once\n",
	  .options = import_options,
	  .opts_size = sizeof(struct import_opts),
	  .run = run_import },
	{ .name = "list",
	  .summary = "Show the lists, or the devices of one.",
	  .examples = "scepterctl device list\n"
		      "scepterctl device list --list routers\n"
		      "scepterctl device list --type MAC --value 00:1a:2b:3c:4d:5e\n",
	  .options = list_options,
	  .opts_size = sizeof(struct list_opts),
	  .run = run_list },
	{ .name = "add",
	  .summary = "Add one device to a list.",
	  .examples = "scepterctl device add serialNumber FTX1234ABCD --list routers --once\n"
		      "scepterctl device add MAC 00:1a:2b:3c:4d:5e --list phones\n",
	  .options = add_options,
	  .opts_size = sizeof(struct add_opts),
	  .run = run_add },
	{ .name = "show",
	  .summary = "Show a listed device, and when it was used.",
	  .examples = "scepterctl device show 12\n",
	  .options = one_options,
	  .opts_size = sizeof(struct one_opts),
	  .run = run_show },
	{ .name = "remove",
	  .summary = "Take a device off its list; certificates that it has stay.",
	  .examples = "scepterctl device remove 12\n",
	  .options = one_options,
	  .opts_size = sizeof(struct one_opts),
	  .run = run_remove },
	{ 0 },
};

const struct cli_command ctl_device = {
	.name = "device",
	.summary = "Say which devices may enrol.",
	.examples = "scepterctl device import routers.csv --list routers\n"
		    "scepterctl device list\n",
	.sub = commands,
};
