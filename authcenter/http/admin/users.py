"""``/admin/v1/users``: the people who sign in, and what operators see of them and take away."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authcenter.accounts.descriptions import identity_description, session_description, user_description
from authcenter.accounts.oversight import Oversight
from authcenter.accounts.roles import set_roles
from authcenter.accounts.users import Accounts
from authcenter.core.errors import InvalidInput, NotFound
from authcenter.core.ids import SUBJECT_PREFIX
from authcenter.core.user import User, name_key
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.admin.paging import PARAMETERS, page, wanted_page, whole
from authcenter.http.responses import NO_STORE, Answer, no_store
from authcenter.http.router import Router

_USERS = "/users"
_USER = "/users/{sub}"
_LONGEST_SEARCH = 640

Settle = Callable[[str], Awaitable[None]]
"""Lets this process know at once what was done to a user."""


@dataclass(frozen=True, slots=True)
class UsersEndpoints:
    """Search, look, disable, enable, make set a new password, log out; roles, sessions, identities, second factors.

    Attributes:
        settle: Other instances learn it within the bound of revocations; this one before it answers.
    """

    frame: AdminFrame
    oversight: Oversight
    settle: Settle

    def mount(self, router: Router) -> None:
        def on(method: str, path: str, handler: Callable[[Asked], Awaitable[Answer]], *query: str) -> None:
            self.frame.mount(router, method, path, handler, query=query)

        on("GET", _USERS, self.search, "q", *PARAMETERS)
        on("GET", _USER, self.show)
        on("POST", f"{_USER}/disable", self.disable)
        on("POST", f"{_USER}/enable", self.enable)
        on("POST", f"{_USER}/require-reset", self.require_reset)
        on("POST", f"{_USER}/logout", self.logout)
        on("PUT", f"{_USER}/roles", self.set_roles)
        on("GET", f"{_USER}/sessions", self.sessions)
        on("DELETE", f"{_USER}/sessions/{{sid}}", self.end_session)
        on("GET", f"{_USER}/identities", self.identities)
        on("DELETE", f"{_USER}/identities/{{provider}}/{{provider_subject}}", self.unlink)
        on("GET", f"{_USER}/second-factors", self.second_factors)
        on("DELETE", f"{_USER}/second-factors", self.reset_second_factors)

    @property
    def _accounts(self) -> Accounts:
        return self.oversight.accounts

    async def search(self, asked: Asked) -> Answer:
        """``q``: how a name, an address or a subject begins; none: all users."""
        wanted, begins = wanted_page(asked.query), asked.query.get("q", "").strip()
        if len(begins) > _LONGEST_SEARCH or not begins.isprintable():
            raise InvalidInput(f"q: at most {_LONGEST_SEARCH} printable characters")
        found = await self.oversight.search(begins, after=wanted.after, most=wanted.most)
        return page(found, wanted, lambda user: name_key(user.username), user_description)

    async def show(self, asked: Asked) -> Answer:
        return _told(await self._accounts.get(_subject(asked)))

    async def disable(self, asked: Asked) -> Answer:
        by = asked.by
        return await self._done(await self._accounts.disable(_subject(asked), actor=by.actor, origin=by.origin))

    async def enable(self, asked: Asked) -> Answer:
        by = asked.by
        return await self._done(await self._accounts.enable(_subject(asked), actor=by.actor, origin=by.origin))

    async def require_reset(self, asked: Asked) -> Answer:
        by = asked.by
        return await self._done(await self._accounts.require_reset(_subject(asked), actor=by.actor, origin=by.origin))

    async def logout(self, asked: Asked) -> Answer:
        by = asked.by
        return await self._done(await self._accounts.logout(_subject(asked), actor=by.actor, origin=by.origin))

    async def set_roles(self, asked: Asked) -> Answer:
        """The document is ``{"roles": [...]}``: all that the user is to have."""
        by, subject, document = asked.by, _subject(asked), await asked.document()
        roles = document.get("roles")
        named = isinstance(roles, list) and all(isinstance(one, str) for one in roles)
        if document.keys() != {"roles"} or roles is None or not named:
            raise InvalidInput('roles: the document is {"roles": [...]}, a list of names')
        return await self._done(await set_roles(self._accounts, subject, roles, actor=by.actor, origin=by.origin))

    async def sessions(self, asked: Asked) -> Answer:
        found = await self.oversight.sessions_of(_subject(asked))
        return whole([session_description(one.session, one.clients) for one in found])

    async def end_session(self, asked: Asked) -> Answer:
        await self.oversight.end_session(_subject(asked), asked.path["sid"], asked.by)
        return _nothing()

    async def identities(self, asked: Asked) -> Answer:
        return whole([identity_description(one) for one in await self.oversight.identities_of(_subject(asked))])

    async def unlink(self, asked: Asked) -> Answer:
        provider, provider_subject = asked.path["provider"], asked.path["provider_subject"]
        await self.oversight.unlink(_subject(asked), provider, provider_subject, asked.by)
        return _nothing()

    async def second_factors(self, asked: Asked) -> Answer:
        return whole([{"factor": factor} for factor in sorted(await self.oversight.factors_of(_subject(asked)))])

    async def reset_second_factors(self, asked: Asked) -> Answer:
        user = await self.oversight.reset_second_factors(_subject(asked), asked.by)
        await self.settle(user.subject)
        return _nothing()

    async def _done(self, user: User) -> Answer:
        await self.settle(user.subject)
        return _told(user)


def _subject(asked: Asked) -> str:
    """By subject alone: names and addresses change hands."""
    subject = asked.path["sub"]
    if not subject.startswith(SUBJECT_PREFIX):
        raise NotFound(f"{subject!a:.80} is no user's subject")
    return subject


def _told(user: User) -> Answer:
    return no_store(encode(user_description(user)))


def _nothing() -> Answer:
    return Answer(status=204, lines=NO_STORE)
