"""Requests as bytes for a socket, framed as HTTP should be or not."""

from tests.fuzz.mutations import Draw, Sent


def framed(draw: Draw, sent: Sent) -> tuple[bytes, bool]:
    """Return a request as bytes for a socket, framed rightly or not, and whether it is all that a server waits for."""
    length = len(sent.body)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (length, sent.body) if length else b"0\r\n\r\n"
    frames: tuple[tuple[int, bytes, bytes, bool], ...] = (
        (60, b"content-length: %d\r\n" % length, sent.body, True),
        (10, b"transfer-encoding: chunked\r\n", chunked, True),
        (2, b"transfer-encoding: chunked\r\n", chunked.replace(b"\r\n", b";x=" + b"y" * 5_000 + b"\r\n", 1), True),
        (2, b"transfer-encoding: chunked\r\n", b"zz\r\n" + sent.body, True),
        (2, b"transfer-encoding: chunked\r\n", b"ffffffffffffffffffffff\r\n" + sent.body, False),
        (2, b"transfer-encoding: chunked\r\ncontent-length: 3\r\n", chunked, True),
        (2, b"transfer-encoding: gzip, chunked\r\n", chunked, True),
        (2, b"content-length: %d\r\ncontent-length: %d\r\n" % (length, length + 1), sent.body, True),
        (2, b"content-length: -1\r\n", sent.body, True),
        (2, b"content-length: 0x10\r\n", sent.body, True),
        (2, b"content-length: %d\r\n" % 10**30, sent.body, False),
        (2, b"content-length: %d\r\n" % (length + 10), sent.body, False),
        (2, b"x-long: " + b"a" * 100_000 + b"\r\n", b"", True),
        (2, b"".join(b"x-%d: a\r\n" % number for number in range(2_000)), b"", True),
        (1, b"bad name: a\r\n", b"", True),
        (1, b"x-nul: a\0b\r\n", b"", True),
        (1, b"x-folded: a\r\n b\r\n", b"", True),
        (1, b": no name\r\n", b"", True),
        (1, b"upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n", b"", True),
        (1, b"upgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b"", True),
    )
    _, own, body, whole = draw.choices(frames, [frame[0] for frame in frames])[0]
    headers = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in sent.headers)
    raw = b"%b %b HTTP/1.1\r\n%b%bconnection: close\r\n\r\n%b" % (sent.method.encode(), sent.target, headers, own, body)
    spoiled: tuple[tuple[bytes, bool], ...] = (
        (raw[: draw.randrange(len(raw))], False),
        (raw.replace(b"HTTP/1.1", b"HTTP/1.0", 1), whole),
        (raw.replace(b"HTTP/1.1", b"HTTP/9.9", 1), whole),
        (raw.replace(b" HTTP/1.1", b"", 1), True),
        (raw.replace(b"host:", b"x-host:", 1), True),
        (raw.replace(b"\r\n", b"\n"), False),
        (b"\r\n\r\n" + raw, whole),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + raw, True),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(100), False),
        (raw.replace(b" /", b" http://example.com/", 1), whole),
    )
    return draw.choice(spoiled) if draw.random() < 0.15 else (raw, whole)
