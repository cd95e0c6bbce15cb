"""Assets: what files a job has of each kind."""

from __future__ import annotations

from synthesis.schema.wire import Wire


class Asset(Wire):
    """One kind of file that a job has: how many files and bytes."""

    flag: str
    suffix: str
    media_type: str
    about: str
    job_wide: bool
    count: int
    bytes: int


class Total(Wire):
    """Files and bytes together."""

    count: int
    bytes: int


class AssetList(Wire):
    """The answer of `GET /jobs/{id}/assets`: only kinds with files, in the order of `KINDS`."""

    items: list[Asset]
    total: Total
