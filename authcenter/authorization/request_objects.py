"""Request objects by value (RFC 9101): an authorization request that its client signed.

Only what is signed counts. What does not hold is refused as a whole, for half a signed request protects nobody.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature

from authcenter.authorization.parameters import NAMES, is_storable, is_storable_text
from authcenter.core.checks import Fact, failed
from authcenter.core.client import Client, Profile
from authcenter.core.clock import Clock
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.jose.algorithms import Alg
from authcenter.jose.jws import CompactJws, MalformedJws, split

_LONGEST_SECONDS = 3_600
"""How long a request object may be valid, and how long ago that may have begun (FAPI 2.0 Message Signing §5.3.1)."""
_TYPES = frozenset({"jwt", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"})
_FAPI2_ALGORITHMS = frozenset({Alg.PS256, Alg.ES256, Alg.EDDSA})
_MOST_RESOURCES = 20


class VerifyingKey(Protocol):
    """A public key of a client, for one algorithm."""

    @property
    def alg(self) -> str: ...

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises ``cryptography.exceptions.InvalidSignature``."""
        ...


class ClientKeys(Protocol):
    """Finds the public keys of clients."""

    async def keys_of(self, client: Client, kid: str | None) -> Sequence[VerifyingKey]:
        """The client's keys of that name; all of them, where none is named.

        Raises:
            Unavailable: Cannot tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class RequestObjects:
    """Verifies and reads request objects.

    Attributes:
        leeway: Seconds that clocks may differ by.
    """

    keys: ClientKeys
    issuer: str
    clock: Clock
    leeway: Callable[[], int]

    async def read(self, written: str, client: Client) -> Form:
        """The parameters that ``client`` signed; ``client_id`` is not among them.

        Raises:
            OAuthError: ``invalid_request_object``.
            Unavailable: Cannot tell.
        """
        try:
            jws = split(written)
            alg = _algorithm(jws, client)
            await self._verify(jws, alg, client)
            claims = jws.claims()
        except MalformedJws as problem:
            raise _refused(Rule.REQUEST_OBJECT_MALFORMED, str(problem)) from problem
        self._check_parties(claims, client)
        self._check_time(claims, client)
        inside = claims.keys() & {"request", "request_uri"}
        if inside:
            raise _refused(Rule.REQUEST_OBJECT_PARAMETERS, f"{', '.join(sorted(inside))} inside")
        return _parameters(claims)

    async def _verify(self, jws: CompactJws, alg: str, client: Client) -> None:
        kid = jws.header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise MalformedJws("kid is no text")
        fitting = [key for key in await self.keys.keys_of(client, kid) if key.alg == alg]
        for key in fitting:
            try:
                key.verify(jws.signature, jws.signing_input)
            except InvalidSignature:
                continue
            return
        hint = f"kid {kid!a:.80}, {alg}: {len(fitting)} keys of {client.client_id} fit, none verifies"
        failed("request_object_signature", kid=_shown(kid), algorithm=alg, fitting_keys=len(fitting))
        raise _refused(Rule.REQUEST_OBJECT_SIGNATURE, hint)

    def _check_parties(self, claims: Mapping[str, Any], client: Client) -> None:
        """By and for whom: what says neither could have been signed for something else."""
        named = [claims[name] for name in ("iss", "client_id") if name in claims]
        if not named or any(name != client.client_id for name in named):
            failed("request_object_parties", expected=client.client_id, came=", ".join(map(_shown, named)))
            raise _refused(Rule.REQUEST_OBJECT_PARTIES, f"iss, client_id: {', '.join(map(_shown, named))}")
        # A client assertion has it so (RFC 9101 §10.8): it must not pass as a request.
        if claims.get("sub") == client.client_id:
            raise _refused(Rule.REQUEST_OBJECT_PARTIES, "sub is the client, as in a client assertion")
        audience = claims.get("aud")
        if self.issuer not in (audience if isinstance(audience, list) else [audience]):
            failed("request_object_parties", expected=self.issuer, came=_shown(audience))
            raise _refused(Rule.REQUEST_OBJECT_PARTIES, f"aud is {_shown(audience)}")

    def _check_time(self, claims: Mapping[str, Any], client: Client) -> None:
        instants = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        if any(isinstance(at, bool) or not isinstance(at, int | float) for at in instants.values()):
            raise _refused(Rule.REQUEST_OBJECT_MALFORMED, "exp, nbf or iat is no number")
        if client.profile is Profile.FAPI2 and not {"exp", "nbf"} <= instants.keys():
            failed("request_object_time", needed="exp nbf", came=" ".join(instants))
            raise _refused(Rule.REQUEST_OBJECT_TIME, f"fapi2 needs exp and nbf, there are: {', '.join(instants)}")
        now, leeway = self.clock.seconds(), self.leeway()
        expires, begins = instants.get("exp", now + 1), max(instants.get("nbf", now), instants.get("iat", now))
        if expires <= now - leeway or begins > now + leeway:
            failed("request_object_time", **_clocks(expires, begins, now, leeway))
            raise _refused(Rule.REQUEST_OBJECT_TIME, "expired, or not valid yet")
        # Compared, not subtracted: a number may be too large for arithmetic.
        if expires > now + _LONGEST_SECONDS + leeway or instants.get("nbf", now) < now - _LONGEST_SECONDS - leeway:
            failed("request_object_time", most_seconds=_LONGEST_SECONDS, clock=_told(now), expires_at=_told(expires))
            raise _refused(Rule.REQUEST_OBJECT_TIME, f"valid for longer than {_LONGEST_SECONDS} s")


def check_beside(beside: Form, signed: Form, client: Client) -> None:
    """Whether what came beside a request object says nothing else than the object (RFC 9101 §6.3 has it ignored).

    OpenID Connect clients must repeat ``scope`` in any form that holds ``openid`` (Core §6.1): theirs may differ.

    Raises:
        OAuthError: ``invalid_request_object``.
    """
    for name in sorted(NAMES):
        outside, inside = beside.get(name), signed.get(name)
        if outside is None or inside is None or outside == inside:
            continue
        if name != "scope" or client.profile is not Profile.OIDC:
            raise _refused(Rule.REQUEST_OBJECT_PARAMETERS, f"{name} differs beside the object")
    if beside.resources and signed.resources and set(beside.resources) != set(signed.resources):
        raise _refused(Rule.REQUEST_OBJECT_PARAMETERS, "resource differs beside the object")


def _algorithm(jws: CompactJws, client: Client) -> str:
    alg, registered = jws.header.get("alg"), client.relying_party.request_object_signing_alg
    allowed = _FAPI2_ALGORITHMS if client.profile is Profile.FAPI2 else frozenset(Alg)
    if not isinstance(alg, str) or alg not in allowed or (registered and alg != registered):
        failed("request_object_algorithm", came=_shown(alg), expected=registered or " ".join(sorted(allowed)))
        hint = f"alg is {_shown(alg)}, registered {registered or 'none'}, profile {client.profile}"
        raise _refused(Rule.REQUEST_OBJECT_ALGORITHM, hint)
    media_type = jws.header.get("typ", "JWT")
    if not isinstance(media_type, str) or media_type.lower() not in _TYPES:
        raise _refused(Rule.REQUEST_OBJECT_MALFORMED, f"typ is {_shown(media_type)}")
    return alg


def _parameters(claims: Mapping[str, Any]) -> Form:
    """Its parameters as a form would have them. What is no parameter says nothing."""
    values = {name: _text(name, claims[name]) for name in sorted(NAMES & claims.keys())}
    asked = claims.get("resource", [])
    resources = asked if isinstance(asked, list) else [asked]
    if len(resources) > _MOST_RESOURCES:
        raise _refused(Rule.REQUEST_OBJECT_MALFORMED, f"{len(resources)} resources")
    return Form(values, tuple(_text("resource", resource) for resource in resources))


def _text(name: str, value: object) -> str:
    if isinstance(value, str) and is_storable_text(value):
        return value
    if name == "max_age" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name == "claims" and isinstance(value, dict) and is_storable(value):
        return json.dumps(value)
    raise _refused(Rule.REQUEST_OBJECT_MALFORMED, f"{name} is of the wrong type or holds what cannot be stored")


def _clocks(expires: float, begins: float, now: float, leeway: int) -> dict[str, Fact]:
    """By how much it is too late, or too early. Numbers too large for arithmetic are told as they came."""
    facts: dict[str, Fact] = {"clock": _told(now), "leeway_seconds": leeway, "expired_at": _told(expires)}
    if begins > now + leeway:
        return {**facts, "begins_at": _told(begins), "early_seconds": _whole(begins, now)}
    return {**facts, "late_seconds": _whole(now, expires)}


def _whole(later: float, earlier: float) -> int | str:
    try:
        return int(later - earlier)
    except (ValueError, OverflowError):
        return "more than can be counted"


def _told(at: float) -> str:
    try:
        return str(datetime.fromtimestamp(at, UTC))
    except (ValueError, OverflowError, OSError):
        return f"{at!a:.40}"


def _shown(value: object) -> str:
    """A value for a hint. Not the text of just anything: what is nested deeply enough has none."""
    return f"{value!a:.200}" if isinstance(value, str) else type(value).__name__


def _refused(rule: Rule, hint: str) -> OAuthError:
    """One wording for every cause: the hint tells the operator."""
    return OAuthError(ErrorCode.INVALID_REQUEST_OBJECT, "The request object is not valid.", rule=rule, hint=hint)
