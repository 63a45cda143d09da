"""``id_token_hint``: an ID token of ours, given back (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature

from authcenter.core.client import Client
from authcenter.core.errors import OAuthError, invalid_request
from authcenter.core.rules import Rule
from authcenter.jose.jws import MalformedJws, split
from authcenter.keys.source import LiveKeyRing


@dataclass(frozen=True, slots=True)
class IdTokenHints:
    """Reads hints. How old one is does not matter, nor whether its key is still published: it only has to be ours."""

    keys: LiveKeyRing
    issuer: str

    def subject(self, hint: str | None, client: Client) -> str | None:
        """The ``sub`` that the client means; None where it sent no hint.

        Raises:
            OAuthError: Not an ID token of ours for this client.
        """
        if hint is None:
            return None
        claims = self.read(hint)
        if claims["aud"] != client.client_id:
            raise _refused(f"aud is {claims['aud']!a:.200}")
        return str(claims["sub"])

    def read(self, hint: str) -> Mapping[str, Any]:
        """Its claims, of which ``sub`` and ``aud`` are text. Raises ``OAuthError``: not an ID token of ours."""
        try:
            jws = split(hint)
            claims = jws.claims()
        except MalformedJws as problem:
            raise _refused(str(problem)) from problem
        key = self.keys.ring.keys.get(str(jws.header.get("kid")))
        if jws.header.get("typ", "JWT") != "JWT" or key is None or jws.header.get("alg") != key.alg:
            raise _refused(f"header {sorted(jws.header)!a:.80}")
        if key.revoked_at is not None:
            raise _refused(f"signed by the revoked key {key.kid}")
        try:
            key.verify(jws.signature, jws.signing_input)
        except InvalidSignature as problem:
            raise _refused(f"signature by {key.kid}") from problem
        if claims.get("iss") != self.issuer or not all(isinstance(claims.get(name), str) for name in ("sub", "aud")):
            raise _refused(f"iss is {claims.get('iss')!a:.200}")
        return claims


def _refused(hint: str) -> OAuthError:
    return invalid_request(Rule.ID_TOKEN_HINT, "The id_token_hint is not an ID token of this server.", hint)
