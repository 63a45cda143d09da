"""Tells clients that somebody has been signed out (OpenID Connect Back-Channel Logout 1.0 §2.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.authorization.subjects import ClientSubjects
from authcenter.stores.ports.clients import ClientLookup
from authcenter.stores.ports.remote import FetchFailed, FormPosting
from authcenter.tokens.logout_tokens import LogoutTokens
from authcenter.workers.errands import ErrandFailed, Pointless

_UNDERSTOOD = range(200, 300)


@dataclass(frozen=True, slots=True)
class BackChannelLogout:
    """Makes a logout token anew for each try, so that none is old when it arrives, and posts it to the client."""

    clients: ClientLookup
    subjects: ClientSubjects
    tokens: LogoutTokens
    poster: FormPosting

    async def act(self, payload: Mapping[str, Any]) -> None:
        """Tell one client of one session.

        Raises:
            Pointless: The client has gone, or does not want to be told any more.
            ErrandFailed: It was not told.
            StoreUnavailable: Cannot tell.
        """
        client = await self.clients.find(payload["client_id"])
        uri = client.relying_party.backchannel_logout_uri if client else ""
        if client is None or client.disabled_at is not None or not uri:
            raise Pointless("the client is not to be told any more")
        sub = await self.subjects.known_as(payload["subject"], client) or payload["subject"]
        token = self.tokens.make(client, sub=sub, sid=payload["sid"])
        try:
            status = await self.poster.post(uri, {"logout_token": token})
        except FetchFailed as failure:
            raise ErrandFailed(str(failure)) from failure
        if status not in _UNDERSTOOD:
            raise ErrandFailed(f"status {status}")
