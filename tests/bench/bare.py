"""The yardstick: bare aiohttp on uvloop. ``POST /form`` parses a form and answers JSON, ``GET /json`` only answers.

``python -m tests.bench.bare PORT`` serves on loopback. No middleware and no access log: what is left is the price of
the framework, which no handler on it can go below.
"""

import asyncio
import sys

import uvloop
from aiohttp import web


async def form(request: web.Request) -> web.Response:
    """Parse the body as the framework's guide shows it, and answer as a token endpoint would, with constants."""
    fields = await request.post()
    body = {"access_token": "none", "token_type": "Bearer", "expires_in": 900, "scope": str(fields.get("scope"))}
    return web.json_response(body)


async def document(_request: web.Request) -> web.Response:
    """Answer a small document."""
    return web.json_response({"keys": []})


async def serve(port: int) -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/form", form)
    app.router.add_get("/json", document)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve(int(sys.argv[1])))
