"""Where an OpenID issuer has its endpoints (OpenID Connect Discovery 1.0 §4), asked once an hour."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from authcenter.core.clock import Clock
from authcenter.core.errors import OAuthError
from authcenter.federation.calls import ProviderCalls
from authcenter.federation.refusals import nonsense, unavailable

FRESH_SECONDS = 3_600.0
STALE_SECONDS = 86_400.0
"""How long a document is used while its issuer does not answer."""

COOL_DOWN_SECONDS = 10.0
"""How long a failure causes no further request."""

_PATH = "/.well-known/openid-configuration"
_BASIC, _POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, slots=True)
class IssuerMetadata:
    """What is used of an issuer's document.

    Attributes:
        secret_in_form: Whether the client secret has to go with the form (``client_secret_post``).
        names_itself: Whether its answers always say who gives them (RFC 9207 §3).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    secret_in_form: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """What is known of an issuer, from when, and what came of asking last."""

    metadata: IssuerMetadata | None
    learned_at: float
    problem: OAuthError | None
    asked_at: float

    @property
    def rests(self) -> float:
        """Seconds until it is asked again."""
        return FRESH_SECONDS if self.problem is None else COOL_DOWN_SECONDS


@dataclass(slots=True)
class IssuerDiscovery:
    """Finds issuers' metadata; one request at a time for each."""

    calls: ProviderCalls
    clock: Clock
    held: dict[str, _Held] = field(default_factory=dict)
    flights: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def find(self, issuer: str) -> IssuerMetadata:
        """Its metadata; while it does not answer, that of up to a day ago.

        Raises:
            OAuthError: There is none that can be used.
        """
        held = self.held.get(issuer)
        if held is None or self.clock.seconds() - held.asked_at >= held.rests:
            flight = self.flights.get(issuer)
            if flight is None:
                flight = self.flights[issuer] = asyncio.create_task(self._learn(issuer, held))
            # Shielded: who gives up waiting does not end the flight of the others.
            await asyncio.shield(flight)
            held = self.held[issuer]
        if held.metadata is not None and self.clock.seconds() - held.learned_at < STALE_SECONDS:
            return held.metadata
        raise _again(held.problem) if held.problem else unavailable(f"{issuer!a:.200} has never answered")

    async def _learn(self, issuer: str, before: _Held | None) -> None:
        now = self.clock.seconds()
        try:
            self.held[issuer] = _Held(await self._read(issuer), now, None, now)
        except OAuthError as problem:
            known, since = (before.metadata, before.learned_at) if before is not None else (None, now)
            self.held[issuer] = _Held(known, since, problem, now)
        finally:
            del self.flights[issuer]

    async def _read(self, issuer: str) -> IssuerMetadata:
        document = await self.calls.document(issuer.removesuffix("/") + _PATH)
        # OpenID Connect Discovery 1.0 §4.3: exactly the issuer that was asked.
        if document.get("issuer") != issuer:
            raise nonsense(f"the document of {issuer!a:.200} is of {document.get('issuer')!a:.200}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            self._check(name, document.get(name))
        if document.get("userinfo_endpoint") is not None:
            self._check("userinfo_endpoint", document["userinfo_endpoint"])
        return _metadata(document)

    def _check(self, name: str, url: object) -> None:
        if not self.calls.permits(url):
            raise nonsense(f"{name} is {url!a:.200}: not https")


def _metadata(document: dict[str, Any]) -> IssuerMetadata:
    methods = document.get("token_endpoint_auth_methods_supported")
    return IssuerMetadata(
        issuer=document["issuer"],
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
        jwks_uri=document["jwks_uri"],
        userinfo_endpoint=document.get("userinfo_endpoint"),
        secret_in_form=isinstance(methods, list) and _BASIC not in methods and _POST in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _again(problem: OAuthError) -> OAuthError:
    """Another one like it: an exception that is raised twice keeps the traceback of both, and all that hangs on it."""
    return OAuthError(problem.code, problem.description, rule=problem.rule, hint=problem.hint, status=problem.status)
