/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/cms.h"

#include "der/oid.h"
#include "der/writer.h"

enum result cms_read_content_info(struct span der, struct span type, const char *what,
				  struct der_reader *inner, struct err *err)
{
	struct der_reader info, content;
	const char *name;
	struct span got;

	TRY(der_read_whole(der, DER_SEQUENCE, "ContentInfo", &info, err));
	TRY(der_read_oid(&info, "contentType", &got, err));
	if (!span_eq(got, type)) {
		name = oid_name(got);
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 5652 3: contentType is %s where %s is "
			       "expected",
			       name ? name : "unknown", what);
	}
	TRY(der_enter(&info, DER_CONTEXT_CONS(0), "ContentInfo.content", &content, err));
	TRY(der_end(&info, "ContentInfo", err));
	TRY(der_enter(&content, DER_SEQUENCE, what, inner, err));
	return der_end(&content, "ContentInfo.content", err);
}

struct cms_open cms_open(struct buf *out, struct span type)
{
	struct cms_open o;

	o.info = der_open(out, DER_SEQUENCE);
	der_put_oid(out, type);
	o.explicit = der_open(out, DER_CONTEXT_CONS(0));
	o.content = der_open(out, DER_SEQUENCE);
	return o;
}

void cms_close(struct buf *out, struct cms_open o)
{
	der_close(out, o.content);
	der_close(out, o.explicit);
	der_close(out, o.info);
}

enum result cms_read_issuer_serial(struct der_reader *r, struct span *issuer, struct span *serial,
				   struct err *err)
{
	struct der_tlv name, number;
	struct der_reader seq;

	TRY(der_enter(r, DER_SEQUENCE, "IssuerAndSerialNumber", &seq, err));
	TRY(der_read(&seq, DER_SEQUENCE, "IssuerAndSerialNumber.issuer", &name, err));
	TRY(der_read(&seq, DER_INTEGER, "IssuerAndSerialNumber.serialNumber", &number, err));
	TRY(der_end(&seq, "IssuerAndSerialNumber", err));
	*issuer = name.whole;
	*serial = number.content;
	return OK;
}

void cms_put_issuer_serial(struct buf *out, struct span issuer, struct span serial)
{
	size_t mark = der_open(out, DER_SEQUENCE);

	buf_put(out, issuer);
	der_put_tlv(out, DER_INTEGER, serial);
	der_close(out, mark);
}
