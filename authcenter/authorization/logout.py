"""What a logout request may ask for, whether the person has to be asked, and what became of it.

What is wrong with a request is told to the person on a page: there is no answer to a client but the redirect, and that
goes only to a URI that the client has registered, letter by letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from authcenter.accounts.sessions import Sessions, SignedIn
from authcenter.authorization import parameters
from authcenter.authorization.hints import IdTokenHints
from authcenter.authorization.subjects import ClientSubjects
from authcenter.clients.origins import origin_of
from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.errors import invalid_request
from authcenter.core.form import Form
from authcenter.core.logout import LogoutRequest
from authcenter.core.marks import marked_uri
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.session import Session
from authcenter.stores.ports.clients import ClientLookup
from authcenter.stores.ports.sessions import SessionStore


@dataclass(frozen=True, slots=True)
class Logout:
    """Checks logout requests and carries them out."""

    hints: IdTokenHints
    subjects: ClientSubjects
    clients: ClientLookup
    sessions: Sessions
    store: SessionStore
    issuer: str

    async def check(self, form: Form) -> LogoutRequest:
        """Read the parameters.

        Raises:
            OAuthError: Tell the person.
            StoreUnavailable: Cannot tell.
        """
        hint, client_id = form.get("id_token_hint"), form.get("client_id")
        claims = self.hints.read(hint) if hint is not None else {}
        audience = claims.get("aud")
        if audience is not None and client_id not in {None, audience}:
            description = "The id_token_hint was not issued to this application."
            failed("client", expected=str(audience), came=client_id)
            raise invalid_request(Rule.LOGOUT_CLIENT, description, f"to {audience!a:.80}, sent by {client_id!a:.80}")
        client_id = audience or client_id
        uri = form.get("post_logout_redirect_uri")
        if uri is not None:
            await self._require_registered(uri, client_id)
        sid = claims.get("sid")
        return LogoutRequest(
            client_id=client_id,
            redirect_uri=uri,
            state=parameters.opaque(form, "state") if uri is not None else None,
            hinted_subject=claims.get("sub"),
            hinted_session=sid if isinstance(sid, str) else None,
            ui_locales=parameters.languages(form, "ui_locales"),
        )

    async def must_ask(self, request: LogoutRequest, signed_in: SignedIn) -> bool:
        """Whether anybody could have sent this person here: who signs out must want it, unless the client proves by a
        hint that it means the session of this very browser (RP-Initiated Logout §2, §6)."""
        if request.hinted_session is not None:
            return request.hinted_session != signed_in.session.session_id
        if request.hinted_subject is None:
            return True
        client = await self.clients.find(request.client_id or "")
        known_as = await self.subjects.known_as(signed_in.user.subject, client) if client else None
        return request.hinted_subject != (known_as or signed_in.user.subject)

    async def end(self, session: Session, origin: RequestOrigin) -> Sequence[str]:
        """End a session; what the browser must load so that clients hear of it there (Front-Channel Logout 1.0 §3).

        Raises:
            StoreUnavailable: It goes on.
        """
        await self.sessions.end(session, "logged out", session.subject, origin)
        told = [await self.clients.find(client_id) for client_id in await self.store.clients_of(session.session_id)]
        return [self._frame(client, session) for client in told if client is not None and _has_frame(client)]

    async def _require_registered(self, uri: str, client_id: str | None) -> None:
        client = await self.clients.find(client_id) if client_id is not None else None
        if client is None or client.disabled_at is not None:
            description = "The application that wants you back is not known here."
            failed("client", client_id=client_id, known=client is not None)
            raise invalid_request(Rule.LOGOUT_CLIENT, description, f"client {client_id!a:.80}")
        registered = client.relying_party.post_logout_redirect_uris
        if uri not in registered:
            description = "The address to go to afterwards is not registered for this application."
            came = marked_uri(uri, registered)
            hint = f"{came!a:.300}; registered: {', '.join(registered)!a:.600}"
            failed("redirect_uri", came=came, registered=" ".join(registered))
            raise invalid_request(Rule.LOGOUT_URI, description, hint)

    def _frame(self, client: Client, session: Session) -> str:
        uri = client.relying_party.frontchannel_logout_uri
        return with_query(uri, {"iss": self.issuer, "sid": session.session_id})


def with_query(uri: str, members: dict[str, str]) -> str:
    """``uri`` with further members in its query; what it has stays as it is."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(members)}" if members else uri


def _has_frame(client: Client) -> bool:
    return origin_of(client.relying_party.frontchannel_logout_uri) is not None and client.disabled_at is None
