"""``GET /device/qr.svg?user_code=…``: the link to the code entry page as a QR code, for devices that show an image."""

from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from authcenter.core.errors import invalid_request
from authcenter.core.rules import Rule
from authcenter.http.device_authorization import complete_uri
from authcenter.http.forms import parse_form
from authcenter.http.qr import qr_svg
from authcenter.http.responses import NO_STORE, Answer
from authcenter.http.router import Router
from authcenter.tokens.device_codes import read_user_code

PATH = "/device/qr.svg"


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
        svg = qr_svg(complete_uri(self.issuer, user_code))
        return Answer(svg, lines=NO_STORE, headers=CIMultiDict({"Content-Type": "image/svg+xml"}))
