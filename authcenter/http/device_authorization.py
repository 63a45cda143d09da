"""``POST /oauth/device_authorization`` (RFC 8628 §3.1): a device asks for a code to show."""

from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from authcenter.authorization.devices import INTERVAL_SECONDS, LIFETIME, DeviceAuthorizations
from authcenter.clients.authentication import ClientAuthentication
from authcenter.clients.quota import TokenQuota
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.credentials import client_credentials
from authcenter.http.forms import read_form
from authcenter.http.responses import Answer, no_store, with_quota
from authcenter.http.router import Router

PATH = "/oauth/device_authorization"
VERIFICATION_PATH = "/device"


@dataclass(frozen=True, slots=True)
class DeviceAuthorizationEndpoint:
    """The device authorization endpoint. Its requests count like those of the token endpoint."""

    authentication: ClientAuthentication
    quota: TokenQuota
    devices: DeviceAuthorizations
    issuer: str

    def mount(self, router: Router) -> None:
        router.add_post(PATH, self.post)

    async def post(self, request: web.BaseRequest) -> Answer:
        notes = request[NOTES]
        form = await read_form(request)
        presented = client_credentials(request, form)
        notes.client_id = presented.client_id
        client = await self.authentication.authenticate(presented, notes.origin.ip)
        self.quota.take(presented, notes.origin.ip)
        codes = await self.devices.begin(form, client)
        body = {
            "device_code": codes.device_code,
            "user_code": codes.user_code,
            "verification_uri": f"{self.issuer}{VERIFICATION_PATH}",
            "verification_uri_complete": complete_uri(self.issuer, codes.user_code),
            "expires_in": int(LIFETIME.total_seconds()),
            "interval": INTERVAL_SECONDS,
        }
        left = self.quota.left(presented, notes.origin.ip)
        return with_quota(no_store(encode(body)), left.limit, left.remaining, left.reset_after)


def complete_uri(issuer: str, user_code: str) -> str:
    """``verification_uri_complete`` (§3.3.1): what a QR code shows, for a camera instead of a keyboard."""
    return f"{issuer}{VERIFICATION_PATH}?{urlencode({'user_code': user_code})}"
