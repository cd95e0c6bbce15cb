"""What `exr info` shows of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthesis.cli.output import plural, size, table

if TYPE_CHECKING:
    from pathlib import Path

    from synthesis.ops.exr_info import ExrInfo, Part

BYTES = {"half": 2, "float": 4, "uint": 4}
"""Of a sample."""

_ORDER = "RGBAXYZrgbaxyzUVuv"


def memory(part: Part) -> int:
    """Bytes of all its samples when they are unpacked."""
    width, height = _extent(part.data_window)
    return width * height * sum(BYTES[kind] for _, kind in part.channels)


def describe(path: Path, what: ExrInfo) -> str:
    """Return lines for people: the file, its parts with their layers, ids, assets."""
    lines = [f"{path}  {size(path.stat().st_size)}"]
    for part in what.parts:
        lines += _part(part, named=len(what.parts) > 1 or bool(part.name))
    for crypto in what.cryptomattes:
        objects = "no manifest" if crypto.objects is None else plural(crypto.objects, "object")
        if crypto.shadowed:
            objects += f", {crypto.shadowed:,} of them with the id of one before, so without pixels"
        lines.append(f"  cryptomatte  {crypto.name}: {plural(crypto.layers, 'layer')}, {objects}")
    lines.append(f"  assets       {', '.join(what.assets) or 'none'}")
    return "\n".join(lines)


def _part(part: Part, *, named: bool) -> list[str]:
    width, height = _extent(part.display_window)
    window = f"{width} x {height}"
    if part.data_window != part.display_window:
        stored = _extent(part.data_window)
        window += f", of which {stored[0]} x {stored[1]} are stored at {part.data_window[:2]}"
    layout = f"tiles of {part.tile_size[0]} x {part.tile_size[1]}" if part.tile_size else "lines"
    lines = [f"  part         {part.name or '(unnamed)'}"] if named else []
    lines += [
        f"  size         {window}",
        f"  compression  {part.compression}, {layout}",
        f"  channels     {len(part.channels)}, {size(memory(part))} unpacked",
    ]
    stored_width, stored_height = _extent(part.data_window)
    rows = [
        (layer, " ".join(ends), kind, size(count * BYTES[kind] * stored_width * stored_height))
        for layer, ends, kind, count in _layers(part)
    ]
    header, *body = table(("layer", "channels", "type", "memory"), rows, right=(3,)).splitlines()
    lines += [f"    {line}" for line in (header, *body)]
    if part.unreadable:
        lines.append(f"  unreadable   {part.unreadable}")
    return lines


def _layers(part: Part) -> list[tuple[str, list[str], str, int]]:
    """Group the channels: layer, ends of the names, type, channels in all.

    Layers that differ in their number alone stand in one line: `segmentation00-02`.
    """
    layers: dict[tuple[str, str], list[str]] = {}
    for name, kind in part.channels:
        layer, _, end = name.rpartition(".")
        layers.setdefault((layer, kind), []).append(end)
    lines: list[tuple[str, list[str], str, int]] = []
    first: str | None = None
    for (layer, kind), ends in layers.items():
        ends.sort(key=lambda end: _ORDER.find(end) if end in _ORDER else len(_ORDER))
        if lines and first is not None and _follows(first, layer) and lines[-1][1:3] == (ends, kind):
            count = lines[-1][3] + len(ends)
            lines[-1] = (f"{first}-{layer[len(layer.rstrip('0123456789')) :]}", ends, kind, count)
        else:
            lines.append((layer or "-", ends, kind, len(ends)))
            first = layer
    return lines


def _follows(first: str, layer: str) -> bool:
    """Both are one name with a number behind it."""
    one, other = (name.rstrip("0123456789") for name in (first, layer))
    return one == other and one not in {first, layer}


def _extent(window: tuple[int, int, int, int]) -> tuple[int, int]:
    left, top, right, bottom = window
    return right - left + 1, bottom - top + 1
