"""A few browsers that ask for one page again and again, each as soon as it has the last answer."""

import asyncio
import time
from dataclasses import dataclass

from tests.bench.tables import share


@dataclass(frozen=True)
class Load:
    """What came of it: requests a second, and how long an answer took, in milliseconds."""

    requests: int
    rate: float
    p50: float
    p95: float


@dataclass(frozen=True)
class Page:
    """One page of one server. `expect` must stand in it, or the wrong thing would be measured."""

    name: str
    port: int
    path: str
    cookie: str
    expect: str


def put_under_load(page: Page, connections: int, seconds: float) -> Load:
    """Ask for the page over so many connections, for so long."""
    return asyncio.run(_load(page, connections, seconds))


def fetch(page: Page) -> str:
    """The page, once."""
    return asyncio.run(_once(page))


async def _load(page: Page, connections: int, seconds: float) -> Load:
    took: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(_ask(page, began + seconds, took) for _ in range(connections)))
    lasted = time.perf_counter() - began
    return Load(len(took), len(took) / lasted, share(took, 50) * 1000, share(took, 95) * 1000)


async def _ask(page: Page, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port, limit=1 << 20)
    try:
        while (began := time.perf_counter()) < until:
            status, _ = await _exchange(page, reader, writer)
            if status != 200:
                raise RuntimeError(f"{page.path} answered {status}")
            took.append(time.perf_counter() - began)
    finally:
        writer.close()


async def _once(page: Page) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", page.port, limit=1 << 20)
    try:
        status, body = await _exchange(page, reader, writer)
    finally:
        writer.close()
    text = body.decode()
    if status != 200 or page.expect not in text:
        raise RuntimeError(f"{page.path} answered {status} and not with {page.expect!r}: {text[:300]}")
    return text


async def _exchange(page: Page, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, bytes]:
    writer.write(f"GET {page.path} HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nCookie: {page.cookie}\r\nAccept: text/html\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)
