"""``/api/v1/auth/password/…``: forgotten passwords, for first-party apps."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from authcenter.accounts.password_reset import PasswordReset, ResetRequests
from authcenter.core.account_links import link_token
from authcenter.core.secret import Secret
from authcenter.core.wire_json import encode
from authcenter.http.context import NOTES
from authcenter.http.json_bodies import read_json, text_member
from authcenter.http.pages.messages import Catalogue
from authcenter.http.problems import with_problems
from authcenter.http.responses import NO_STORE, Answer, no_store
from authcenter.http.router import Router

PATH = "/api/v1/auth/password"


@dataclass(frozen=True, slots=True)
class PasswordApi:
    """Asks for a link, and sets a password by it.

    Attributes:
        catalogue: Knows which language a mail is to be written in.
    """

    requests: ResetRequests
    resets: PasswordReset
    catalogue: Catalogue

    def mount(self, router: Router) -> None:
        router.add_post(f"{PATH}/forgot", with_problems(self.forgot))
        router.add_post(f"{PATH}/reset", with_problems(self.reset))

    async def forgot(self, request: web.BaseRequest) -> Answer:
        """202 for every address, known or not."""
        email = text_member(await read_json(request), "email")
        await self.requests.ask(email, self._language(request), request[NOTES].origin)
        return no_store(encode({"status": "accepted"}), 202)

    async def reset(self, request: web.BaseRequest) -> Answer:
        """204 once the password is set."""
        body = await read_json(request)
        token, password = link_token(text_member(body, "token")), Secret(text_member(body, "password"))
        await self.resets.reset(token, password, self._language(request), request[NOTES].origin)
        return Answer(status=204, lines=NO_STORE)

    def _language(self, request: web.BaseRequest) -> str:
        return self.catalogue.choose((), request.headers.get(hdrs.ACCEPT_LANGUAGE, "")).language
