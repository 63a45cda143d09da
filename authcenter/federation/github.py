"""GitHub: OAuth 2.0 (RFC 6749, with PKCE), and who somebody is by its REST API: ``/user`` and ``/user/emails``."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authcenter.core.identity import ExternalIdentity
from authcenter.core.secret import Secret
from authcenter.federation.calls import ProviderCalls
from authcenter.federation.openid import short_text
from authcenter.federation.provider import Answered, Attempt, IdentityProvider, settle
from authcenter.federation.refusals import mixed_up, nonsense, refused_there
from authcenter.jose.strict_json import parse_object
from authcenter.proofs.pkce import METHOD, challenge_of

ISSUER = "https://github.com"
SCOPES = ("read:user", "user:email")
_MOST_ADDRESSES = 200


@dataclass(frozen=True, slots=True)
class GitHubProvider(IdentityProvider):
    """GitHub itself, or a server of one's own that runs it.

    Attributes:
        name: Our name of it.
        site: Where people sign in; the API of another one than github.com is below it.
        believed: Whether the addresses that it calls verified count as verified.
    """

    name: str
    client_id: str
    secret: Secret | None
    calls: ProviderCalls
    scopes: tuple[str, ...] = SCOPES
    site: str = ISSUER
    believed: bool = True

    async def address(self, attempt: Attempt) -> str:
        asked = {
            "client_id": self.client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": " ".join(self.scopes),
            "state": attempt.state,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": METHOD,
        }
        if attempt.afresh:
            asked["prompt"] = "select_account"
        url = f"{self._login}/authorize"
        if not self.calls.permits(url):
            raise nonsense(f"{url!a:.200} is not https")
        return f"{url}?{urlencode(asked)}"

    async def identify(self, attempt: Attempt, answered: Answered) -> ExternalIdentity:
        if answered.issuer not in {None, self._login}:
            raise mixed_up(f"iss is {answered.issuer!a:.200}, asked was {self.name}")
        code = settle(answered, refused_there(answered.error or ""), nonsense("neither code nor error came back"))
        form = {
            "client_id": self.client_id,
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        if self.secret is not None:
            form["client_secret"] = self.secret.reveal()
        tokens = await self.calls.redeem(f"{self._login}/access_token", form, None)
        access_token = Secret(tokens["access_token"])
        user = await self._user(access_token)
        email, verified = await self._address(access_token)
        return ExternalIdentity(
            provider=self.name,
            # The number: a login can be given up, and taken by somebody else.
            provider_subject=str(user["id"]),
            email=email,
            email_verified=verified and self.believed,
            name=short_text(user.get("name")),
            username=short_text(user.get("login")),
            picture=short_text(user.get("avatar_url"), 1_000),
        )

    async def _user(self, access_token: Secret) -> dict[str, Any]:
        url = f"{self._api}/user"
        try:
            user = parse_object(await self.calls.own(url, access_token))
        except ValueError as problem:
            raise nonsense(f"{url!a:.200}: {problem!s:.80}") from problem
        if not isinstance(user.get("id"), int) or isinstance(user["id"], bool) or user["id"] <= 0:
            raise nonsense(f"{url!a:.200}: id is no number")
        return user

    async def _address(self, access_token: Secret) -> tuple[str, bool]:
        """The primary address, and whether it is verified. The one in ``/user`` is what somebody chose to show."""
        url = f"{self._api}/user/emails"
        try:
            entries = json.loads((await self.calls.own(url, access_token)).decode())
        except (ValueError, RecursionError) as problem:
            raise nonsense(f"{url!a:.200}: not JSON") from problem
        if not isinstance(entries, list):
            raise nonsense(f"{url!a:.200}: not a list")
        for entry in entries[:_MOST_ADDRESSES]:
            if isinstance(entry, dict) and entry.get("primary") is True:
                return short_text(entry.get("email"), 320), entry.get("verified") is True
        return "", False

    @property
    def _login(self) -> str:
        return f"{self.site}/login/oauth"

    @property
    def _api(self) -> str:
        return "https://api.github.com" if self.site == ISSUER else f"{self.site}/api/v3"
