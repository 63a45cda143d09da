"""An authenticator in software: makes passkeys and signs by them, with real keys, CBOR and COSE. It can lie.

It answers as the script of the pages sends it: WebAuthn's JSON.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from authcenter.core import base64url
from authcenter.jose.algorithms import Alg
from tests.workbench import ISSUER, private_key

ES256, EDDSA, RS256 = -7, -8, -257
PRESENT, VERIFIED, SYNCABLE, SYNCED, WITH_KEY = 1, 4, 8, 16, 64
AAGUID = bytes(range(16))
_Private: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
_MADE_BY = {ES256: Alg.ES256, EDDSA: Alg.EDDSA, RS256: Alg.RS256}


@dataclass
class Lie:
    """What an answer says that it should not; None: the truth."""

    origin: str | None = None
    challenge: bytes | None = None
    host: str | None = None
    kind: str | None = None
    cross_origin: bool = False
    handle: bytes | None = None
    no_handle: bool = False
    signed_by: int | None = None
    maker: str = "none"
    key: bytes | None = None


TRUTH = Lie()


@dataclass
class PasskeyDevice:
    """Somebody's phone or security key, with one passkey.

    Attributes:
        flags: What it says of a use beside that somebody was there.
        count: How often it has signed; None: it does not count.
    """

    algorithm: int = ES256
    flags: int = PRESENT | VERIFIED
    count: int | None = None
    credential_id: bytes = b"the passkey of this device"
    number: int = 0
    transports: list[Any] = field(default_factory=lambda: ["internal", "hybrid"])
    handle: bytes = b""

    @property
    def private(self) -> _Private:
        key: _Private = private_key(_MADE_BY[self.algorithm], 100 + self.number)
        return key

    def create(self, options: dict[str, Any], lie: Lie = TRUTH) -> str:
        """A passkey for who asks (WebAuthn §5.1.3)."""
        assert self.algorithm in {one["alg"] for one in options["pubKeyCredParams"]} or lie.key
        self.handle = base64url.decode(options["user"]["id"])
        host = lie.host or options["rp"]["id"]
        length = len(self.credential_id).to_bytes(2, "big")
        attested = AAGUID + length + self.credential_id + (lie.key or self.public_key())
        data = self._data(host, attested)
        told = {"fmt": lie.maker, "attStmt": {}, "authData": data}
        response = {
            "clientDataJSON": self._client_data("webauthn.create", options, lie),
            "attestationObject": base64url.encode(cbor2.dumps(told)),
            "transports": self.transports,
        }
        return self._answer(response)

    def get(self, options: dict[str, Any], lie: Lie = TRUTH) -> str:
        """A signature (WebAuthn §5.1.4)."""
        data = self._data(lie.host or options["rpId"])
        client_data = self._client_data("webauthn.get", options, lie)
        signed = data + hashlib.sha256(base64url.decode(client_data)).digest()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": base64url.encode(data),
            "signature": base64url.encode(self._sign(signed, lie)),
            "userHandle": base64url.encode(lie.handle or self.handle),
        }
        if lie.no_handle:
            del response["userHandle"]
        return self._answer(response)

    def public_key(self) -> bytes:
        """As COSE writes it (RFC 9053 §7)."""
        return cbor2.dumps({3: self.algorithm, **_cose(self.private)})

    def _answer(self, response: dict[str, Any]) -> str:
        name = base64url.encode(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _data(self, host: str, attested: bytes = b"") -> bytes:
        """§6.1."""
        if self.count is not None:
            self.count += 1
        flags = self.flags | (WITH_KEY if attested else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + (self.count or 0).to_bytes(4, "big") + attested

    def _client_data(self, kind: str, options: dict[str, Any], lie: Lie) -> str:
        """§5.8.1."""
        told = {
            "type": lie.kind or kind,
            "challenge": base64url.encode(lie.challenge) if lie.challenge else options["challenge"],
            "origin": lie.origin or ISSUER,
            "crossOrigin": lie.cross_origin,
        }
        return base64url.encode(json.dumps(told).encode())

    def _sign(self, data: bytes, lie: Lie) -> bytes:
        key = self.private if lie.signed_by is None else PasskeyDevice(self.algorithm, number=lie.signed_by).private
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(hashes.SHA256()))
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return key.sign(data)


def _cose(key: _Private) -> dict[int, Any]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        return {1: 2, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {1: 3, -1: numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"), -2: b"\x01\x00\x01"}
    return {1: 1, -1: 6, -2: key.public_key().public_bytes_raw()}
