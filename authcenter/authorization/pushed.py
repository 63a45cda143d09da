"""Pushed authorization requests (RFC 9126): kept under a reference that only their client can use, for a minute."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from authcenter.authorization.parameters import NAMES
from authcenter.core.authorization import PushedRequest
from authcenter.core.checks import failed
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.digest import Digest
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.stores.ports.codes import PushedRequestStore

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = timedelta(seconds=60)
_BYTES = 32
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class PushedRequests:
    """Keeps requests and finds them."""

    store: PushedRequestStore
    clock: Clock

    async def keep(self, form: Form, client: Client) -> str:
        """Keep what has been checked; the answer is its ``request_uri``, of 256 random bits.

        Raises:
            StoreUnavailable: Nothing was kept.
        """
        request_uri = PREFIX + secrets.token_urlsafe(_BYTES)
        # By name: the form also holds what the client proved itself with.
        values = {name: value for name, value in form.values.items() if name in NAMES}
        expires_at = self.clock.now() + LIFETIME
        await self.store.add(
            PushedRequest(_digest(request_uri), client.client_id, values, tuple(form.resources), expires_at)
        )
        return request_uri

    async def find(self, request_uri: str, client: Client) -> PushedRequest:
        """What ``client`` pushed. Finding it does not spend it: the code that answers it does.

        Raises:
            OAuthError: ``invalid_request_uri``: nobody pushed it, or another client did.
            StoreUnavailable: Cannot tell.
        """
        pushed = await self.store.find(_digest(request_uri)) if _FORM.fullmatch(request_uri) else None
        if pushed is None:
            failed("pushed_request", known=False)
            raise _refused(Rule.REQUEST_URI_UNKNOWN, f"{client.client_id} sent {request_uri[: len(PREFIX) + 6]!a}…")
        if pushed.client_id != client.client_id:
            failed("pushed_request", expected=pushed.client_id, came=client.client_id)
            raise _refused(Rule.REQUEST_URI_FOREIGN, f"{client.client_id} sent what {pushed.client_id} pushed")
        return pushed

    def staleness(self, pushed: PushedRequest) -> OAuthError | None:
        """Why it may not be used any more, for its client to be told; None: it may."""
        if pushed.spent_at is not None:
            failed("pushed_request", spent_at=str(pushed.spent_at))
            return _refused(Rule.REQUEST_URI_SPENT, f"{pushed.client_id}, at {pushed.spent_at}")
        if pushed.expires_at <= (now := self.clock.now()):
            late = int((now - pushed.expires_at).total_seconds())
            failed("pushed_request", late_seconds=late, expired_at=str(pushed.expires_at), clock=str(now))
            return _refused(Rule.REQUEST_URI_EXPIRED, f"{pushed.client_id}, at {pushed.expires_at}")
        return None


def _digest(request_uri: str) -> Digest:
    return Digest(hashlib.sha256(request_uri.encode()).digest())


def _refused(rule: Rule, hint: str) -> OAuthError:
    """One wording for every cause: what another client pushed is nobody's business."""
    return OAuthError(ErrorCode.INVALID_REQUEST_URI, "The request_uri is not valid.", rule=rule, hint=hint)
