"""``/account/sessions``: where a person is signed in, to be ended one by one, or all but this one."""

from dataclasses import dataclass

from authcenter.accounts.own_sessions import OwnSessions
from authcenter.core.clock import Clock
from authcenter.http.pages.own_account import OwnAccount
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.session_cards import session_cards
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router

PATH = "/account/sessions"


@dataclass(frozen=True, slots=True)
class AccountSessionsPage:
    """Shows the sessions; ends them. Who was signed in a while ago may end them, too: it takes nothing from anybody."""

    pages: Pages
    own: OwnAccount
    sessions: OwnSessions
    clock: Clock

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        held = await self.sessions.list_of(signed_in.user.subject)
        current = signed_in.session.session_id
        cards = session_cards(held, visit.messages, self.clock.now(), current)
        return self.pages.show(visit, "account_sessions.html", cards=cards)

    async def post(self, visit: Visit) -> Answer:
        signed_in = await self.own.open(visit, PATH)
        if isinstance(signed_in, Answer):
            return signed_in
        subject, current = signed_in.user.subject, signed_in.session.session_id
        ended = visit.form.get("end")
        if ended == "others":
            await self.sessions.end_others(subject, current, visit.origin)
        elif ended:
            await self.sessions.end(subject, ended, visit.origin)
        return see_other(PATH)
