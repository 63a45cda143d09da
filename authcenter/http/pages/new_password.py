"""What the pages that set a password have in common: the form, how strong a password is, and why one does not do."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authcenter.accounts.own_passwords import OwnPasswords
from authcenter.accounts.password_rules import PasswordRefused
from authcenter.core.digest import Digest
from authcenter.core.errors import RateLimited
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.user import User
from authcenter.http.context import NOTES
from authcenter.http.pages.password_meter import JudgedPassword, judge
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.too_often import STATUS, how_long, later
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.limits.sign_ups import SignUpLimit

_NOTHING_HIDDEN: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class NewPasswordForm:
    """Shows it.

    Attributes:
        limit: Of judgements: they take a place among those that hash passwords.
        action: The path that the form goes to.
        title: The name of the message above it; ``lead``: of the one below that.
        old: Whether it asks for the password that is to be replaced.
        form_to: Where it may lead beside here, by redirect: URIs.
    """

    pages: Pages
    passwords: OwnPasswords
    limit: SignUpLimit
    action: str
    title: str
    lead: str
    old: bool = False
    form_to: Sequence[str] = ()

    def show(
        self,
        visit: Visit,
        user: User,
        hidden: Mapping[str, str] = _NOTHING_HIDDEN,
        *,
        problem: str = "",
        status: int = 200,
        wrong: str = "",
        judged: JudgedPassword | None = None,
    ) -> Answer:
        """The form.

        Args:
            hidden: Fields that come back with it.
            problem: What was wrong, in the reader's words; ``wrong``: the field that it is about.
            judged: What there is to say of the password that was typed.
        """
        return self.pages.show(
            visit,
            "new_password.html",
            status=status,
            form_to=self.form_to,
            action=self.action,
            title=visit.messages(self.title),
            lead=visit.messages(self.lead, name=user.username),
            username=user.username,
            old=self.old,
            problem=problem,
            wrong=wrong,
            judged=judged,
            hidden=hidden,
        )

    async def again(self, visit: Visit, user: User, hidden: Mapping[str, str] = _NOTHING_HIDDEN) -> Answer | None:
        """The form again, where nothing is to be set yet: the person asks how strong the password is, or mistyped it.

        Raises:
            Overloaded, StoreUnavailable: Cannot tell.
        """
        password = visit.form.values.get("password", "")
        if visit.form.get("act") == "check":
            try:
                await self.limit.judge(Digest(hashlib.sha256(user.subject.encode()).digest()))
            except RateLimited as limited:
                return self.limited(visit, user, limited, hidden)
            words = self.passwords.words_about(user)
            return self.show(visit, user, hidden, judged=await judge(self.passwords.rules, Secret(password), words))
        if password == visit.form.values.get("again", ""):
            return None
        visit.request[NOTES].verdict = (Rule.INPUT_REFUSED, "again: differs")
        problem = visit.messages("password.differs")
        return self.show(visit, user, hidden, problem=problem, status=422, wrong="again")

    def refused(
        self, visit: Visit, user: User, refused: PasswordRefused, hidden: Mapping[str, str] = _NOTHING_HIDDEN
    ) -> Answer:
        """The form again: the password does not do."""
        visit.request[NOTES].verdict = (Rule.INPUT_REFUSED, str(refused))
        return self.show(visit, user, hidden, status=422, judged=JudgedPassword.refused(refused))

    def limited(
        self, visit: Visit, user: User, limited: RateLimited, hidden: Mapping[str, str] = _NOTHING_HIDDEN
    ) -> Answer:
        """The form again: too many wrong passwords, or too many questions."""
        return later(self.show(visit, user, hidden, problem=how_long(visit, limited), status=STATUS), limited)
