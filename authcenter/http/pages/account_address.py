"""``/account/address``: another e-mail address, which counts once its mailbox has answered."""

from dataclasses import dataclass

from authcenter.accounts.address_change import AddressChanges
from authcenter.core.account_links import link_token
from authcenter.core.errors import Conflict, InvalidInput, OAuthError, RateLimited
from authcenter.core.rules import Rule
from authcenter.core.user import User
from authcenter.http.context import NOTES
from authcenter.http.pages import too_often
from authcenter.http.pages.one_time_link import OneTimeLink
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/account/address"
SENT_PATH = "/account/address/sent"
CONFIRM_PATH = "/account/address/confirm"
DONE_PATH = "/account/address/done"


@dataclass(frozen=True, slots=True)
class AccountAddressPage:
    """Asks for the address, and takes the answer of its mailbox.

    The link counts only for who is signed in to the account: a mistyped address is some stranger's, who could otherwise
    confirm it and then reset the password.
    """

    pages: Pages
    own: OwnAccount
    changes: AddressChanges

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)
        self.pages.mount(router, SENT_PATH, self.sent)
        self.pages.mount(router, CONFIRM_PATH, self.followed, self.confirm)
        self.pages.mount(router, DONE_PATH, self.done)

    async def get(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH, lately=True)
        return signed_in if isinstance(signed_in, Answer) else self._form(visit, signed_in.user)

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH, lately=True)
        if isinstance(signed_in, Answer):
            return signed_in
        email = (visit.form.get("email") or "").strip()
        try:
            await self.changes.ask(signed_in.user, email, visit.messages.language, visit.origin)
        except InvalidInput as refused:
            visit.request[NOTES].verdict = (Rule.INPUT_REFUSED, str(refused))
            return self._form(visit, signed_in.user, visit.messages("address.refused"), 422)
        except RateLimited as limited:
            form = self._form(visit, signed_in.user, too_often.how_long(visit, limited), too_often.STATUS)
            return too_often.later(form, limited)
        return see_other(SENT_PATH)

    async def sent(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        return self.pages.show(visit, "done.html", key="address.sent", next="/account", next_key="account.title")

    async def followed(self, visit: Visit) -> Answer:
        """By the link: what is going to change, and a button."""
        if (followed := self._link.followed(visit)) is not None:
            return followed
        signed_in = await self.own.open(visit, CONFIRM_PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        try:
            change = await self.changes.asked(signed_in.user, self._token(visit))
        except OAuthError as refused:
            return self._gone(visit, refused)
        return self.pages.show(visit, "confirm_address.html", user=signed_in.user, email=change.email)

    async def confirm(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, CONFIRM_PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        try:
            await self.changes.confirm(signed_in.user, self._token(visit), visit.messages.language, visit.origin)
        except OAuthError as refused:
            return self._gone(visit, refused)
        except Conflict:
            return see_other(CONFIRM_PATH)
        return self._link.forget(see_other(DONE_PATH))

    async def done(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        return self.pages.show(visit, "done.html", key="address.changed", next="/account", next_key="account.title")

    @property
    def _link(self) -> OneTimeLink:
        return OneTimeLink(CONFIRM_PATH, "address", self.pages.cookies)

    def _token(self, visit: Visit) -> bytes | None:
        text = self._link.token(visit)
        return link_token(text) if text is not None else None

    def _form(self, visit: Visit, user: User, problem: str = "", status: int = 200) -> Answer:
        typed = visit.form.get("email") or ""
        return self.pages.show(visit, "account_address.html", status=status, user=user, problem=problem, email=typed)

    def _gone(self, visit: Visit, refused: OAuthError) -> Answer:
        """The link stays in the browser: who is signed in as somebody else may sign in anew and go on."""
        visit.request[NOTES].verdict = (refused.rule, refused.hint)
        return self.pages.show(
            visit,
            "done.html",
            status=refused.status,
            key="address.foreign" if refused.rule is Rule.ACCOUNT_LINK_FOREIGN else "address.link_gone",
            failed=True,
            next=PATH,
            next_key="account.section.address",
        )
