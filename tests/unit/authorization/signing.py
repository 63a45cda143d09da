"""Request objects as a client signs them, and some that no honest client would."""

import json
from typing import Any

from authcenter.core.base64url import encode
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import signature_jwk
from tests.forgery import ABSENT
from tests.workbench import ISSUER, START, private_key

CLIENT_KEY, FOREIGN_KEY = 7, 8
NOW = int(START.timestamp())


def jwks(*algs: Alg, **members: Any) -> dict[str, Any]:
    """The client's public keys; ``members`` replace those of each."""
    return {"keys": [_without_absent({**_jwk(alg), **members}) for alg in algs or Alg]}


def request_object(
    claims: dict[str, Any],
    alg: Alg = Alg.ES256,
    number: int = CLIENT_KEY,
    header: dict[str, Any] | None = None,
) -> str:
    """``claims`` signed with one of the client's keys, for five minutes unless they say otherwise."""
    head = {"alg": alg.value, "kid": _jwk(alg)["kid"], "typ": "oauth-authz-req+jwt", **(header or {})}
    body = {"iss": "shop", "client_id": "shop", "aud": ISSUER, "nbf": NOW, "exp": NOW + 300, **claims}
    return sign(_json(head), _json(body), alg, number)


def sign(header: bytes, payload: bytes, alg: Alg = Alg.ES256, number: int = CLIENT_KEY) -> str:
    """Any two octet sequences as header and payload."""
    signing_input = f"{encode(header)}.{encode(payload)}"
    return f"{signing_input}.{encode(ALGORITHMS[alg].sign(private_key(alg, number), signing_input.encode()))}"


def header_of(alg: Alg) -> bytes:
    return _json({"alg": alg.value, "kid": _jwk(alg)["kid"]})


def _jwk(alg: Alg) -> dict[str, str]:
    return signature_jwk(private_key(alg, CLIENT_KEY).public_key(), alg)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(_without_absent(value)).encode()


def _without_absent(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if one is not ABSENT}
