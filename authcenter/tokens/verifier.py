"""Reading access tokens: every mandatory check, every time, in one place (RFC 9068 §4, RFC 8725).

A token seen before costs a dictionary look-up and three comparisons: what is remembered is keyed by the whole token
and never outlives its ``exp``, the key ring or the revocations it was checked against.
"""

from collections.abc import Callable
from dataclasses import dataclass

from authcenter.core.checks import Fact, failed, passed
from authcenter.core.clock import Clock
from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.jose import access_token
from authcenter.keys.source import LiveKeyRing
from authcenter.tokens.revocation import Revocations

_REMEMBERED = 10_000


@dataclass(slots=True)
class _Seen:
    """A token that held, and the versions of ring and replica it held against."""

    token: AccessToken
    ring_version: int
    replica: object
    replica_version: int


class AccessTokenVerifier:
    """Verifies this issuer's access tokens."""

    def __init__(
        self, issuer: str, keys: LiveKeyRing, revocations: Revocations, clock: Clock, leeway: Callable[[], int]
    ) -> None:
        self._issuer, self._keys, self._revocations = issuer, keys, revocations
        self._clock, self._leeway = clock, leeway
        self._seen: dict[str, _Seen] = {}

    async def read(self, token: str) -> AccessToken:
        """Verify ``token``, looking at the key store once where it names a key this process does not know yet.

        Raises:
            TokenRejected: It must not be accepted.
            StoreUnavailable: Cannot tell.
            RevocationsUnknown: It may have been revoked; nothing of that has been loaded yet.
        """
        try:
            held = await self._with_fresh_keys(self.check, token)
        except TokenRejected as rejected:
            self._note(rejected)
            raise
        self._revocations.require_loaded()
        if self._revocations.asks_elsewhere and await self._revocations.known_elsewhere(held):
            _revocation_failed(held, "says Redis")
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, f"token {held.jti} was revoked, says Redis")
        passed("access_token", jti=held.jti, kid=held.kid, client_id=held.client_id)
        return held

    async def read_issued(self, token: str) -> AccessToken:
        """Verify only that this server issued ``token``: it may have expired or been revoked.

        Raises:
            TokenRejected: It did not.
            StoreUnavailable: Cannot tell.
        """
        return await self._with_fresh_keys(self._check_issued, token)

    def check(self, token: str) -> AccessToken:
        """Verify ``token`` by what this process knows. Audience, binding and freshness are the caller's part.

        Raises:
            TokenRejected: It must not be accepted.
        """
        seen = self._seen.get(token)
        replica = self._revocations.replica
        now = self._clock.seconds()
        if seen is not None and seen.ring_version == self._keys.version:
            held = seen.token
            if now < held.expires_at + self._leeway():
                if seen.replica_version == replica.version and seen.replica is replica:
                    return held
                self._check_revocation(held)
                seen.replica, seen.replica_version = replica, replica.version
                return held
        held = self._check_issued(token)
        access_token.check_lifetime(held, now, self._leeway())
        self._check_revocation(held)
        self._remember(token, _Seen(held, self._keys.version, replica, replica.version))
        return held

    async def _with_fresh_keys(self, check: Callable[[str], AccessToken], token: str) -> AccessToken:
        try:
            return check(token)
        except TokenRejected as rejected:
            if rejected.reason is not Reason.KID:
                raise
        await self._keys.reread_for_unknown_kid()
        return check(token)

    def _check_issued(self, token: str) -> AccessToken:
        return access_token.read_issued(token, self._issuer, self._keys.ring.verifying.get)

    def _check_revocation(self, token: AccessToken) -> None:
        if refusal := self._revocations.replica.refusal(token):
            _revocation_failed(token, refusal)
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, refusal)

    def _note(self, rejected: TokenRejected) -> None:
        facts: dict[str, Fact] = {"reason": rejected.reason, "hint": rejected.hint, "clock": str(self._clock.now())}
        if rejected.reason is Reason.KID:
            facts["live_keys"] = " ".join(self._keys.ring.verifying)
        failed("access_token", **facts)

    def _remember(self, token: str, seen: _Seen) -> None:
        if len(self._seen) >= _REMEMBERED:
            # The oldest goes: dictionaries keep the order of insertion.
            del self._seen[next(iter(self._seen))]
        self._seen[token] = seen


def _revocation_failed(token: AccessToken, refusal: str) -> None:
    failed(
        "revocation",
        jti=token.jti,
        family=token.family,
        client_id=token.client_id,
        subject=token.subject,
        session=token.session,
        kid=token.kid,
        refusal=refusal,
    )
