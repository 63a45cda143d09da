"""``/password/reset``: where the link of a mail leads, in whichever browser; it sets a password."""

from dataclasses import dataclass

from authcenter.accounts.password_reset import PasswordReset
from authcenter.accounts.password_rules import PasswordRefused
from authcenter.core.account_links import link_token
from authcenter.core.errors import Conflict, OAuthError
from authcenter.core.secret import Secret
from authcenter.http.context import NOTES
from authcenter.http.pages.forgot_password import PATH as FORGOT_PATH
from authcenter.http.pages.new_password import NewPasswordForm
from authcenter.http.pages.one_time_link import OneTimeLink
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.limits.sign_ups import SignUpLimit

PATH = "/password/reset"
DONE_PATH = "/password/reset/done"


@dataclass(frozen=True, slots=True)
class ResetPasswordPage:
    """Asks for the new password. Nobody is signed in by it: a second factor is still to be asked for."""

    pages: Pages
    resets: PasswordReset
    limit: SignUpLimit

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)
        self.pages.mount(router, DONE_PATH, self.done)

    async def get(self, visit: Visit) -> Answer:
        if (followed := self._link.followed(visit)) is not None:
            return followed
        try:
            user = await self.resets.owner(self._token(visit))
        except OAuthError as refused:
            return self._gone(visit, refused)
        return self._form.show(visit, user)

    async def post(self, visit: Visit) -> Answer:
        token, password = self._token(visit), Secret(visit.form.values.get("password") or "")
        try:
            user = await self.resets.owner(token)
            if (again := await self._form.again(visit, user)) is not None:
                return again
            try:
                await self.resets.reset(token, password, visit.messages.language, visit.origin)
            except PasswordRefused as refused:
                return self._form.refused(visit, user, refused)
            except Conflict:
                return self._form.show(visit, user, problem=visit.messages("password.meanwhile"), status=409)
        except OAuthError as refused:
            return self._gone(visit, refused)
        return self._link.forget(see_other(DONE_PATH))

    async def done(self, visit: Visit) -> Answer:
        return self.pages.show(visit, "done.html", key="password.set", next="/login", next_key="login.title")

    @property
    def _link(self) -> OneTimeLink:
        return OneTimeLink(PATH, "reset", self.pages.cookies)

    @property
    def _form(self) -> NewPasswordForm:
        return NewPasswordForm(self.pages, self.resets.passwords, self.limit, PATH, "password.new", "password.new.lead")

    def _token(self, visit: Visit) -> bytes | None:
        text = self._link.token(visit)
        return link_token(text) if text is not None else None

    def _gone(self, visit: Visit, refused: OAuthError) -> Answer:
        visit.request[NOTES].verdict = (refused.rule, refused.hint)
        answer = self.pages.show(
            visit,
            "done.html",
            status=refused.status,
            key="password.link_gone",
            failed=True,
            next=FORGOT_PATH,
            next_key="password.forgot.again",
        )
        return self._link.forget(answer)
