"""``python -m tests.bench.feed_start URL ISSUER CLIENT`` (the secret on stdin): follow until everything is known once.

A process of its own, so that its memory is the follower's. It says in JSON what that took.
"""

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from authcenter.sdk.feed import RevocationFeed, UnobservedFeed
from authcenter.sdk.feed_document import PATH
from authcenter.sdk.feed_reading import FeedDocument
from authcenter.sdk.fetching import open_fetch
from authcenter.sdk.key_cache import KeyCache

_PATIENCE_SECONDS = 120


class _Sizes(UnobservedFeed):
    """Remembers the size of the first document."""

    def __init__(self) -> None:
        self.first = 0

    def took(self, document: FeedDocument, delay: float) -> None:
        self.first = self.first or document.size


async def start(url: str, issuer: str, client: str, secret: str) -> dict[str, Any]:
    """Seconds until all was known, bytes on the wire and in memory."""
    sizes = _Sizes()
    gc.collect()
    before, began, used = _resident(), time.perf_counter(), time.process_time()
    place = f"{url}{PATH}"
    async with (
        open_fetch(_PATIENCE_SECONDS) as fetch,
        KeyCache(issuer, fetch) as keys,
        RevocationFeed(issuer, keys, client_id=client, client_secret=secret, url=place, observer=sizes) as feed,
    ):
        if not await feed.wait_loaded(_PATIENCE_SECONDS):
            raise RuntimeError(f"the feed was not followed: {feed.status}")
        took, cpu = time.perf_counter() - began, time.process_time() - used
        peak = _peak()
        await asyncio.sleep(3)
        gc.collect()
        return {
            "entries": feed.status.entries,
            "start_ms": round(took * 1_000),
            "start_cpu_ms": round(cpu * 1_000),
            "document_bytes": sizes.first,
            "held_bytes": _resident() - before,
            "peak_bytes": peak - before,
        }


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(start(*sys.argv[1:4], sys.stdin.read().strip()))))
