"""Status lists of one bit a token, as they are written and read (draft-ietf-oauth-status-list §4)."""

import zlib
from collections.abc import Iterable

from authcenter.core import base64url

STATUS_LIST_TYPE = "statuslist+jwt"
STATUS_LIST_MEDIA_TYPE = f"application/{STATUS_LIST_TYPE}"
_BEST = 9


def encode_bits(refused: Iterable[int], size: int) -> str:
    """The ``lst`` of a list of ``size`` places, in which those that are ``refused`` are 1 and all others 0.

    Raises:
        IndexError: A place lies outside of the list.
    """
    places = bytearray((size + 7) // 8)
    for index in refused:
        # The first place of a byte is its least significant bit (§4.1).
        places[index >> 3] |= 1 << (index & 7)
    return base64url.encode(zlib.compress(places, _BEST))


def decode_bits(encoded: str, most_bytes: int) -> bytes:
    """The places that ``encode_bits`` wrote.

    Args:
        most_bytes: More are not unfolded, however little the compressed form is.

    Raises:
        ValueError: Not base64url, not exactly one zlib stream, or more than that.
    """
    unfolding = zlib.decompressobj()
    try:
        places = unfolding.decompress(base64url.decode(encoded), most_bytes + 1)
    except zlib.error as problem:
        raise ValueError(f"not a zlib stream: {problem!s:.80}") from problem
    if len(places) > most_bytes:
        raise ValueError(f"unfolds to more than {most_bytes} bytes")
    if not unfolding.eof or unfolding.unused_data:
        raise ValueError("not one whole zlib stream")
    return places


def status_at(places: bytes, bits: int, index: int) -> int:
    """What stands at a place of a list with 1, 2, 4 or 8 ``bits`` a place.

    Raises:
        IndexError: It lies outside of the list.
    """
    at = index * bits
    return places[at >> 3] >> (at & 7) & ((1 << bits) - 1)
