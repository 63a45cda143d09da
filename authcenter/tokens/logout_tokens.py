"""Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4): who has been signed out, for one client."""

from dataclasses import dataclass

from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.core.ids import new_jti
from authcenter.keys.source import LiveKeyRing
from authcenter.tokens.id_tokens import id_token_algorithm

LOGOUT_TOKEN_TYPE = "logout+jwt"  # noqa: S105 - a media type
EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LIFETIME_SECONDS = 120


@dataclass(frozen=True, slots=True)
class LogoutTokens:
    """Makes them."""

    issuer: str
    keys: LiveKeyRing
    clock: Clock

    def make(self, client: Client, *, sub: str, sid: str) -> str:
        """A token that tells ``client`` of the end of a session.

        Args:
            sub: As the client knows the person.

        Raises:
            StoreUnavailable: There is no key to sign with.
        """
        key = self.keys.ring.signer(id_token_algorithm(client))
        issued_at = int(self.clock.seconds())
        # Never a nonce: with one it could be taken for an ID token.
        claims = {
            "iss": self.issuer,
            "aud": client.client_id,
            "iat": issued_at,
            "exp": issued_at + _LIFETIME_SECONDS,
            "jti": new_jti(),
            "events": {EVENT: {}},
            "sub": sub,
            "sid": sid,
        }
        return key.jwt(claims, LOGOUT_TOKEN_TYPE)
