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
