"""ES256 signatures at full length (RFC 7518 §3.4), whatever numbers they hold."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authcenter.jose.algorithms import ALGORITHMS, Alg

NUMBERS = [1, 0x7F, 0x80, 2**247, 2**248 - 1, 2**255 - 1, 2**255, 2**256 - 1]


class Drawn:
    """A key whose signatures are known before."""

    def __init__(self, r: int, s: int) -> None:
        self.der = encode_dss_signature(r, s)

    def sign(self, data: bytes, algorithm: object) -> bytes:
        return self.der


@pytest.mark.parametrize("r", NUMBERS)
@pytest.mark.parametrize("s", NUMBERS)
def test_both_numbers_take_32_bytes(r: int, s: int) -> None:
    assert ALGORITHMS[Alg.ES256].sign(Drawn(r, s), b"") == r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_what_is_signed_verifies() -> None:
    algorithm = ALGORITHMS[Alg.ES256]
    key = algorithm.generate()
    for number in range(300):
        data = str(number).encode()
        algorithm.verify(key.public_key(), algorithm.sign(key, data), data)
