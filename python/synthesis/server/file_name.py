"""File names of a job: `{render_id}.cam_{camera}.f_{frame}.{suffix}`, or a job-wide name.

The name says everything about a file, so the index stores its parts and no text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from synthesis.schema.asset_kind import BY_FLAG, BY_SUFFIX

JOB_WIDE = -1
"""Render id, in the index only, of files that belong to no render; they sort first."""

_CURRENT = re.compile(
    r"(0|[1-9][0-9]{0,17})\.cam_([^./\\\x00-\x1f\x7f\ud800-\udfff]{1,100})\.f_([1-9][0-9]{0,8})\.(.+)",
    re.DOTALL,
)
_OLD = re.compile(r"(0|[1-9][0-9]{0,17})\.(.+)", re.DOTALL)


class FileName(NamedTuple):
    """The parts of a name, in the order files are listed: render, camera, frame, asset flag."""

    render_id: int
    camera: str
    frame: int
    flag: str

    def __str__(self) -> str:
        suffix = BY_FLAG[self.flag].suffix
        if self.render_id == JOB_WIDE:
            return suffix
        return f"{self.render_id}.cam_{self.camera}.f_{self.frame}.{suffix}"


def parse(name: str) -> FileName | None:
    """Read a current name; None for anything else, such as unknown suffixes or `../secret`."""
    kind = BY_SUFFIX.get(name)
    if kind is not None and kind.job_wide:
        return FileName(JOB_WIDE, "", 0, kind.flag)
    match = _CURRENT.fullmatch(name)
    if match is None:
        return None
    kind = BY_SUFFIX.get(match[4])
    if kind is None or kind.job_wide:
        return None
    return FileName(int(match[1]), match[2], int(match[3]), kind.flag)


def parse_old(name: str) -> FileName | None:
    """Read a name of before 2021-11, `{render_id}.{suffix}`: camera `default`, frame 1."""
    match = _OLD.fullmatch(name)
    kind = BY_SUFFIX.get(match[2]) if match else None
    if match is None or kind is None or kind.job_wide:
        return None
    return FileName(int(match[1]), "default", 1, kind.flag)
