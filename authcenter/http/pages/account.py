"""``/account``: who is signed in here, and what was agreed to for whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from authcenter.authorization.consents import Consents
from authcenter.http.pages.client_face import face_of
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.clients import ClientLookup

PATH = "/account"


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Shows the account; takes consents back.

    Attributes:
        sections: The pages under it, ``/account/{section}``; messages call each ``account.section.{section}``.
    """

    pages: Pages
    own: OwnAccount
    consents: Consents
    clients: ClientLookup
    sections: Sequence[str] = ()

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        held = await self.consents.list_of(signed_in.user.subject)
        language = visit.messages.language
        found = [(consent, await self.clients.find(consent.client_id)) for consent in held]
        named = [(consent, client and face_of(client, language)) for consent, client in found]
        return self.pages.show(
            visit,
            "account.html",
            user=signed_in.user,
            session=signed_in.session,
            consents=named,
            sections=self.sections,
        )

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        if client_id := visit.form.get("withdraw"):
            await self.consents.withdraw(signed_in.user.subject, client_id, visit.origin)
        return see_other(PATH)
