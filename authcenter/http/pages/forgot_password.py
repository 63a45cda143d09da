"""``/password/forgot``: asks for a mail with a link. What it answers is the same for every address."""

from dataclasses import dataclass

from authcenter.accounts.account import address_problem
from authcenter.accounts.password_reset import ResetRequests
from authcenter.core.errors import RateLimited
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.too_often import STATUS, how_long, later
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/password/forgot"
SENT_PATH = "/password/forgot/sent"


@dataclass(frozen=True, slots=True)
class ForgotPasswordPage:
    """Takes an address."""

    pages: Pages
    requests: ResetRequests

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)
        self.pages.mount(router, SENT_PATH, self.sent)

    async def get(self, visit: Visit) -> Answer:
        return self._form(visit)

    async def post(self, visit: Visit) -> Answer:
        email = (visit.form.get("email") or "").strip()
        if address_problem(email) is not None:
            visit.request[NOTES].verdict = (Rule.INPUT_REFUSED, "email: not an address")
            return self._form(visit, visit.messages("address.malformed"), 422)
        try:
            await self.requests.ask(email, visit.messages.language, visit.origin)
        except RateLimited as limited:
            return later(self._form(visit, how_long(visit, limited), STATUS), limited)
        return see_other(SENT_PATH)

    async def sent(self, visit: Visit) -> Answer:
        return self.pages.show(visit, "done.html", key="password.forgot.sent", next="/login", next_key="login.title")

    def _form(self, visit: Visit, problem: str = "", status: int = 200) -> Answer:
        return self.pages.show(
            visit, "forgot_password.html", status=status, problem=problem, email=visit.form.get("email") or ""
        )
