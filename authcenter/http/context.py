"""What travels with a request: set at the edge, read by the frame when the answer goes out."""

from aiohttp import web

from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule

ORIGIN = web.RequestKey("origin", RequestOrigin)
CLIENT_ID = web.RequestKey("client_id", str)
"""The client that the request names; nothing says that it is the one."""

VERDICT = web.RequestKey("verdict", tuple[Rule, str])
"""The rule that refused, and its hint, where the answer itself may not tell."""
