"""``/password/new``: on the way of a sign-in whose password an operator wants replaced."""

from dataclasses import dataclass

from msgspec import structs

from authcenter.accounts.password_change import PasswordChange
from authcenter.accounts.password_rules import PasswordRefused
from authcenter.accounts.sessions import Sessions
from authcenter.authorization.ticket import Ticket, Tickets
from authcenter.core.errors import Conflict
from authcenter.core.secret import Secret
from authcenter.core.user import User
from authcenter.http.pages.arrival import DEMAND_PATH, Arrival
from authcenter.http.pages.new_password import NewPasswordForm
from authcenter.http.pages.rendering import Pages, see_other
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.limits.sign_ups import SignUpLimit
from authcenter.stores.ports.accounts import UserLookup

PATH = DEMAND_PATH


@dataclass(frozen=True, slots=True)
class DemandedPasswordPage:
    """Sets the new password, and goes on with the sign-in.

    Attributes:
        users: The record itself: what was proved may have ended a moment ago.
    """

    pages: Pages
    tickets: Tickets
    sessions: Sessions
    users: UserLookup
    passwords: PasswordChange
    limit: SignUpLimit
    arrival: Arrival

    def mount(self, router: Router) -> None:
        self.pages.mount(router, PATH, self.get, self.post)

    async def get(self, visit: Visit) -> Answer:
        visit, ticket = self._read(visit, visit.query.get("ticket"))
        user = await self._owner(ticket)
        if user is None:
            return self._from_the_beginning(visit, ticket)
        return self._form(ticket).show(visit, user, self._hidden(visit, ticket))

    async def post(self, visit: Visit) -> Answer:
        visit, ticket = self._read(visit, visit.form.get("ticket"))
        user, proved = await self._owner(ticket), ticket.proved
        if user is None or proved is None:
            return self._from_the_beginning(visit, ticket)
        hidden = self._hidden(visit, ticket)
        if (again := await self._form(ticket).again(visit, user, hidden)) is not None:
            return again
        password, language = Secret(visit.form.values.get("password") or ""), visit.messages.language
        try:
            changed = await self.passwords.replace_demanded(user, password, proved.at, language, visit.origin)
        except PasswordRefused as refused:
            return self._form(ticket).refused(visit, user, refused, hidden)
        except Conflict:
            return self._from_the_beginning(visit, ticket)
        before = await self.sessions.current(visit.browser.session_digest)
        answered = structs.replace(ticket, proved=None)
        return await self.arrival.arrive(visit, answered, changed, before, amr=proved.amr, acr=proved.acr)

    def _read(self, visit: Visit, sealed: str | None) -> tuple[Visit, Ticket]:
        """The ticket, and the visit in the language that its client asks for."""
        ticket = self.tickets.open(sealed or "", visit.browser.browser_id)
        return self.pages.in_language_of(visit, ticket), ticket

    def _form(self, ticket: Ticket) -> NewPasswordForm:
        return NewPasswordForm(
            self.pages,
            self.passwords.passwords,
            self.limit,
            PATH,
            "password.demanded",
            "password.demanded.lead",
            form_to=(ticket.request.redirect_uri,) if ticket.request else (),
        )

    async def _owner(self, ticket: Ticket) -> User | None:
        """Whose password it is about; None: the proof counts no more, or more is to be proved before."""
        proved = ticket.proved
        if proved is None or not proved.acr:
            return None
        user = await self.users.find(proved.subject)
        return user if user is not None and self.passwords.still_due(user, proved.at) else None

    def _from_the_beginning(self, visit: Visit, ticket: Ticket) -> Answer:
        sealed = self.tickets.seal(structs.replace(ticket, proved=None), visit.browser.browser_id)
        return see_other(f"/login?ticket={sealed}")

    def _hidden(self, visit: Visit, ticket: Ticket) -> dict[str, str]:
        return {"ticket": self.tickets.seal(ticket, visit.browser.browser_id)}
