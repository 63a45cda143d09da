"""What the pages that set a password have in common: the form, and why a password does not do."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from aiohttp import hdrs

from authcenter.accounts.password_rules import PasswordRefused
from authcenter.core.errors import RateLimited
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer


@dataclass(frozen=True, slots=True)
class NewPasswordForm:
    """Shows it.

    Attributes:
        action: The path that the form goes to.
        title: The name of the message above it; ``lead``: of the one below that.
        hidden: Fields that come back with it.
        old: Whether it asks for the password that is to be replaced.
    """

    pages: Pages
    action: str
    title: str
    lead: str
    old: bool = False

    def show(
        self,
        visit: Visit,
        username: str,
        *,
        problem: str = "",
        status: int = 200,
        wrong: str = "",
        advice: tuple[str, ...] = (),
        hidden: Mapping[str, str] | None = None,
    ) -> Answer:
        """The form.

        Args:
            problem: What was wrong, in the reader's words; ``wrong``: the field that it is about.
            advice: How to do better.
        """
        return self.pages.show(
            visit,
            "new_password.html",
            status=status,
            action=self.action,
            title=visit.messages(self.title),
            lead=visit.messages(self.lead, name=username),
            username=username,
            old=self.old,
            problem=problem,
            wrong=wrong,
            advice=advice,
            hidden=hidden or {},
        )

    def refused(
        self, visit: Visit, username: str, refused: PasswordRefused, hidden: Mapping[str, str] | None = None
    ) -> Answer:
        """The form again: the password does not do."""
        visit.request[NOTES].verdict = (Rule.INPUT_REFUSED, str(refused))
        advised = refused.strength.advice if refused.strength is not None else ()
        return self.show(
            visit,
            username,
            problem=visit.messages(refused.reason),
            status=422,
            wrong="password",
            advice=tuple(visit.messages(f"password.advice.{one}") for one in advised),
            hidden=hidden,
        )

    def differ(self, visit: Visit, username: str, hidden: Mapping[str, str] | None = None) -> Answer | None:
        """The form again, where the password was not typed twice alike."""
        if visit.form.values.get("password", "") == visit.form.values.get("again", ""):
            return None
        visit.request[NOTES].verdict = (Rule.INPUT_REFUSED, "again: differs")
        return self.show(
            visit, username, problem=visit.messages("password.differs"), status=422, wrong="again", hidden=hidden
        )

    def limited(self, visit: Visit, username: str, limited: RateLimited) -> Answer:
        """The form again: too many wrong passwords."""
        visit.request[NOTES].verdict = (limited.rule, limited.hint)
        problem = visit.messages("login.limited", minutes=ceil(limited.retry_after / 60))
        answer = self.show(visit, username, problem=problem, status=429)
        answer.headers[hdrs.RETRY_AFTER] = str(max(1, ceil(limited.retry_after)))
        return answer
