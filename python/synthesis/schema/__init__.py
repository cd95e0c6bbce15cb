"""Wire types of `/api/v1`, one file per resource; server and client both use them.

Imported by use (`from synthesis.schema.job import Job`), never from here, to keep start-up cheap.
"""
