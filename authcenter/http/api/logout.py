"""``POST /api/v1/auth/logout``: a first-party app signs its person out."""

from dataclasses import dataclass

from aiohttp import web

from authcenter.accounts.sessions import Sessions
from authcenter.http.api.own_token import OwnTokens
from authcenter.http.context import NOTES
from authcenter.http.problems import with_problems
from authcenter.http.responses import NO_STORE, Answer
from authcenter.http.router import Router
from authcenter.tokens.service import TokenService

PATH = "/api/v1/auth/logout"


@dataclass(frozen=True, slots=True)
class AppLogout:
    """Ends the session that the token comes from, with all that hangs on it, and the token's own family."""

    own: OwnTokens
    sessions: Sessions
    tokens: TokenService

    def mount(self, router: Router) -> None:
        router.add_post(PATH, with_problems(self.post))

    async def post(self, request: web.BaseRequest) -> Answer:
        owner, origin = await self.own.signed_in_user(request), request[NOTES].origin
        subject = owner.user.subject
        # The session first: where that fails the token still works, and the app can ask again.
        session = await self.sessions.store.get(owner.token.session) if owner.token.session else None
        if session is not None and session.subject == subject:
            await self.sessions.end(session, "signed out by an app", subject, origin)
        if owner.family is not None:
            await self.tokens.revoke_family(owner.family, subject, origin)
        else:
            await self.tokens.revoke_access_token(owner.token, subject, origin)
        return Answer(status=204, lines=NO_STORE)
