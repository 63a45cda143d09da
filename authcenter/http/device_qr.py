"""``GET /device/qr.svg?user_code=…``: the link to the code entry page as a QR code, for devices that show an image."""

from dataclasses import dataclass
from io import BytesIO

import segno
from aiohttp import web
from multidict import CIMultiDict

from authcenter.core.errors import invalid_request
from authcenter.core.rules import Rule
from authcenter.http.device_authorization import complete_uri
from authcenter.http.forms import parse_form
from authcenter.http.responses import NO_STORE, Answer
from authcenter.http.router import Router
from authcenter.tokens.device_codes import read_user_code

PATH = "/device/qr.svg"
_MASK = 2
"""Any of the eight can be read; to look for the prettiest takes four times as long."""
_SCALE = 8


@dataclass(frozen=True, slots=True)
class DeviceQrEndpoint:
    """Draws what anybody could draw: nothing is looked up, so that it tells nothing of a code."""

    issuer: str

    def mount(self, router: Router) -> None:
        router.add_get(PATH, self.get)

    async def get(self, request: web.BaseRequest) -> Answer:
        query = parse_form(request.rel_url.raw_query_string.encode())
        user_code = read_user_code(query.require("user_code"))
        if user_code is None:
            raise invalid_request(Rule.PARAMETER_MALFORMED, "The parameter user_code is malformed.")
        drawn = segno.make_qr(complete_uri(self.issuer, user_code), error="m", boost_error=False, mask=_MASK)
        svg = BytesIO()
        drawn.save(svg, kind="svg", scale=_SCALE, light="#fff", xmldecl=False)
        return Answer(svg.getvalue(), lines=NO_STORE, headers=CIMultiDict({"Content-Type": "image/svg+xml"}))
