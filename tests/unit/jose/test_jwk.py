"""JSON Web Keys and thumbprints, by the RFCs' own examples."""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from authcenter.core.base64url import decode
from authcenter.core.digest import sha256
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import public_members, read_public_jwk, signature_jwk, thumbprint
from tests.workbench import private_key

N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
    "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1"
    "n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
ALGS = [pytest.param(alg, id=alg.value) for alg in Alg]


def test_the_rsa_thumbprint_of_rfc_7638() -> None:
    numbers = rsa.RSAPublicNumbers(65537, int.from_bytes(decode(N), "big"))
    assert thumbprint(numbers.public_key()) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_the_okp_thumbprint_of_rfc_8037() -> None:
    raw = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("alg", ALGS)
def test_a_published_key_has_public_members_only_and_is_read_again(alg: Alg) -> None:
    public = private_key(alg).public_key()
    jwk = signature_jwk(public, alg)
    assert set(jwk) <= {"kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"}
    assert (jwk["use"], jwk["alg"], jwk["kid"]) == ("sig", alg, thumbprint(public))
    assert read_public_jwk(json.loads(json.dumps(jwk))) == public


def test_coordinates_keep_their_leading_zeros() -> None:
    # One point in 256 has such an x.
    for scalar in range(1, 2_000):
        key = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
        if key.public_numbers().x >> 248 == 0:
            members = public_members(key)
            assert len(members["x"]) == len(members["y"]) == 43
            return
    pytest.fail("no such point")


GOOD = signature_jwk(private_key(Alg.ES256).public_key(), Alg.ES256)
OKP = signature_jwk(private_key(Alg.EDDSA).public_key(), Alg.EDDSA)
BROKEN = [
    pytest.param({}, id="empty"),
    pytest.param({**GOOD, "kty": "oct"}, id="unknown kty"),
    pytest.param({**GOOD, "alg": "HS256"}, id="unknown alg"),
    pytest.param({**GOOD, "alg": "RS256"}, id="alg of another type"),
    pytest.param({**GOOD, "alg": "EdDSA"}, id="alg of another curve"),
    pytest.param({**GOOD, "x": GOOD["y"]}, id="not on the curve"),
    pytest.param({**GOOD, "x": GOOD["x"] + "="}, id="not canonical"),
    pytest.param({**GOOD, "y": 1}, id="not a string"),
    pytest.param({**OKP, "x": "AAAA"}, id="too short"),
    pytest.param({"kty": "RSA", "alg": "RS256", "n": N[:100], "e": "AQAB"}, id="too weak"),
]


@pytest.mark.parametrize("jwk", BROKEN)
def test_what_is_no_key_of_ours(jwk: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        read_public_jwk(jwk)


def test_keys_of_other_kinds_have_no_form() -> None:
    with pytest.raises(TypeError):
        public_members(dsa.generate_private_key(1024).public_key())


@pytest.mark.parametrize("alg", ALGS)
def test_what_was_hashed_already_is_signed_as_if_it_were_not(alg: Alg) -> None:
    algorithm, key = ALGORITHMS[alg], private_key(alg)
    if algorithm.sign_digest is None:
        assert alg is Alg.EDDSA, "which signs no digest of SHA-256"
        return
    signature = algorithm.sign_digest(key, sha256(b"data"))
    algorithm.verify(key.public_key(), signature, b"data")
    with pytest.raises(InvalidSignature):
        algorithm.verify(key.public_key(), signature, sha256(b"data"))


@pytest.mark.parametrize("alg", ALGS)
def test_an_algorithm_signs_verifies_and_knows_its_keys(alg: Alg) -> None:
    algorithm, key = ALGORITHMS[alg], private_key(alg)
    algorithm.verify(key.public_key(), algorithm.sign(key, b"data"), b"data")
    assert algorithm.fits(key)
    assert algorithm.fits(key.public_key())
    assert not algorithm.fits(ec.generate_private_key(ec.SECP384R1()))
    assert not algorithm.fits("a string")
