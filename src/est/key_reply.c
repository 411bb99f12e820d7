/* SPDX-License-Identifier: Apache-2.0 */
#include "est/key_reply.h"

#include "est/body.h"

static void put_part(struct buf *out, const char *type, struct span der)
{
	buf_printf(out,
		   "--" EST_BOUNDARY "\r\nContent-Type: %s\r\n"
		   "Content-Transfer-Encoding: base64\r\n\r\n",
		   type);
	est_body_put(out, der, EST_LINES_64);
}

void est_key_reply_put(struct buf *out, const struct est_key_reply *reply)
{
	put_part(out,
		 reply->encrypted ? "application/pkcs7-mime; smime-type=server-generated-key"
				  : "application/pkcs8",
		 reply->key);
	put_part(out, EST_TYPE_CERTS, reply->cert);
	buf_put_str(out, "--" EST_BOUNDARY "--\r\n");
}
