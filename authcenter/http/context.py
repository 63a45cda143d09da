"""What travels with a request: noted on its way, read by the frame when the answer goes out."""

from dataclasses import dataclass

from aiohttp import web

from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule


@dataclass(slots=True)
class RequestNotes:
    """What is known of one request. One object, because each look into a request by key costs as much as a field.

    Attributes:
        client_id: The client that the request names; nothing says that it is the one.
        original: Method and path of the request that a gateway asks about, as a trusted one tells them.
        verdict: The rule that refused, and its hint, where the answer itself may not tell.
    """

    origin: RequestOrigin
    client_id: str | None = None
    original: tuple[str, str] = ("", "")
    verdict: tuple[Rule, str] | None = None


NOTES = web.RequestKey("notes", RequestNotes)
