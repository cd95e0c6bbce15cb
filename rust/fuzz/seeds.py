"""Write what each fuzz target begins with into `corpus/TARGET/`; run by `just fuzz`.

Seeds are examples of what is right and of what is nearly right: from there the fuzzer goes on.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from pathlib import Path

import zstandard

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

import exr_seeds  # noqa: E402

DIGEST = hashlib.sha256(b"").hexdigest()
MANIFEST = [
    {
        "job": "j",
        "generation": 1,
        "complete": True,
        "count": 2,
        "bytes": 3,
        "url": "/f/{name}?e=9",
        "expires": 1,
    },
    {"n": "0.cam_default.f_1.rgb.png", "a": "rgb", "r": 0, "b": 1, "h": DIGEST},
    {"n": "1.rgb.png", "a": "rgb", "r": 1, "b": 2, "h": DIGEST, "u": "https://h/1?Expires=1&Signature=s"},
    {"end": True, "next": None},
]
RECORDS = [
    {"start": {"part": "a", "bytes": 300, "sha256": DIGEST, "etag": '"e"'}},
    {"done": {"part": "a", "from": 0, "to": 100}},
    {"done": {"part": "a", "from": 100, "to": 301}},
    {"synced": {"boot": "b", "seconds": 1_800_000_000}},
    {"synced": {"boot": "b", "seconds": 2**64 - 1}},
    {"gone": {"part": "a"}},
]

SHARD = (
    (
        b"a.png".ljust(100, b"\0")
        + b"0000644\0"
        + b"0000000\0" * 2
        + b"00000000001\0"
        + b"00000000000\0"
        + b"006662\0 0"
    ).ljust(257, b"\0")
    + (b"ustar\x0000").ljust(255, b"\0")
    + b"x".ljust(512 + 1024, b"\0")
)
"""A shard of one file."""

PICTURES = [
    bytes([how, width, 20, wide, repeat]) + bytes(range(0, 251, 3))
    for how in (0, 1, 2, 3, 4, 16, 17, 18, 19)
    for width, wide, repeat in ((0, 0, 0), (7, 0, 1), (200, 1, 2), (30, 0, 3))
]
"""Format and mode, size, how the bytes repeat, and the bytes."""


def lines(objects: list[dict[str, object]]) -> bytes:
    """NDJSON."""
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in objects)


def seeds() -> dict[str, list[bytes]]:
    """By target."""
    text = lines(MANIFEST)
    answer = b'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/90\r\nETag: "e"\r\n'
    answer += b"Content-Length: 10\r\n\r\n"
    return {
        "chunked": [
            b"5\r\nhello\r\n0\r\n\r\nrest",
            b"a;x=1\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
            b"ffffffffffffffff\r\n",
        ],
        "content_range": [b"bytes 0-99/200", b"bytes */200", b"bytes 0-99/*", b"bytes=0-1/2", b"bytes 5-4/9"],
        "cryptomatte": [
            bytes([len(text) & 255, len(text) >> 8, how]) + text + bytes(range(64)) * 2 + bytes([1, 250]) * 40
            for how in (0, 1, 5, 129, 66)
            for text in (b'{"a":"3f000000","b":"3e123456","default":"1"}', b'{"a":"1","a":"2"}', b"{}")
        ],
        "digest": [DIGEST.encode(), DIGEST.upper().encode(), b"0" * 63],
        "exr_blocks": [
            bytes([choice]) + file for choice in (0xFF, 0x15) for file in exr_seeds.right().values()
        ],
        "exr_header": list(exr_seeds.right().values()),
        "hash": [bytes([many, 3, kernel]) + bytes(200) for kernel in range(5) for many in (1, 7, 17)],
        "ids": [bytes(range(16)), bytes([1, 0, 1, 0]), bytes([0, 0, 1, 0])],
        "inflate": [
            *(bytes([1 | level << 1, 9, 0, 0, 9, 0, 0]) + b"a man a plan" for level in (0, 1, 6, 9, 12)),
            *(
                bytes([0, 9, 0, 100, 1, 0, 0]) + zlib.compress(bytes(range(89)) * 4, level)
                for level in (0, 1, 9)
            ),
            bytes([0, 9, 0, 100, 1, 3, 0]) + zlib.compress(bytes(356)),
        ],
        "journal": [
            b"".join(b"+" + json.dumps(r).encode() + b"\n" for r in RECORDS[: n + 1]) for n in range(6)
        ],
        "lines": [
            b"\x00" + text,
            b"\x02" + text,
            b"\x01" + zstandard.compress(text),
            b"\x00" + b"x" * 70_000,
        ],
        "link_expiry": [
            b"X-Amz-Date=20261120T115500Z&X-Amz-Expires=300&X-Amz-Signature=x",
            b"Expires=1795176000&Signature=x",
            b"sv=2020&se=2026-11-20T12%3A00%3A00Z&sig=abc",
            b"Policy=eyJTdGF0ZW1lbnQiOlt7fV19&Signature=s",
        ],
        "list": [
            b"\n" + text,
            b"https://h/a\nhttps://h/a%2F..%5Cb\tc/d\n#\n",
            b'url,name,size,sha256\n"https://h/a","x\ny",1,\nhttps://h/b,,,\n',
            b'{"url":"https://h/a"}\n{"url":"b","name":"c/d","size":"7"}\n',
        ],
        "manifest": [text, b'{"n":"a","b":-1}', b'{"n":"a","b":9223372036854775808,"h":""}'],
        "names": [b"0.rgb.png", b"..", b"a/b", b"CON", b"com1.txt", b"a.", b"\x1b[2J", "\u202e.png".encode()],
        "png": PICTURES,
        "range_sets": [bytes([0, 9, 9, 9, 40, 9, 0, 0xC5]), bytes(range(64))],
        "response_head": [
            b"\x00" + answer,
            b"\x01HTTP/1.0 200 OK\nConnection: keep-alive\n\n",
            b"\x00HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5, 5\r\n\r\n",
        ],
        "shard": [bytes(1024), SHARD],
        "tiff": PICTURES,
        "retry_after": [b"1", b"999999999999", b"Fri, 20 Nov 2026 10:00:00 GMT", b"-1", b"1e30"],
    }


def main() -> None:
    """Write them."""
    for target, entries in seeds().items():
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for at, entry in enumerate(entries):
            (folder / f"seed-{at}").write_bytes(entry)


if __name__ == "__main__":
    main()
