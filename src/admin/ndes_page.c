/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/ndes_page.h"

/* The META names UTF-8 whatever is sent: NDES does, and what reads its pages may look for it. */
#define HEAD                                                                                       \
	"<HTML><Head><Meta HTTP-Equiv=\"Content-Type\" Content=\"text/html; charset=UTF-8\">"      \
	"<Title>Network Device Enrollment Service</Title></Head><Body BgColor=#FFFFFF>"            \
	"<P> Network Device Enrollment Service </P>"
#define TAIL "</Body></HTML>"

/* ASCII throughout, so that a UTF-16 code unit is the octet and a zero. */
static void put_page(struct buf *out, enum ndes_encoding encoding, struct span text)
{
	size_t i;

	if (encoding == NDES_UTF8) {
		buf_put(out, text);
		return;
	}
	buf_reserve(out, 2 + 2 * text.len);
	buf_put(out, SPAN_LIT("\xff\xfe"));
	for (i = 0; i < text.len; i++) {
		buf_put_byte(out, text.p[i]);
		buf_put_byte(out, 0);
	}
}

/* A text with a failed append gives a page with one. */
static void finish(struct buf *out, enum ndes_encoding encoding, struct buf *text)
{
	buf_put_str(text, TAIL);
	if (text->failed)
		out->failed = true;
	else
		put_page(out, encoding, buf_span(text));
}

/* " A656FA66 AB12B433 A2DA5CF7 CC153D9A " */
static void put_thumbprint(struct buf *text, struct span thumbprint)
{
	size_t i;

	for (i = 0; i < thumbprint.len; i++)
		buf_printf(text, "%s%02X", i % 4 ? "" : " ", thumbprint.p[i]);
	buf_put_byte(text, ' ');
}

static void put_validity(struct buf *text, int64_t minutes)
{
	if (minutes == 0) {
		buf_put_str(text, "<P> This password can be used multiple times and will not "
				  "expire. </P>");
		return;
	}
	buf_printf(text,
		   "<P> This password can be used only once and will expire within %lld minutes. "
		   "<P> Each enrollment requires a new challenge password. You can refresh this "
		   "web page to obtain a new challenge password. </P>",
		   (long long)minutes);
}

void ndes_page_password(struct buf *out, enum ndes_encoding encoding,
			const struct ndes_password *shown)
{
	BUF_SECRET text = BUF_INIT;

	buf_put_str(&text, HEAD "<P> To complete certificate enrollment for your network device "
				"you will need the following information: <P> The thumbprint "
				"(hash value) for the CA certificate is: <B>");
	put_thumbprint(&text, shown->thumbprint);
	buf_put_str(&text, "</B> <P> The enrollment challenge password is: <B> ");
	buf_put(&text, shown->password);
	buf_put_str(&text, " </B> ");
	put_validity(&text, shown->minutes);
	finish(out, encoding, &text);
}

void ndes_page_full(struct buf *out, enum ndes_encoding encoding, int64_t minutes)
{
	BUF text = BUF_INIT;

	buf_printf(&text,
		   HEAD "<P> The password cache is full. <P> Network Device Enrollment Service "
			"stores unused password for later use. By default, passwords are stored "
			"for %lld minutes.<P>Use one of the existing passwords. </P>",
		   (long long)minutes);
	finish(out, encoding, &text);
}

void ndes_page_no_permission(struct buf *out, enum ndes_encoding encoding)
{
	BUF text = BUF_INIT;

	buf_put_str(&text, HEAD "<P> You do not have sufficient permission to enroll with SCEP.  "
				"Please contact your system administrator. </P>");
	finish(out, encoding, &text);
}
