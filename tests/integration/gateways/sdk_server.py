"""A resource server with the SDK, as a process: ``python -m … ISSUER AUDIENCE PORT``. Its metrics are public."""

import asyncio
import sys

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from authcenter.sdk.aiohttp_guard import bearer_guard
from authcenter.sdk.fetching import open_fetch
from authcenter.sdk.key_cache import KeyCache
from authcenter.sdk.metrics import PrometheusObserver
from authcenter.sdk.verifier import TokenVerifier

COOLDOWN_SECONDS = 0.3
_HANG_SECONDS = 60.0


async def _serve(issuer: str, audience: str, port: int) -> None:
    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    async with (
        open_fetch(_HANG_SECONDS) as fetch,
        KeyCache(issuer, fetch, observer, unknown_kid_cooldown=COOLDOWN_SECONDS) as keys,
    ):
        verifier = TokenVerifier(issuer, audience, keys, observer=observer)

        async def metrics(_: web.Request) -> web.Response:
            return web.Response(body=generate_latest(registry))

        async def let_in(_: web.Request) -> web.Response:
            return web.Response()

        app = web.Application(middlewares=[bearer_guard(verifier, public=["/metrics"])])
        app.add_routes([web.get("/metrics", metrics), web.get("/orders", let_in)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await _until_terminated()
        await runner.cleanup()


async def _until_terminated() -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(15, over.set)
    await over.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
