/* SPDX-License-Identifier: Apache-2.0 */
/* The API's own description. */
#include "admin/call.h"
#include "openapi.h"

enum result admin_openapi_show(struct admin_call *call, struct err *err)
{
	return admin_call_answer(
	    call, json_loadb((const char *)openapi_json, sizeof(openapi_json), 0, NULL), err);
}
