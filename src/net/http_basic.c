/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_basic.h"

#include "base/base64.h"

#define CREDENTIALS_MAX 1024 /* octets of base64 */

/* "Basic" SP token68 (RFC 7617 2) of "name:password". */
enum result http_basic_parse(struct span header, struct buf *decoded, struct span *name,
			     struct span *password, struct err *err)
{
	size_t space = span_find(header, ' '), colon;
	struct span token = span_sub(header, space + 1, SIZE_MAX), all;

	if (header.len == 0)
		return err_set(err, ERR_DENIED, "no credentials");
	if (!span_eq_nocase(span_sub(header, 0, space), SPAN_LIT("Basic")))
		return err_set(err, ERR_DENIED, "RFC 7617 2: the scheme is not Basic");
	if (token.len > CREDENTIALS_MAX || base64_parse(token, decoded, NULL) != OK)
		return err_set(err, ERR_DENIED, "RFC 7617 2: not base64 of name:password");
	all = buf_span(decoded);
	colon = span_find(all, ':');
	if (colon == all.len)
		return err_set(err, ERR_DENIED, "RFC 7617 2: not base64 of name:password");
	*name = span_sub(all, 0, colon);
	*password = span_sub(all, colon + 1, SIZE_MAX);
	return OK;
}
