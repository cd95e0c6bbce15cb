"""The platform from Python: `Client().jobs`, `.identities`, `.orgs`; every call blocks until it is done.

from synthesis import Client

client = Client()                       # server, key and org as the command line has them
job = client.jobs.create(spec, name="first")
client.jobs.watch(job.id)
client.jobs.download(job.id, assets=["rgb", "info"], directory="renders")
"""

from __future__ import annotations

from synthesis.client.client import Client

__all__ = ["Client"]
