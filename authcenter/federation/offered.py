"""The providers that the policy names now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.federation import github, google, openid
from authcenter.federation.github import GitHubProvider
from authcenter.federation.openid import Habits, OpenIdParts, OpenIdProvider
from authcenter.federation.provider import IdentityProvider
from authcenter.settings.policy_sections import IdentityProviderPolicy

_NAMES = {"google": "Google", "github": "GitHub"}


@dataclass(frozen=True, slots=True)
class Offered:
    """A provider as people and the accounts know it.

    Attributes:
        name: Ours, in paths and at rest.
        title: What people call it.
        opens_accounts: Whether a stranger who comes from it gets an account.
    """

    name: str
    title: str
    opens_accounts: bool


@dataclass(frozen=True, slots=True)
class IdentityProviders:
    """Makes providers of the policy in force.

    Attributes:
        policy: The section, asked each time; ``signup``: whether people may open accounts themselves.
        secrets: Client secrets by our name of the provider.
    """

    policy: Callable[[], Mapping[str, IdentityProviderPolicy]]
    signup: Callable[[], bool]
    secrets: Mapping[str, Secret]
    parts: OpenIdParts

    def offered(self) -> Sequence[Offered]:
        """All of them, in the order of their buttons."""
        return [self._offered(name, each) for name, each in self.policy().items()]

    def about(self, name: str) -> Offered:
        """One of them. Raises ``OAuthError``: there is none of that name."""
        return self._offered(name, self._named(name))

    def find(self, name: str) -> IdentityProvider:
        """One of them, to talk to. Raises ``OAuthError``: there is none of that name."""
        chosen = self._named(name)
        secret = self.secrets.get(name)
        if chosen.kind == "github":
            return GitHubProvider(
                name=name,
                client_id=chosen.client_id,
                secret=secret,
                calls=self.parts.calls,
                scopes=chosen.scopes or github.SCOPES,
                site=chosen.issuer.removesuffix("/") or github.ISSUER,
                believed=chosen.trust_addresses,
            )
        issuer = chosen.issuer or google.ISSUER
        habits = google.google_habits(issuer) if chosen.kind == "google" else Habits()
        return OpenIdProvider(
            name=name,
            issuer=issuer,
            client_id=chosen.client_id,
            secret=secret,
            scopes=chosen.scopes or openid.SCOPES,
            parts=self.parts,
            habits=habits,
            believed=chosen.trust_addresses,
        )

    def _named(self, name: str) -> IdentityProviderPolicy:
        chosen = self.policy().get(name)
        if chosen is None:
            hint = f"no identity provider {name!a:.80} in the policy"
            raise OAuthError(ErrorCode.NOT_FOUND, _UNKNOWN, rule=Rule.PROVIDER_UNKNOWN, hint=hint, status=404)
        return chosen

    def _offered(self, name: str, each: IdentityProviderPolicy) -> Offered:
        title = each.name or _NAMES.get(each.kind) or urlsplit(each.issuer).hostname or name
        opens = self.signup() if each.new_accounts == "as_signup" else each.new_accounts == "always"
        return Offered(name, title, opens)


_UNKNOWN = "There is no such identity provider here."
