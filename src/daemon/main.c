/* SPDX-License-Identifier: Apache-2.0 */
/* scepterd: options, configuration, run. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/protect_keys.h"
#include "daemon/restore.h"
#include "daemon/supervise.h"
#include "daemon/tls_listener.h"

#define DEFAULT_CONFIG "/etc/scepter/scepterd.yaml"

static const char help_text[] =
    "Usage: scepterd [--config FILE] [--check | --protect-keys | --restore DIR]\n"
    "\n"
    "Scepter's server: gives devices their certificates.\n"
    "\n"
    "  --config FILE  configuration (default " DEFAULT_CONFIG ")\n"
    "  --check        say whether the configuration is good, and end\n"
    "  --protect-keys encrypt the keeper's plain key files under keys.passphrase, and end\n"
    "  --old-passphrase SOURCE\n"
    "                 with --protect-keys: they were under this one; credential:NAME,\n"
    "                 file:/PATH, fd:N or prompt\n"
    "  --restore DIR  take back what \"scepterctl backup DIR\" made, where nothing is, and end\n"
    "  --keep-challenges\n"
    "                 with --restore: do not revoke the challenges that were open\n"
    "  --foreground   stay in the foreground (it always does)\n"
    "  --version      print the version, and end\n"
    "  --help         print this, and end\n"
    "\n"
    "Examples:\n"
    "  scepterd --check --config ./scepterd.yaml\n"
    "  scepterd --config ./scepterd.yaml\n"
    "  scepterd --protect-keys --old-passphrase prompt\n"
    "  scepterd --restore /backup/scepter-2026-11-22\n"
    "  pkill -HUP -x scepterd     have the running one read its configuration again\n"
    "\n"
    "See scepterd(8) and scepterd.yaml(5).\n";

struct options {
	const char *config;
	const char *old_passphrase;
	const char *restore;
	bool keep_challenges;
	bool check;
	bool protect;
	bool help;
	bool version;
};

static enum result check_together(const struct options *o, struct err *err)
{
	if (o->check + o->protect + (o->restore != NULL) > 1)
		return err_set(err, ERR_USAGE,
			       "--check, --protect-keys and --restore exclude each other");
	if (o->old_passphrase && !o->protect)
		return err_set(err, ERR_USAGE, "--old-passphrase goes with --protect-keys");
	if (o->keep_challenges && !o->restore)
		return err_set(err, ERR_USAGE, "--keep-challenges goes with --restore");
	return OK;
}

static enum result parse_options(int argc, char **argv, struct options *o, struct err *err)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 't' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'V' },
		{ "protect-keys", no_argument, NULL, 'p' },
		{ "old-passphrase", required_argument, NULL, 'o' },
		{ "restore", required_argument, NULL, 'r' },
		{ "keep-challenges", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 't':
			o->check = true;
			break;
		case 'p':
			o->protect = true;
			break;
		case 'o':
			o->old_passphrase = optarg;
			break;
		case 'r':
			o->restore = optarg;
			break;
		case 'k':
			o->keep_challenges = true;
			break;
		case 'f':
			break;
		case 'V':
			o->version = true;
			break;
		case 'h':
			o->help = true;
			break;
		default:
			return err_set(err, ERR_USAGE,
				       "the command line is wrong; try scepterd --help");
		}
	}
	if (optind < argc)
		return err_set(err, ERR_USAGE, "\"%s\" is no option; try scepterd --help",
			       argv[optind]);
	return check_together(o, err);
}

static enum result check(const struct options *o, const struct config *config, struct err *err)
{
	enum result r = tls_listener_check(config, err);

	if (r == OK)
		(void)printf("%s: configuration is good\n", o->config);
	return r;
}

static enum result serve(const struct options *o, const struct config *config, struct err *err)
{
	struct log_sink *sink = NULL;
	enum result r;

	r = log_sink_new(&sink, STDERR_FILENO, "scepterd", config->log_level, err);
	if (r == OK)
		r = supervise_run(o->config, config_ref(config), sink, err);
	log_sink_free(sink);
	return r;
}

static enum result run(const struct options *o, struct err *err)
{
	const struct config *config = NULL;
	BUF complaints = BUF_INIT;
	enum result r;

	r = config_load(&config, o->config, CONFIG_AND_FILES, &complaints, err);
	if (r == ERR_CONFIG && complaints.len)
		(void)fprintf(stderr, "%sscepterd: the configuration is not good\n",
			      buf_cstr(&complaints));
	else if (r != OK)
		(void)fprintf(stderr, "scepterd: %s\n", err_text(err));
	if (r != OK)
		return r;
	if (o->check)
		r = check(o, config, err);
	else if (o->protect)
		r = protect_keys(config, o->old_passphrase, err);
	else if (o->restore)
		r = restore_run(config, o->restore, o->keep_challenges, err);
	else
		r = serve(o, config, err);
	config_unref(config);
	if (r != OK)
		(void)fprintf(stderr, "scepterd: %s\n", err_text(err));
	return r;
}

int main(int argc, char **argv)
{
	struct options o = { .config = DEFAULT_CONFIG };
	struct err err = { 0 };
	enum result r = parse_options(argc, argv, &o, &err);

	if (r != OK)
		(void)fprintf(stderr, "scepterd: %s\n", err_text(&err));
	else if (o.help)
		(void)fputs(help_text, stdout);
	else if (o.version)
		(void)puts("scepterd " SCEPTER_VERSION);
	else
		r = run(&o, &err);
	return err_map(r)->exit_code;
}
