"""base64url without padding (RFC 7515 §2), canonical in both directions."""

from base64 import urlsafe_b64decode
from binascii import b2a_base64


def encode(data: bytes) -> str:
    return b2a_base64(data, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_").decode()


def decode(text: str) -> bytes:
    """The bytes that ``encode`` writes as ``text``.

    Raises:
        ValueError: ``text`` is not what ``encode`` would write: foreign characters, padding, spare bits that are not
            zero. Two strings never decode to the same bytes.
    """
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
