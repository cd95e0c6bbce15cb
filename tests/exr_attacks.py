"""Hostile EXRs by the thousand: right files that were cut, flipped, patched, and headers that lie.

`family()` gives those of one sort, each with a name; `-block` at its end says that headers are right and
only blocks, or where they lie, are not, so that an error must name one. Independent of our reader and writer.
Files that once broke something are kept in `tests/data/attacks`.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from exr_files import NONE, Part, attribute, build
from exr_seeds import ATTRIBUTES, DATA, blocks, changed, header, replaced, right

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from exr_seeds import Header

BLOCK = "-block"
WINDOWS = {
    "empty": (0, 0, -1, -1),
    "inverted": (5, 5, 0, 0),
    "one-pixel": (0, 0, 0, 0),
    "far": (2**30, 2**30, 2**30 + 15, 2**30 + 33),
    "at-the-end": (2**31 - 16, 0, 2**31 - 1, 33),
    "overflowing": (-(2**31), -(2**31), 2**31 - 1, 2**31 - 1),
    "wide": (0, 0, 65535, 0),
    "high": (0, 0, 0, 65535),
    "largest": (0, 0, 65535, 4095),
    "too-large": (0, 0, 65535, 65535),
    "hundred": (0, 0, 99, 99),
    "before": (-16, -34, -1, -1),
    "shifted": (-3, -2, 12, 31),
}
NUMBERS = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def cuts() -> Iterator[tuple[str, bytes]]:
    """Every right file, cut at every hundredth of its length, and by a byte."""
    for name, data in right().items():
        first = blocks(data)
        for percent in range(100):
            size = len(data) * percent // 100
            yield f"{name}-{percent}{BLOCK if size >= first else ''}", data[:size]
        yield f"{name}-last{BLOCK}", data[:-1]


def flips() -> Iterator[tuple[str, bytes]]:
    """One bit of every byte of a header, and of some bytes of everything."""
    rng = np.random.default_rng(4)
    for name, data in right().items():
        end, first = header(data)[1], blocks(data)
        step = 1 if name in {"zips", "parts"} else 9
        places = {*range(0, end, step), *range(end, len(data), max(1, (len(data) - end) // 100))}
        for place in sorted(places):
            bit = int(rng.integers(8))
            mark = BLOCK if place >= first else ""
            yield (
                f"{name}-{place}-{bit}{mark}",
                data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :],
            )


def words() -> Iterator[tuple[str, bytes]]:
    """Extreme numbers all over the header and the first blocks of a tiled and a scanline file."""
    for name in ("zip", "tiles", "dwaa", "piz", "pxr24", "b44"):
        data = right()[name]
        end = header(data)[1]
        for place in range(end - 40, min(end + 260, len(data) - 4), 3):
            number = NUMBERS[place % len(NUMBERS)]
            yield f"{name}-{place}", data[:place] + struct.pack("<I", number) + data[place + 4 :]


def lies() -> Iterator[tuple[str, bytes]]:
    """Every attribute missing, twice, empty, of another length or type, all ones."""
    data = right()["tiles"]
    for name, _, _ in header(data)[0]:
        edits: dict[str, Callable[[tuple[bytes, bytes, bytes]], Header]] = {
            "missing": lambda _: [],
            "twice": lambda found: [found, found],
            "empty": lambda found: [(found[0], found[1], b"")],
            "long": lambda found: [(found[0], found[1], found[2] + b"\0")],
            "short": lambda found: [(found[0], found[1], found[2][:-1])],
            "other": lambda found: [(found[0], b"string", found[2])],
            "ones": lambda found: [(found[0], found[1], b"\xff" * len(found[2]))],
            "huge": lambda found: [(found[0], found[1], found[2] * (1 + 100_000 // (1 + len(found[2]))))],
        }
        for word, edit in edits.items():
            yield (
                f"{name.decode().replace('/', '_')}-{word}",
                changed(
                    data,
                    lambda found, name=name, edit=edit: [
                        new for old in found for new in (edit(old) if old[0] == name else [old])
                    ],
                ),
            )
    for number in range(4, 256):
        if number < 20 or number % 16 == 15:
            yield f"compression-{number}", replaced(right()["zip"], "compression", bytes([number]))
            yield f"tiles-{number}", replaced(data, "tiles", struct.pack("<IIB", 7, 9, number))
    for wide, high in itertools.product((0, 1, 65536, 2**31, 2**32 - 1), repeat=2):
        yield f"tiles-{wide}-{high}", replaced(data, "tiles", struct.pack("<IIB", wide, high, 2))


def windows() -> Iterator[tuple[str, bytes]]:
    """Windows of no size, of every size, far away."""
    for name in ("zips", "tiles", "none", "dwaa", "piz", "b44", "pxr24", "rle"):
        for (one, data_window), (other, shown) in itertools.product(WINDOWS.items(), WINDOWS.items()):
            if name in {"zips", "tiles"} or other in (one, "hundred"):
                file = replaced(right()[name], "dataWindow", struct.pack("<4i", *data_window))
                yield f"{name}-{one}-{other}", replaced(file, "displayWindow", struct.pack("<4i", *shown))


def entry(name: bytes, kind: int = 1, x: int = 1, y: int = 1) -> bytes:
    """One channel of a list."""
    return name + b"\0" + struct.pack("<iiii", kind, 0, x, y)


def channel_lists() -> Iterator[tuple[str, bytes]]:
    """Lists of too many, strange or no channels."""
    plain = b"".join(entry(name.encode()) for name in "ABGR")
    lists = {
        "none": b"\0",
        "nothing": b"",
        "endless": plain,
        "cut": plain[:-3],
        "long-name": entry(b"A" * 255) + b"\0",
        "too-long-name": entry(b"A" * 256) + b"\0",
        "not-text": entry(b"\xff\xfe\x80") + entry(b"a\nb") + entry(b"\x1b[31m") + b"\0",
        "paths": entry(b"../../etc/x") + entry(b"/tmp/x") + entry(b"..") + entry(b"C:\\x") + b"\0",
        "many": b"".join(entry(b"%04d" % number) for number in range(1024)) + b"\0",
        "too-many": b"".join(entry(b"%05d" % number) for number in range(70_000)) + b"\0",
        "twice": entry(b"A") * 2 + b"\0",
        "unsorted": b"".join(entry(name.encode()) for name in "RGBA") + b"\0",
        **{f"type-{kind}": entry(b"A", kind) + b"\0" for kind in (0, 2, 3, -1, 2**31 - 1)},
        **{
            f"sampling-{x}-{y}": entry(b"A", 1, x, y) + b"\0" for x, y in ((0, 0), (-1, 1), (2, 2), (1, 1000))
        },
    }
    for form in ("zips", "none", "piz"):
        for name, value in lists.items():
            yield f"{form}-{name}", replaced(right()[form], "channels", value)


def tables() -> Iterator[tuple[str, bytes]]:
    """Offset tables that lead nowhere, everywhere, or round and round."""
    for form in ("zips", "tiles", "parts", "mipmap"):
        data = right()[form]
        # The table ends where its first entry leads to.
        start = next(
            place
            for place in range(header(data)[1], len(data) - 8)
            if place < struct.unpack_from("<Q", data, place)[0] <= place + 800
            and (struct.unpack_from("<Q", data, place)[0] - place) % 8 == 0
        )
        count = (struct.unpack_from("<Q", data, start)[0] - start) // 8
        offsets = struct.unpack_from(f"<{count}Q", data, start)
        for name, table in {
            "zeros": [0] * count,
            "ones": [2**64 - 1] * count,
            "half": [*offsets[: count // 2], *[0] * (count - count // 2)],
            "same": [offsets[0]] * count,
            "backwards": offsets[::-1],
            "header": [8] * count,
            "table": [start] * count,
            "end": [len(data)] * count,
            "near-the-end": [len(data) - 1] * count,
            "negative": [2**63 + offset for offset in offsets],
            "off-by-one": [offset + 1 for offset in offsets],
        }.items():
            yield (
                f"{form}-{name}{BLOCK}",
                data[:start] + struct.pack(f"<{count}Q", *table) + data[start + 8 * count :],
            )


def heads() -> Iterator[tuple[str, bytes]]:
    """Numbers before blocks that are wrong."""
    for form, numbers in (("zips", 2), ("tiles", 5), ("dwaa", 2), ("piz", 2), ("none", 2)):
        data = right()[form]
        (first,) = struct.unpack_from("<Q", data, header(data)[1] + 1)
        for index, number in itertools.product(range(numbers), NUMBERS):
            place = first + 4 * index
            yield (
                f"{form}-{index}-{number}{BLOCK}",
                data[:place] + struct.pack("<I", number) + data[place + 4 :],
            )


def one_block(
    compression: int, packed: bytes, size: tuple[int, int], kinds: Mapping[str, int], *, tile: int = 0
) -> bytes:
    """A file of blocks that all are the same bytes; the size is one of whole tiles."""
    width, height = size
    lines = tile or {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}[compression]
    count = -(-height // lines)
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    head = b"".join(
        [
            struct.pack("<II", 20000630, 0x202 if tile else 2),
            attribute("tiles", "tiledesc", struct.pack("<IIB", tile, tile, 0)) if tile else b"",
            attribute("channels", "chlist", b"".join(entry(n.encode(), k) for n, k in kinds.items()) + b"\0"),
            attribute("compression", "compression", bytes([compression])),
            attribute("dataWindow", "box2i", window),
            attribute("displayWindow", "box2i", window),
            attribute("lineOrder", "lineOrder", b"\0"),
            *(attribute(name, "string", value.encode()) for name, value in ATTRIBUTES.items()),
            b"\0",
        ]
    )
    columns = width // tile if tile else 1
    all_of = itertools.product(range(count), range(columns))
    places = [struct.pack("<4i", x, y, 0, 0) if tile else struct.pack("<i", lines * y) for y, x in all_of]
    made = [place + struct.pack("<i", len(packed)) + packed for place in places]
    start = len(head) + 8 * len(made)
    offsets = b"".join(struct.pack("<Q", start + len(made[0]) * number) for number in range(len(made)))
    return head + offsets + b"".join(made)


def dear() -> Iterator[tuple[str, bytes]]:
    """Right files whose blocks cost far more than their pixels."""
    # A tile of zeros, for which a table of 65,536 values is made all the same.
    packed = bytes.fromhex("ff1f00001b000000000000000100000002000000280000000000000004107fdff7fdff")
    yield "piz-tiles", one_block(4, packed, (2048, 2048), {"A": 1}, tile=32)
    # All names are compared with all others.
    zeros = zlib.compress(bytes(1024 * 32 * 2), 9)
    packed = struct.pack("<11QH", 2, 1024 * 32 * 2, len(zeros), *[0] * 7, 1, 2) + zeros
    names = ["A", *(f"c{number:04}.q" for number in range(1023))]
    yield "dwa-names", one_block(8, packed, (1, 65536), dict.fromkeys(names, 1))


HALF = {"A": 1, "B": 1, "G": 1, "R": 1}
MIXED = {"A": 1, "B": 1, "G": 1, "R": 1, "Z": 2}


def garbage() -> Iterator[tuple[str, bytes]]:
    """Blocks of every compression that are noise, zeros, ones, or a little of what is right."""
    rng = np.random.default_rng(9)
    for compression in range(10):
        for size in (1, 2, 7, 88, 89, 300):
            for name, packed in {
                "noise": rng.bytes(size),
                "zeros": bytes(size),
                "ones": b"\xff" * size,
                "deflated-noise": zlib.compress(rng.bytes(size)),
                "deflated-zeros": zlib.compress(bytes(size * 50)),
            }.items():
                yield f"{compression}-{name}-{size}{BLOCK}", one_block(compression, packed, (32, 32), MIXED)
    for index, number in itertools.product(range(11), (1, 255, 2**16, 2**31, 2**40, 2**63, 2**64 - 1)):
        leader = [2, *[0] * 9, 1]
        leader[index] = number
        packed = struct.pack("<11Q", *leader) + rng.bytes(200)
        for compression in (8, 9):
            yield (
                f"dwa-{compression}-{index}-{number}{BLOCK}",
                one_block(compression, packed, (32, 32), MIXED),
            )
    for low, high in itertools.product((0, 1, 4000, 8191, 8192, 65535), repeat=2):
        packed = struct.pack("<HH", low, high) + rng.bytes(300)
        yield f"piz-{low}-{high}{BLOCK}", one_block(4, packed, (32, 32), MIXED)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Files of images that pack very well, right or nearly so."""
    yield from flat(128)
    yield "deflate-overlong", one_block(2, zlib.compress(bytes(60_000_000), 9), (7000, 2), HALF)


def giants() -> Iterator[tuple[str, bytes]]:
    """The same of a size that takes a while in a debug build."""
    for side in (1024, 4096, 16384):
        yield from flat(side)


def flat(side: int) -> Iterator[tuple[str, bytes]]:
    """Images of one colour."""
    for compression, lines in ((2, 1), (3, 16), (5, 16)):
        for less in (0, 1):
            # PXR24 keeps a half as two bytes.
            packed = zlib.compress(bytes(side * lines * 8 - less), 9)
            yield f"{compression}-{side}-{less}", one_block(compression, packed, (side, side), HALF)
    runs = b"\x7f\0" * (side * 8 // 128)
    yield f"rle-{side}", one_block(1, runs, (side, side), HALF)
    yield f"rle-short-{side}", one_block(1, runs[:-2], (side, side), HALF)
    flat = b"\0\0\xfc" * (side // 4 * 8 * 4)
    yield f"b44a-{side}", one_block(7, flat, (side, side), HALF)
    for compression, lines in ((4, 32), (8, 32), (9, 256)):
        least = side * lines * 8 // 512 + 1
        for name, packed in {"zeros": bytes(least), "ones": b"\xff" * least}.items():
            yield f"{compression}-{side}-{name}", one_block(compression, packed, (side, side), HALF)


def manifests() -> Iterator[tuple[str, bytes]]:
    """Manifests of cryptomattes that are no JSON, or too much of it."""
    names = ",".join(f'"{number}":"{number:08x}"' for number in range(70_000))
    texts = {
        "empty": b"",
        "list": b"[]",
        "number": b'{"a":1}',
        "open": b'{"a":"1"',
        "deep": b'{"a":' + b"[" * 500_000,
        "deeper": b'{"a":' * 300_000,
        "twice": b'{"a":"1","a":"2","b":"1"}',
        "many": b"{" + names.encode() + b"}",
        "long-name": b'{"' + b"x" * 5_000_000 + b'":"1"}',
        "long-hex": b'{"a":"' + b"1" * 1_000_000 + b'"}',
        "not-hex": b'{"a":"g"}',
        "negative": b'{"a":"-1"}',
        "plus": b'{"a":"+1"}',
        "not-text": b'{"\xff":"1"}',
        "lone-surrogate": b'{"\\ud800":"1"}',
        "escapes": b'{"\\u0000\\u001b[2J\\n":"3f000000"}',
        "zero-inside": b'{"a":"1"}\0{"b":"2"}',
        "trailing": b'{"a":"1"} x',
        "blank": b" " * 5_000_000,
        "same-ids": b'{"a":"3f000000","b":"3f000000","default":"3f000000"}',
    }
    for name, text in texts.items():
        yield name, replaced(right()["zips"], "cryptomatte/b818ccc/manifest", text)


def many() -> Iterator[tuple[str, bytes]]:
    """Attributes, definitions and parts in numbers."""
    file = right()["zips"]

    def with_more(more: Header) -> bytes:
        return changed(file, lambda found: [*found, *more])

    yield "attributes", with_more([(b"a%d" % number, b"int", bytes(4)) for number in range(8000)])
    yield "too-many-attributes", with_more([(b"a%d" % n, b"int", bytes(4)) for n in range(9000)])
    yield "control-characters", with_more([(b"a\x1b]0;x\x07", b"string", b"\x1b[2J\r\n\xff")])
    yield "large-attribute", with_more([(b"a", b"string", b"x" * (31 << 20))])
    yield "two-large-attributes", with_more([(b"a", b"string", b"x" * (31 << 20))] * 2)
    definitions = [(b"cryptomatte/%d/name" % number, b"string", b"m%d" % number) for number in range(7000)]
    yield "definitions", with_more(definitions)
    lists = b"".join(entry(b"m%04d00.R" % number) for number in range(1024)) + b"\0"
    required = [
        attribute("channels", "chlist", lists),
        attribute("compression", "compression", b"\0"),
        attribute("dataWindow", "box2i", bytes(16)),
        attribute("displayWindow", "box2i", bytes(16)),
        attribute("type", "string", b"scanlineimage"),
        attribute("chunkCount", "int", struct.pack("<i", 1)),
    ]
    for count in (1, 64, 65, 300):
        parts = [b"".join(required) + attribute("name", "string", b"%d" % n) + b"\0" for n in range(count)]
        some = b"".join(
            attribute(n.decode(), k.decode(), v) for n, k, v in definitions[: 7000 if count <= 65 else 0]
        )
        parts[0] = some + parts[0]
        yield f"parts-{count}", struct.pack("<II", 20000630, 0x1002) + b"".join(parts) + bytes(1 + 9 * count)
    yield "no-parts", struct.pack("<II", 20000630, 0x1002) + bytes(20)
    for flags in (0x202, 0x802, 0x1002, 0x1202, 0x1802, 0xFFFFFF02, 0x1, 0x3):
        yield f"flags-{flags:x}", file[:4] + struct.pack("<I", flags) + file[8:]
    plane = {"A": np.zeros((2, 2), "<f2")}
    for chunks in (0, -1, 2**31 - 1):
        data = build(Part(plane, NONE, name="a"), Part(plane, NONE, name="b"))
        wanted, lie = struct.pack("<i", 2), struct.pack("<i", chunks)
        yield (
            f"chunk-count-{chunks}",
            data.replace(b"chunkCount\0int\0\4\0\0\0" + wanted, b"chunkCount\0int\0\4\0\0\0" + lie, 1),
        )


def found() -> Iterator[tuple[str, bytes]]:
    """What once broke something."""
    for path in sorted((DATA / "attacks").glob("*.exr")):
        yield path.stem, path.read_bytes()


MAKERS = (
    cuts,
    flips,
    words,
    lies,
    windows,
    channel_lists,
    tables,
    heads,
    garbage,
    bombs,
    dear,
    giants,
    manifests,
    many,
    found,
)
FAMILIES = [make.__name__ for make in MAKERS]


def family(name: str) -> Iterator[tuple[str, bytes]]:
    """The attacks of one sort, each with a name."""
    return MAKERS[FAMILIES.index(name)]()
