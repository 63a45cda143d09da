"""Checking access tokens where they arrive: every mandatory check, every time (RFC 9068 §4, RFC 8725, RFC 6750 §3.1).

A token seen before costs a dictionary look-up and three comparisons. Only tokens that held are remembered, keyed by
the whole token; nothing that is remembered outlives its ``exp``, the key set or the revocations it was checked against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.core.clock import Clock, SystemClock
from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.jose import access_token
from authcenter.sdk.key_cache import KeySource
from authcenter.sdk.observer import Observer, Unobserved
from authcenter.sdk.revocation import NoRevocations, RevocationView
from authcenter.sdk.verification import InsufficientScope, KeysUnavailable, TokenVerification

LEEWAY_SECONDS = 30
_LONGEST_LEEWAY = 300
_REMEMBERED = 10_000
_MOST_LOOKS = 3  # one flight that was under way already, one of our own, and one more for who joined late
_NOTHING_PROVEN: Mapping[str, str] = {}


@dataclass(slots=True)
class _Seen:
    """A token that held, for what, and against which versions."""

    token: AccessToken
    scopes: frozenset[str]
    bound: bool
    dies_at: float
    keys: int
    revocations: object


class TokenVerifier(TokenVerification):
    """Checks one issuer's access tokens for one resource server."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: KeySource,
        *,
        revocations: RevocationView | None = None,
        observer: Observer | None = None,
        clock: Clock | None = None,
        leeway: int = LEEWAY_SECONDS,
        remembered: int = _REMEMBERED,
    ) -> None:
        """Args:
            issuer: As the tokens' ``iss`` says it, to the letter.
            audience: This resource server's own identifier; a token must name it in ``aud``, to the letter.
            revocations: What is known to be revoked; without one, a token lives until it expires.
            leeway: Seconds of clock skew accepted in ``exp``, ``nbf`` and ``iat``, at most 300.
            remembered: How many tokens are remembered.

        Raises:
            ValueError: One of them would accept what it must not.
        """
        if not _is_text(issuer):
            raise ValueError(f"issuer must be a string that is not empty, not {issuer!r:.80}")
        if not _is_text(audience):
            raise ValueError(f"audience must be this resource server's own identifier, a string, not {audience!r:.80}")
        if type(leeway) is not int or not 0 <= leeway <= _LONGEST_LEEWAY:
            raise ValueError(f"leeway must be from 0 to {_LONGEST_LEEWAY} seconds, not {leeway!r:.80}")
        if remembered < 1:
            raise ValueError(f"remembered must be 1 or more, not {remembered}")
        self._issuer, self._audience, self._keys = issuer, audience, keys
        self._revocations = NoRevocations() if revocations is None else revocations
        self._observer = Unobserved() if observer is None else observer
        self._clock = SystemClock() if clock is None else clock
        self._leeway, self._remembered = leeway, remembered
        self._seen: dict[str, _Seen] = {}

    @property
    def issuer(self) -> str:
        return self._issuer

    @property
    def audience(self) -> str:
        return self._audience

    async def verify(self, token: str, *scopes: str, confirmed: Mapping[str, str] = _NOTHING_PROVEN) -> AccessToken:
        """As ``check``; where the token names a key that is not known yet, the keys are looked for first.

        Raises:
            TokenRejected, InsufficientScope, RevocationsUnknown: As of ``check``.
            KeysUnavailable: The authorization server has never told its keys, and does not now.
        """
        for _ in range(_MOST_LOOKS):
            try:
                return self._checked(token, scopes, confirmed)
            except TokenRejected as rejected:
                if rejected.reason is Reason.KID and await self._keys.learn():
                    continue
                self._observer.access_token_refused(rejected.reason)
                raise
            except KeysUnavailable:
                await self._keys.learn()
        return self.check(token, *scopes, confirmed=confirmed)

    def check(self, token: str, *scopes: str, confirmed: Mapping[str, str] = _NOTHING_PROVEN) -> AccessToken:
        """Verify ``token`` by what this process knows, without waiting for anything.

        Args:
            scopes: All of which it must have.
            confirmed: What the request has proven of its sender, by confirmation method (RFC 7800 §3.1): ``jkt``, the
                thumbprint of a DPoP proof's key (RFC 9449 §6.1), or ``x5t#S256``, that of a client certificate
                (RFC 8705 §3.1). The proof itself is the caller's to check. A bound token (``cnf``) holds only where
                each of its members is among these; one that is not bound holds whatever has been proven.

        Raises:
            TokenRejected: It must not be accepted; ``reason`` says which check refused it.
            InsufficientScope: It holds, but for less than this.
            RevocationsUnknown: The revocations cannot tell.
            KeysUnavailable: The authorization server has never told its keys.
        """
        try:
            return self._checked(token, scopes, confirmed)
        except TokenRejected as rejected:
            self._observer.access_token_refused(rejected.reason)
            raise

    def _checked(self, token: str, scopes: tuple[str, ...], confirmed: Mapping[str, str]) -> AccessToken:
        seen = self._seen.get(token)
        if seen is None or seen.keys != self._keys.version or self._clock.seconds() >= seen.dies_at:
            seen = self._first_sight(token)
        elif (version := self._revocations.version) is None or seen.revocations != version:
            self._check_revocation(seen)
        if seen.bound:
            _check_binding(seen.token, confirmed)
        if scopes and not seen.scopes.issuperset(scopes):
            raise InsufficientScope(scopes, tuple(scope for scope in scopes if scope not in seen.scopes))
        return seen.token

    def _first_sight(self, token: str) -> _Seen:
        # Read before the checks: what changes while they run makes them run again.
        keys = self._keys.version
        held = access_token.read_issued(token, self._issuer, self._keys.find)
        if self._audience not in held.audience:
            raise TokenRejected(Reason.AUDIENCE, Rule.TOKEN_AUDIENCE, f"for {' '.join(held.audience)!r:.200}")
        access_token.check_lifetime(held, self._clock.seconds(), self._leeway)
        seen = _Seen(held, held.scopes, "cnf" in held.claims, held.expires_at + self._leeway, keys, None)
        self._check_revocation(seen)
        self._remember(token, seen)
        return seen

    def _check_revocation(self, seen: _Seen) -> None:
        version = self._revocations.version
        if refusal := self._revocations.refusal(seen.token):
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, refusal)
        seen.revocations = version

    def _remember(self, token: str, seen: _Seen) -> None:
        if len(self._seen) >= self._remembered and token not in self._seen:
            # The oldest goes: dictionaries keep the order of insertion.
            del self._seen[next(iter(self._seen))]
        self._seen[token] = seen


def _check_binding(token: AccessToken, confirmed: Mapping[str, str]) -> None:
    bound_to: Any = token.claims["cnf"]
    if not isinstance(bound_to, dict) or not bound_to:
        raise TokenRejected(Reason.BINDING, Rule.TOKEN_BINDING, "cnf names no confirmation method")
    for method, expected in bound_to.items():
        if not isinstance(expected, str) or not expected or confirmed.get(method) != expected:
            raise TokenRejected(Reason.BINDING, Rule.TOKEN_BINDING, f"its sender has not proven {method!r:.40}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
