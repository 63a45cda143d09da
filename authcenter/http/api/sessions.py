"""``/api/v1/auth/sessions``: a person's sessions as JSON, for first-party apps. The twin of ``/account/sessions``."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from authcenter.accounts.devices_in_words import device_in_words
from authcenter.accounts.own_sessions import OwnSessions
from authcenter.core.errors import NotFound
from authcenter.core.session import Session
from authcenter.core.wire_json import encode
from authcenter.http.api.own_token import OwnTokens
from authcenter.http.context import NOTES
from authcenter.http.problems import with_problems
from authcenter.http.responses import NO_STORE, Answer, no_store
from authcenter.http.router import Router
from authcenter.tokens.token_owners import TokenOwner

PATH = "/api/v1/auth/sessions"


@dataclass(frozen=True, slots=True)
class SessionsApi:
    """``GET``: all; ``DELETE``: all but the token's own; ``DELETE …/{session_id}``: one, the token's own included."""

    tokens: OwnTokens
    sessions: OwnSessions

    def mount(self, router: Router) -> None:
        router.add_get(PATH, with_problems(self.get))
        router.add_delete(PATH, with_problems(self.delete_others))
        router.add_subtree(f"{PATH}/{{session_id}}", with_problems(self.delete), "DELETE")

    async def get(self, request: web.BaseRequest) -> Answer:
        owner = await self.tokens.signed_in_user(request)
        current = _current(owner)
        held = await self.sessions.list_of(owner.user.subject)
        return no_store(encode({"sessions": [_document(session, current) for session in held]}))

    async def delete_others(self, request: web.BaseRequest) -> Answer:
        owner = await self.tokens.signed_in_user(request)
        ended = await self.sessions.end_others(owner.user.subject, _current(owner), request[NOTES].origin)
        return no_store(encode({"ended": ended}))

    async def delete(self, request: web.BaseRequest) -> Answer:
        owner = await self.tokens.signed_in_user(request)
        session_id = request.path.removeprefix(f"{PATH}/")
        if not await self.sessions.end(owner.user.subject, session_id, request[NOTES].origin):
            raise NotFound("There is no such session.")
        return Answer(status=204, lines=NO_STORE)


def _current(owner: TokenOwner) -> str:
    """The session that the token belongs to; empty: none, as with the password grant."""
    return owner.token.session


def _document(session: Session, current: str) -> dict[str, Any]:
    device = device_in_words(session.user_agent)
    return {
        "id": session.session_id,
        "current": session.session_id == current,
        "browser": device.browser,
        "system": device.system,
        "ip": session.ip,
        "signed_in_at": session.auth_time.isoformat(),
        "last_active_at": session.last_active_at.isoformat(timespec="seconds"),
        "expires_at": session.expires_at.isoformat(timespec="seconds"),
        "acr": session.acr,
        "amr": list(session.amr),
    }
