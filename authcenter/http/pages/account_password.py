"""``/account/password``: another password, for who knows the one there is."""

from dataclasses import dataclass

from authcenter.accounts.password_change import PasswordChange
from authcenter.accounts.password_rules import PasswordRefused
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import Conflict, ErrorCode, OAuthError, RateLimited
from authcenter.core.secret import Secret
from authcenter.core.user import User
from authcenter.http.context import NOTES
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.new_password import NewPasswordForm
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.limits.sign_ups import SignUpLimit

PATH = "/account/password"
DONE_PATH = "/account/password/done"


@dataclass(frozen=True, slots=True)
class AccountPasswordPage:
    """Sets it, ends every session, and opens a new one for this browser."""

    pages: Pages
    own: OwnAccount
    tickets: Tickets
    passwords: PasswordChange
    limit: SignUpLimit
    arrival: Arrival

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)
        self.pages.mount(router, DONE_PATH, self.done)

    async def get(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        return signed_in if isinstance(signed_in, Answer) else self._form.show(visit, signed_in.user)

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        changed = await self._change(visit, signed_in.user)
        if isinstance(changed, Answer):
            return changed
        ticket = Ticket("account", self.tickets.lapse(), page=DONE_PATH)
        return await self.arrival.arrive(visit, ticket, changed, signed_in, amr=["pwd"])

    async def _change(self, visit: Visit, user: User) -> User | Answer:
        """The user with the new password, or the form again."""
        if (again := await self._form.again(visit, user)) is not None:
            return again
        old, new = visit.form.values.get("old") or "", Secret(visit.form.values.get("password") or "")
        try:
            return await self.passwords.change(user, old, new, visit.messages.language, visit.origin)
        except PasswordRefused as refused:
            return self._form.refused(visit, user, refused)
        except RateLimited as limited:
            return self._form.limited(visit, user, limited)
        except Conflict:
            return self._form.show(visit, user, problem=visit.messages("password.meanwhile"), status=409)
        except OAuthError as wrong:
            if wrong.code is not ErrorCode.INVALID_GRANT:
                raise
            visit.request[NOTES].verdict = (wrong.rule, wrong.hint)
            problem = visit.messages("password.old_wrong")
            return self._form.show(visit, user, problem=problem, status=401, wrong="old")

    async def done(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        return self.pages.show(visit, "done.html", key="password.changed", next="/account", next_key="account.title")

    @property
    def _form(self) -> NewPasswordForm:
        passwords = self.passwords.passwords
        return NewPasswordForm(
            self.pages, passwords, self.limit, PATH, "account.section.password", "password.change.lead", old=True
        )
