/* SPDX-License-Identifier: Apache-2.0 */
/* docs/openapi.json and the server's table of routes say the same, both ways. */
#include "unit.h"

#include <stdio.h>

#include <jansson.h>

#include "admin/operator.h"
#include "admin/route.h"

static const struct {
	const char *name;
	unsigned role;
} roles[] = {
	{ "administrator", OPERATOR_ADMINISTRATOR },
	{ "approver", OPERATOR_APPROVER },
	{ "auditor", OPERATOR_AUDITOR },
	{ "challenge-issuer", OPERATOR_CHALLENGE_ISSUER },
};

static const char *const methods[] = {
	[HTTP_GET] = "get",
	[HTTP_POST] = "post",
	[HTTP_PUT] = "put",
	[HTTP_DELETE] = "delete",
};

static int load(void **state)
{
	*state = json_load_file(UNIT_VECTORS "/../../../docs/openapi.json", JSON_REJECT_DUPLICATES,
				NULL);
	return *state ? 0 : -1;
}

static int unload(void **state)
{
	json_decref(*state);
	return 0;
}

/* "/v1/cas/{name}" becomes what a route's path is: with a star. */
static void route_path(const char *path, char out[128])
{
	size_t n = 0;

	for (; *path && n < 127; path++) {
		out[n++] = *path == '{' ? '*' : *path;
		if (*path == '{')
			path += strcspn(path, "}");
	}
	out[n] = '\0';
}

static unsigned roles_of(const json_t *operation)
{
	const json_t *list = json_object_get(operation, "x-roles"), *item;
	unsigned found = 0;
	size_t i, j;

	json_array_foreach(list, i,
			   item) for (j = 0; j < ARRAY_LEN(roles);
				      j++) if (strcmp(roles[j].name, json_string_value(item)) == 0)
	    found |= roles[j].role;
	return found;
}

static const struct admin_route *find(const char *path, const char *method)
{
	const struct admin_route *r;
	char as_route[128];
	size_t i;

	route_path(path, as_route);
	for (i = 0; (r = admin_route_at(i)); i++)
		if (strcmp(r->path, as_route) == 0 && strcmp(methods[r->method], method) == 0)
			return r;
	fail_msg("%s %s is in the file, but not in the server", method, path);
	return NULL;
}

static size_t check_path(const char *path, json_t *operations)
{
	const char *method;
	json_t *operation;
	size_t n = 0;

	json_object_foreach(operations, method, operation)
	{
		const struct admin_route *r = find(path, method);
		const json_t *responses = json_object_get(operation, "responses");
		char status[8];

		(void)snprintf(status, sizeof(status), "%d", r->status);
		if (!json_object_get(responses, status))
			fail_msg("%s %s: %s is not among its responses", method, path, status);
		if (roles_of(operation) != r->roles)
			fail_msg("%s %s: x-roles are not those of the server", method, path);
		n++;
	}
	return n;
}

static void file_and_server_agree(void **state)
{
	json_t *paths = json_object_get(*state, "paths"), *operations;
	const struct admin_route *r;
	size_t in_file = 0, i;
	const char *path;

	json_object_foreach(paths, path, operations) in_file += check_path(path, operations);
	/* each of the file is one of the server's: as many of the one as of the other, all
	 * different */
	for (i = 0; (r = admin_route_at(i)); i++)
		if (i >= in_file)
			fail_msg("the file lacks a route of the server, such as %s", r->path);
	assert_int_equal(i, in_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(file_and_server_agree) };

	return cmocka_run_group_tests(tests, load, unload);
}
