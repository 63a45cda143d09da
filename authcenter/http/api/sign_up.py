"""``/api/v1/auth/register`` and ``/api/v1/auth/verify-email``: signing up without our pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from authcenter.accounts.sign_up import SignUp
from authcenter.core import base64url
from authcenter.core.secret import Secret
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.json_bodies import read_json, text_member
from authcenter.http.problems import with_problems
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router

REGISTER, VERIFY = "/api/v1/auth/register", "/api/v1/auth/verify-email"


@dataclass(frozen=True, slots=True)
class SignUpApi:
    """Asks for a link by ``email``; makes the account by ``token``, ``username`` and ``password``.

    Attributes:
        language: Of letters, by an ``Accept-Language`` header.
    """

    sign_up: SignUp
    language: Callable[[str], str]

    def mount(self, router: Router) -> None:
        router.add_post(REGISTER, with_problems(self.register))
        router.add_post(VERIFY, with_problems(self.verify))

    async def register(self, request: web.BaseRequest) -> Answer:
        self.sign_up.check_on()
        body = await read_json(request)
        language = self.language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        await self.sign_up.ask(text_member(body, "email"), language, request[NOTES].origin.ip)
        return no_store(encode({"status": "verification_sent"}), 202)

    async def verify(self, request: web.BaseRequest) -> Answer:
        self.sign_up.check_on()
        body = await read_json(request)
        username, password = text_member(body, "username"), Secret(text_member(body, "password"))
        user = await self.sign_up.complete(_token(body), username, password, request[NOTES].origin)
        told = {"sub": user.subject, "username": user.username, "email": user.email, "email_verified": True}
        return no_store(encode(told), 201)


def _token(body: Mapping[str, Any]) -> bytes:
    """What the link in the mail ends with; of another shape it is none that anybody was sent."""
    text = text_member(body, "token")
    try:
        return base64url.decode(text)
    except ValueError:
        return b""
