"""Answers as one signed parameter (JARM): nobody between us and the client can put another code into them."""

from collections.abc import Mapping
from dataclasses import dataclass

from authcenter.core.authorization import ResponseMode
from authcenter.core.client import Client
from authcenter.core.clock import Clock
from authcenter.keys.source import LiveKeyRing
from authcenter.tokens.id_tokens import id_token_algorithm

SIGNED_MODES = frozenset({ResponseMode.JWT, ResponseMode.QUERY_JWT, ResponseMode.FORM_POST_JWT})
_LIFETIME_SECONDS = 300


@dataclass(frozen=True, slots=True)
class SignedResponses:
    """Signs them."""

    keys: LiveKeyRing
    issuer: str
    clock: Clock

    def make(self, client: Client, members: Mapping[str, str]) -> str:
        """The ``response`` parameter: ``members``, for this client alone (JARM §2.1).

        Raises:
            StoreUnavailable: There is no key to sign with.
        """
        alg = client.relying_party.authorization_signed_response_alg or id_token_algorithm(client)
        expires = int(self.clock.seconds()) + _LIFETIME_SECONDS
        claims = {"iss": self.issuer, "aud": client.client_id, "exp": expires}
        return self.keys.ring.signer(alg).jwt({**members, **claims})
