# SPDX-License-Identifier: Apache-2.0
"""A small DER writer that also makes what DER forbids: the peers' habits have to be imitated.

Parsing is left to asn1crypto: this module only writes, and knows nothing of Scepter's own codec.
"""

from asn1crypto import core


def length(n):
    if n < 0x80:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag, *parts):
    content = b"".join(parts)
    return bytes([tag]) + length(len(content)) + content


def seq(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *sorted(parts))


def integer(n):
    return core.Integer(n).dump()


def oid(dotted):
    return core.ObjectIdentifier(dotted).dump()


def octets(b):
    return tlv(0x04, b)


def bits(b):
    return tlv(0x03, b"\0", b)


NULL = b"\x05\x00"


def split(der):
    """tag, content, rest of the first element of definite length."""
    tag, first = der[0], der[1]
    if first < 0x80:
        head, n = 2, first
    else:
        count = first & 0x7F
        head, n = 2 + count, int.from_bytes(der[2 : 2 + count], "big")
    return tag, der[head : head + n], der[head + n :]


def children(content):
    out = []
    while content:
        _, _, rest = split(content)
        out.append(content[: len(content) - len(rest)])
        content = rest
    return out


def indefinite(tag, *parts):
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def chunked_octets(content, size, tag=0x24):
    """Constructed OCTET STRING of indefinite length, in chunks, as Apple's encoder sends it."""
    chunks = [octets(content[i : i + size]) for i in range(0, len(content), size)] or [octets(b"")]
    return indefinite(tag, *chunks)


def ber_signed(der, size=1000):
    """SignedData ContentInfo with indefinite lengths around an eContent in chunks.

    Signed attributes and certificates stay as they were: they are signed in their DER form.
    """
    _, info, _ = split(der)
    content_type, explicit = children(info)
    _, signed, _ = split(explicit)
    _, fields, _ = split(signed)
    out = []
    for field in children(fields):
        if field[0] == 0x30:
            field = _ber_encap(field, size)
        out.append(field)
    return indefinite(0x30, content_type, indefinite(0xA0, indefinite(0x30, *out)))


def _ber_encap(field, size):
    _, encap, _ = split(field)
    parts = children(encap)
    if len(parts) == 1:
        return indefinite(0x30, parts[0])
    _, explicit, _ = split(parts[1])
    _, content, _ = split(explicit)
    return indefinite(0x30, parts[0], indefinite(0xA0, chunked_octets(content, size)))


def ber_enveloped(der, size=1000):
    """EnvelopedData ContentInfo with indefinite lengths and encryptedContent in chunks."""
    _, info, _ = split(der)
    content_type, explicit = children(info)
    _, enveloped, _ = split(explicit)
    _, fields, _ = split(enveloped)
    version, recipients, encrypted = children(fields)
    _, parts, _ = split(encrypted)
    kind, alg, content = children(parts)
    _, cipher, _ = split(content)
    encrypted = indefinite(0x30, kind, alg, chunked_octets(cipher, size, tag=0xA0))
    _, infos, _ = split(recipients)
    recipients = indefinite(0x31, infos)
    return indefinite(
        0x30, content_type, indefinite(0xA0, indefinite(0x30, version, recipients, encrypted))
    )
