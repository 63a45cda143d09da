"""The service behind its proxy, with clients and a person."""

from dataclasses import dataclass
from pathlib import Path

from authcenter.core.client import AuthMethod, Profile
from authcenter.core.relying_party import RelyingParty
from authcenter.core.user import User
from tests.integration.conformance.browser import Browser, Callback
from tests.integration.conformance.person import Person
from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

REDIRECT_URI = "https://app.example/callback"
OUT = "https://app.example/signed-out"
NATIVE_URI = "http://127.0.0.1:8400/callback"
SCOPE = "openid email offline_access"


@dataclass(frozen=True, slots=True)
class BehindTls:
    """Attributes:
    certificate: What clients must trust.
    confidential: A client of the profile ``oidc``; ``public``: one of ``oauth21`` without a secret.
    """

    service: Service
    certificate: Path
    confidential: Credentials
    public: Credentials
    user: User

    @classmethod
    def furnished(cls, service: Service, certificate: Path) -> "BehindTls":
        operator, grants, scopes = service.operator, ("authorization_code", "refresh_token"), SCOPE.split()
        confidential = operator.client(
            "app",
            *grants,
            scopes=scopes,
            redirect_uris=[REDIRECT_URI],
            profile=Profile.OIDC,
            relying_party=RelyingParty(post_logout_redirect_uris=(OUT,)),
        )
        public = operator.client(
            "native", *grants, scopes=scopes, redirect_uris=[NATIVE_URI], auth_methods=frozenset({AuthMethod.NONE})
        )
        user = operator.user("ada")
        service.api.secrets |= {PASSWORD, str(confidential.secret)}
        return cls(service, certificate, confidential, public, user)

    @property
    def issuer(self) -> str:
        return self.service.api.issuer

    def browser(self) -> Browser:
        return Browser(self.issuer, verify=str(self.certificate))

    def arrive(self, browser: Browser, url: str) -> str:
        """The person follows ``url`` and answers every page: the address at which the client is called."""
        callback = Person(browser, self.user.username, PASSWORD).visit(url)
        assert isinstance(callback, Callback)
        return callback.uri
