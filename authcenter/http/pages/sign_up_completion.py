"""``/signup/verify``: who came by the link chooses a name and a password, and is signed in."""

from dataclasses import dataclass

from authcenter.accounts.password_rules import PasswordRefused
from authcenter.accounts.sessions import Sessions
from authcenter.accounts.sign_up import SignUp
from authcenter.core import base64url
from authcenter.core.errors import Conflict, InvalidInput, OAuthError, RateLimited
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.sign_up import SignUpLink
from authcenter.http.context import NOTES
from authcenter.http.pages import too_often
from authcenter.http.pages.arrival import Arrival
from authcenter.http.pages.one_time_link import OneTimeLink
from authcenter.http.pages.password_meter import JudgedPassword, judge
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.sign_up import KeptTicket
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/signup/verify"
COOKIE = "signup_link"
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class SignUpCompletionPage:
    """Makes the account. Looking at the page spends nothing: programs that scan mails follow links, too."""

    pages: Pages
    kept: KeptTicket
    link: OneTimeLink
    sign_up: SignUp
    sessions: Sessions
    arrival: Arrival

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        self.sign_up.check_on()
        if (followed := self.link.followed(visit)) is not None:
            return followed
        _, link = await self._held(visit)
        return self._form(visit, link) if link is not None else self._dead(visit)

    async def post(self, visit: Visit) -> Answer:
        self.sign_up.check_on()
        token, link = await self._held(visit)
        if link is None:
            return self._dead(visit)
        username, password = visit.form.get("username") or "", Secret(visit.form.values.get("password") or "")
        try:
            if visit.form.get("act") == "check":
                await self.sign_up.limit.judge(link.digest)
                judged = await judge(self.sign_up.rules, password, [username[:_LONGEST_NAME], link.email])
                return self._form(visit, link, judged)
            user = await self.sign_up.complete(token, username, password, visit.origin)
        except (InvalidInput, Conflict, OAuthError) as refused:
            return self._refused(visit, link, refused)
        before = await self.sessions.current(visit.browser.session_digest)
        answer = await self.arrival.arrive(visit, self.kept.take(visit), user, before, amr=["pwd"])
        return self.kept.forget(self.link.forget(answer))

    def _refused(self, visit: Visit, link: SignUpLink, refused: Exception) -> Answer:
        """What is wrong, and the form to say it again; all but the password stands in it."""
        notes = visit.request[NOTES]
        match refused:
            case PasswordRefused():
                notes.verdict = (Rule.INPUT_REFUSED, str(refused))
                return self._form(visit, link, JudgedPassword.refused(refused), status=422)
            case InvalidInput():
                notes.verdict = (Rule.INPUT_REFUSED, str(refused))
                return self._form(visit, link, problem="signup.wrong_name", status=422)
            case Conflict():
                notes.verdict = (Rule.NAME_TAKEN, str(refused))
                return self._form(visit, link, problem="signup.name_taken", status=409)
            case RateLimited():
                minutes = too_often.minutes(visit, refused)
                form = self._form(visit, link, problem="signup.limited", status=too_often.STATUS, minutes=minutes)
                return too_often.later(form, refused)
            case OAuthError(rule=Rule.SIGN_UP_LINK):
                notes.verdict = (refused.rule, refused.hint)
                return self._dead(visit)
        raise refused

    async def _held(self, visit: Visit) -> tuple[bytes, SignUpLink | None]:
        """The token that this browser holds, and its link where that opens an account."""
        text = self.link.token(visit)
        if text is None:
            return b"", None
        try:
            token = base64url.decode(text)
        except ValueError:
            return b"", None
        return token, await self.sign_up.find(token)

    def _form(
        self,
        visit: Visit,
        link: SignUpLink,
        judged: JudgedPassword | None = None,
        *,
        problem: str = "",
        status: int = 200,
        minutes: int = 0,
    ) -> Answer:
        request = self.kept.take(visit).request
        return self.pages.show(
            visit,
            "signup_verify.html",
            status=status,
            form_to=[request.redirect_uri] if request else (),
            email=link.email,
            username=visit.form.get("username") or "",
            problem=visit.messages(problem, minutes=minutes) if problem else "",
            judged=judged,
        )

    def _dead(self, visit: Visit) -> Answer:
        return self.link.forget(self.pages.show(visit, "signup_stale.html", status=400))
