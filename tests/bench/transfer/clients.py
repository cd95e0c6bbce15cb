"""Download lists as a short script would, with the libraries that people write such scripts with.

    python clients.py LIBRARY URLS FOLDER IN_FLIGHT

IN_FLIGHT is 0 for the library's own number. Runs in the peers' environment, so it imports nothing of ours.
SSL_CERT_FILE names the certificate to trust.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit


def run_obstore(urls: list[str], folder: Path, in_flight: int) -> None:
    import obstore
    from obstore.store import HTTPStore

    async def main() -> None:
        parts = urlsplit(urls[0])
        # It reads no certificate file: the bench's own is taken as it is.
        options = {"allow_http": True, "allow_invalid_certificates": True}
        store = HTTPStore(f"{parts.scheme}://{parts.netloc}", client_options=options)
        waiting = iter(urls)

        async def work() -> None:
            for url in waiting:
                path = urlsplit(url).path.lstrip("/")
                answer = await obstore.get_async(store, path)
                with (folder / path.rpartition("/")[2]).open("wb") as out:
                    async for chunk in answer.stream(min_chunk_size=1 << 20):
                        out.write(chunk)

        await asyncio.gather(*(work() for _ in range(in_flight or 50)))

    asyncio.run(main())


def run_aiohttp(urls: list[str], folder: Path, in_flight: int) -> None:
    import aiohttp
    import uvloop

    async def main() -> None:
        trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
        # 100 connections are its own limit.
        connector = aiohttp.TCPConnector(limit=in_flight or 100, ssl=trust)
        waiting = iter(urls)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def work() -> None:
                for url in waiting:
                    async with session.get(url) as answer:
                        answer.raise_for_status()
                        with (folder / url.rpartition("/")[2]).open("wb") as out:
                            async for chunk in answer.content.iter_any():
                                out.write(chunk)

            await asyncio.gather(*(work() for _ in range(in_flight or 100)))

    uvloop.run(main())


def run_requests(urls: list[str], folder: Path, in_flight: int) -> None:
    import threading
    from concurrent.futures import ThreadPoolExecutor

    import requests

    mine = threading.local()

    def fetch(url: str) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
        with mine.session.get(url, stream=True, timeout=20, verify=os.environ.get("SSL_CERT_FILE")) as answer:
            answer.raise_for_status()
            with (folder / url.rpartition("/")[2]).open("wb") as out:
                for chunk in answer.iter_content(1 << 20):
                    out.write(chunk)

    with ThreadPoolExecutor(in_flight or None) as pool:
        for _ in pool.map(fetch, urls):
            pass


def run_awscrt(urls: list[str], folder: Path, in_flight: int) -> None:
    """The client that the AWS command line is built on: it chooses its connections by a target speed."""
    import threading

    from awscrt.http import HttpHeaders, HttpRequest
    from awscrt.io import ClientBootstrap, DefaultHostResolver, EventLoopGroup
    from awscrt.s3 import S3Client, S3RequestTlsMode, S3RequestType

    loops = EventLoopGroup(1)
    bootstrap = ClientBootstrap(loops, DefaultHostResolver(loops))
    client = S3Client(
        bootstrap=bootstrap,
        region="us-east-1",
        tls_mode=S3RequestTlsMode.DISABLED,
        throughput_target_gbps=10,
    )
    places = threading.Semaphore(in_flight or 512)
    errors: list[BaseException] = []

    def done(error: BaseException | None, **_: object) -> None:
        if error:
            errors.append(error)
        places.release()

    kept = []
    for url in urls:
        parts = urlsplit(url)
        places.acquire()
        request = HttpRequest("GET", parts.path, HttpHeaders([("host", parts.netloc)]))
        kept.append(
            client.make_request(
                type=S3RequestType.GET_OBJECT,
                request=request,
                recv_filepath=str(folder / parts.path.rpartition("/")[2]),
                on_done=done,
            )
        )
    for one in kept:
        one.finished_future.result()
    if errors:
        raise errors[0]


def main() -> None:
    library, list_file, out, in_flight = sys.argv[1:]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    urls = Path(list_file).read_text().split()
    globals()[f"run_{library}"](urls, folder, int(in_flight))


if __name__ == "__main__":
    main()
