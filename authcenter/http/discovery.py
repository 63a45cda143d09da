"""Discovery (RFC 8414, OpenID Connect Discovery) and the JWK set (RFC 7517). Announces only what works."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from authcenter.core.client import AuthMethod
from authcenter.core.wire_json import encode
from authcenter.http.cors import public_preflight
from authcenter.http.device_authorization import PATH as DEVICE_AUTHORIZATION
from authcenter.http.introspect import PATH as INTROSPECT
from authcenter.http.logout import PATH as LOGOUT
from authcenter.http.metadata import authorization_metadata
from authcenter.http.register import PATH as REGISTER
from authcenter.http.responses import Answer
from authcenter.http.revoke import PATH as REVOKE
from authcenter.http.router import Router
from authcenter.http.token import PATH as TOKEN
from authcenter.jose.algorithms import Alg
from authcenter.keys.source import LiveKeyRing
from authcenter.settings.live import LivePolicy
from authcenter.tokens.status_claim import STATUS_LISTS_PATH

JWKS = "/.well-known/jwks.json"
_DOCUMENTS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@dataclass(frozen=True, slots=True)
class DiscoveryEndpoint:
    """Both discovery documents, which say the same.

    Attributes:
        languages: Those of the pages.
    """

    issuer: str
    grant_types: Sequence[str]
    keys: LiveKeyRing
    languages: Sequence[str]
    policy: LivePolicy

    def mount(self, router: Router) -> None:
        for path in _DOCUMENTS:
            router.add_get(path, self.get)
            router.add_options(path, public_preflight)

    async def get(self, request: web.BaseRequest) -> Answer:
        body = encode(self.metadata())
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return cacheable(request, body, etag, "application/json", self.policy.current.jwks.max_age)

    def metadata(self) -> dict[str, object]:
        methods = [method.value for method in AuthMethod]
        confidential = [method for method in methods if method != AuthMethod.NONE]
        metadata: dict[str, object] = {
            "issuer": self.issuer,
            "token_endpoint": f"{self.issuer}{TOKEN}",
            "introspection_endpoint": f"{self.issuer}{INTROSPECT}",
            "revocation_endpoint": f"{self.issuer}{REVOKE}",
            "device_authorization_endpoint": f"{self.issuer}{DEVICE_AUTHORIZATION}",
            "jwks_uri": f"{self.issuer}{JWKS}",
            "grant_types_supported": sorted(self.grant_types),
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_methods_supported": confidential,
            "introspection_signing_alg_values_supported": [alg.value for alg in Alg],
            **authorization_metadata(self.issuer, self.keys.ring.signing, self.languages),
            "end_session_endpoint": f"{self.issuer}{LOGOUT}",
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "frontchannel_logout_supported": True,
            "frontchannel_logout_session_supported": True,
            **self._registration(),
        }
        if self.policy.current.tokens.status_list:
            metadata["status_list_aggregation_endpoint"] = f"{self.issuer}{STATUS_LISTS_PATH}"
        return metadata

    def _registration(self) -> dict[str, object]:
        on = self.policy.current.registration.mode != "off"
        return {"registration_endpoint": f"{self.issuer}{REGISTER}"} if on else {}


@dataclass(frozen=True, slots=True)
class JwksEndpoint:
    """The public halves of all keys that sign, will sign, or have signed what is still alive."""

    keys: LiveKeyRing
    policy: LivePolicy

    def mount(self, router: Router) -> None:
        router.add_get(JWKS, self.get)
        router.add_options(JWKS, public_preflight)

    async def get(self, request: web.BaseRequest) -> Answer:
        ring = self.keys.ring
        return cacheable(request, ring.jwks, ring.etag, "application/jwk-set+json", self.policy.current.jwks.max_age)


def cacheable(request: web.BaseRequest, body: bytes, etag: str, content_type: str, max_age: int) -> Answer:
    """A document that anybody may read and keep for ``max_age`` seconds; 304 to who has it (RFC 9110 §13.1.2)."""
    headers = CIMultiDict(
        {"Cache-Control": f"public, max-age={max_age}", "ETag": etag, "Access-Control-Allow-Origin": "*"}
    )
    known = request.headers.get("If-None-Match", "")
    if known.strip() == "*" or etag in [one.strip().removeprefix("W/") for one in known.split(",")]:
        return Answer(status=304, headers=headers)
    headers["Content-Type"] = content_type
    return Answer(body, headers=headers)
