"""Any OpenID issuer, by discovery (OpenID Connect Core §3.1), with PKCE (RFC 7636) and its own name (RFC 9207)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authcenter.core.clock import Clock
from authcenter.core.errors import TokenRejected
from authcenter.core.identity import ExternalIdentity
from authcenter.core.secret import Secret
from authcenter.federation.calls import ProviderCalls
from authcenter.federation.discovery import IssuerDiscovery, IssuerMetadata
from authcenter.federation.id_token import Expected, PublishedKeys, read_id_token
from authcenter.federation.provider import Answered, Attempt, IdentityProvider, settle
from authcenter.federation.refusals import bad_id_token, mixed_up, nonsense, refused_there
from authcenter.jose.strict_json import parse_object
from authcenter.proofs.pkce import METHOD, challenge_of
from authcenter.sdk.basic_auth import basic_authorization

SCOPES = ("openid", "email", "profile")
_LONGEST = 255
_LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class Habits:
    """In what an issuer differs from the specification, or goes beyond it.

    Attributes:
        also_called: What its ID tokens may have as ``iss`` beside its issuer.
        afresh: The ``prompt`` that has people prove anew who they are.
        vouches: Whether an address that it calls verified is the person's still.
    """

    also_called: frozenset[str] = frozenset()
    afresh: str = "login"
    vouches: Callable[[Mapping[str, Any]], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class OpenIdParts:
    """What all OpenID providers share.

    Attributes:
        leeway: Seconds that clocks may differ by.
        count_rejected: Told the reason of each ID token that is not believed, for the metrics.
    """

    calls: ProviderCalls
    discovery: IssuerDiscovery
    keys: PublishedKeys
    clock: Clock
    leeway: Callable[[], float]
    count_rejected: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OpenIdProvider(IdentityProvider):
    """One issuer.

    Attributes:
        name: Our name of it.
        secret: None: a public client.
        believed: Whether the addresses that it calls verified count as verified.
    """

    name: str
    issuer: str
    client_id: str
    secret: Secret | None
    scopes: tuple[str, ...]
    parts: OpenIdParts
    habits: Habits = Habits()
    believed: bool = True

    async def address(self, attempt: Attempt) -> str:
        metadata = await self.parts.discovery.find(self.issuer)
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self.scopes))),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": METHOD,
        }
        if attempt.login_hint:
            asked["login_hint"] = attempt.login_hint
        if attempt.afresh:
            asked["prompt"] = self.habits.afresh
        endpoint = metadata.authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def identify(self, attempt: Attempt, answered: Answered) -> ExternalIdentity:
        metadata = await self.parts.discovery.find(self.issuer)
        if answered.issuer not in {None, metadata.issuer}:
            raise mixed_up(f"iss is {answered.issuer!a:.200}, asked was {self.name}")
        if answered.issuer is None and metadata.names_itself:
            raise mixed_up(f"no iss, and {self.name} says that it always sends it")
        code = settle(answered, refused_there(answered.error or ""), nonsense("neither code nor error came back"))
        tokens = await self._redeem(code, attempt, metadata)
        claims = await self._claims(tokens, attempt, metadata)
        return self._identity(claims)

    async def _redeem(self, code: str, attempt: Attempt, metadata: IssuerMetadata) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        authorization = None
        if self.secret is None or metadata.secret_in_form:
            form["client_id"] = self.client_id
        if self.secret is not None and metadata.secret_in_form:
            form["client_secret"] = self.secret.reveal()
        elif self.secret is not None:
            authorization = basic_authorization(self.client_id, self.secret)
        return await self.parts.calls.redeem(metadata.token_endpoint, form, authorization)

    async def _claims(self, tokens: Mapping[str, Any], attempt: Attempt, metadata: IssuerMetadata) -> Mapping[str, Any]:
        expected = Expected(
            issuers=self.habits.also_called | {metadata.issuer},
            client_id=self.client_id,
            nonce=attempt.nonce,
            now=self.parts.clock.seconds(),
            leeway=self.parts.leeway(),
            since=attempt.began_at if attempt.afresh else None,
        )
        try:
            claims = await read_id_token(tokens.get("id_token"), self.parts.keys, metadata.jwks_uri, expected)
        except TokenRejected as rejected:
            self.parts.count_rejected(rejected.reason)
            raise bad_id_token(f"{self.name}: {rejected.hint}") from rejected
        if "email" in claims or metadata.userinfo_endpoint is None:
            return claims
        told = await self._user_info(metadata.userinfo_endpoint, Secret(tokens["access_token"]))
        # OpenID Connect Core §5.3.2: nothing else says that both are about the same person.
        if told.get("sub") != claims["sub"]:
            raise nonsense(f"{self.name}: its UserInfo is about somebody else")
        return {**told, **claims}

    async def _user_info(self, url: str, access_token: Secret) -> Mapping[str, Any]:
        try:
            return parse_object(await self.parts.calls.own(url, access_token))
        except ValueError as problem:
            raise nonsense(f"{url!a:.200}: {problem!s:.80}") from problem

    def _identity(self, claims: Mapping[str, Any]) -> ExternalIdentity:
        # Some say "true" for true; whatever else stands there is not the claim that OpenID Connect Core §5.1 means.
        verified = claims.get("email_verified") is True or claims.get("email_verified") == "true"
        return ExternalIdentity(
            provider=self.name,
            provider_subject=claims["sub"],
            email=short_text(claims.get("email"), _LONGEST_ADDRESS),
            email_verified=verified and self.believed and self.habits.vouches(claims),
            name=short_text(claims.get("name")),
            username=short_text(claims.get("preferred_username") or claims.get("nickname")),
            picture=short_text(claims.get("picture"), 1_000),
        )


def short_text(value: object, most: int = _LONGEST) -> str:
    """What a provider tells, where it is text that can be kept; else nothing."""
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""
