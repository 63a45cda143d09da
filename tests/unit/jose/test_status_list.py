"""Bits of a status list, against the draft's own examples and vectors."""

import zlib

import pytest

from authcenter.core import base64url
from authcenter.jose.status_list import encode_bits

SET_OF_16 = [0, 3, 4, 5, 7, 8, 9, 13, 15]
SET_OF_C1 = [0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345]
# draft-ietf-oauth-status-list-21, appendix C.1: one bit a token, 2^20 tokens.
LST_OF_C1 = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAA"
    "AAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
)


def unpacked(lst: str) -> bytes:
    return zlib.decompress(base64url.decode(lst))


def test_the_example_of_section_4() -> None:
    assert unpacked(encode_bits(SET_OF_16, 16)) == bytes([0xB9, 0xA3])
    assert unpacked(encode_bits(SET_OF_16, 16)) == unpacked("eNrbuRgAAhcBXQ")


def test_the_vector_of_appendix_c() -> None:
    assert unpacked(encode_bits(SET_OF_C1, 1 << 20)) == unpacked(LST_OF_C1)


def test_compression_is_zlib_at_its_best() -> None:
    assert base64url.decode(encode_bits([], 1 << 20))[:2] == bytes([0x78, 0xDA])


@pytest.mark.parametrize("size", [1, 8, 9, 1 << 10])
def test_a_list_is_as_long_as_its_places(size: int) -> None:
    assert len(unpacked(encode_bits([size - 1], size))) == (size + 7) // 8


def test_a_place_outside_is_refused() -> None:
    with pytest.raises(IndexError):
        encode_bits([16], 16)
