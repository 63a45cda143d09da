"""``/account/delete``: the end of an account, by who it belongs to."""

from dataclasses import dataclass

from authcenter.accounts.erasure import AccountErasure
from authcenter.core.user import User, name_key
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/account/delete"
DELETED = "/account/deleted"


@dataclass(frozen=True, slots=True)
class DeletionPage:
    """Deletes the account of who has signed in lately and types its name."""

    pages: Pages
    own: OwnAccount
    erasure: AccountErasure

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)
        self.pages.mount(router, DELETED, self.deleted)

    async def get(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH, lately=True)
        return signed_in if isinstance(signed_in, Answer) else self._form(visit, signed_in.user)

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH, lately=True)
        if isinstance(signed_in, Answer):
            return signed_in
        user = signed_in.user
        # The person whose name was on the page, not who may have signed in meanwhile in another tab.
        if name_key(visit.form.get("confirm") or "") != name_key(user.username):
            return self._form(visit, user, 422, wrong=True)
        await self.erasure.erase(user.subject, language=visit.messages.language)
        answer = see_other(DELETED)
        self.pages.cookies.sign_out(answer)
        return answer

    async def deleted(self, visit: Visit) -> Answer:
        return self.pages.show(visit, "account_deleted.html")

    def _form(self, visit: Visit, user: User, status: int = 200, *, wrong: bool = False) -> Answer:
        return self.pages.show(visit, "account_delete.html", status=status, user=user, wrong=wrong)
