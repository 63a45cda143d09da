"""Which password hashes made elsewhere are taken over: argon2 (RFC 9106) in PHC form, and bcrypt in crypt form."""

import re
from base64 import b64decode, b64encode

BCRYPT_MAX_BYTES = 72
"""What bcrypt reads of a password."""

_ARGON2 = re.compile(
    r"\$argon2id?\$(?:v=(?:16|19)\$)?m=([1-9][0-9]{0,6}),t=([1-9][0-9]{0,5}),p=([1-9][0-9]?)"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})"
)
_MAX_MEMORY_KIB = 1024 * 1024
_MAX_WORK_KIB = 4 * _MAX_MEMORY_KIB
_MAX_LANES = 16

# The last characters carry spare bits, which are zero in every hash that verifies.
_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]")
_BCRYPT_COSTS = range(4, 17)


def is_supported_hash(text: str) -> bool:
    """Whether ``text`` is a hash that can be verified, at a cost one login may have.

    That is: argon2i or argon2id of at most 1 GiB, 4 GiB over all passes and 16 lanes; bcrypt (``$2a$``, ``$2b$``,
    ``$2y$``) of cost 4 to 16. Anything dearer would let whoever wrote the import file stop the service by logging in.
    """
    return is_bcrypt(text) or _is_argon2(text)


def is_bcrypt(text: str) -> bool:
    found = _BCRYPT.fullmatch(text)
    return found is not None and int(found[1]) in _BCRYPT_COSTS


def _is_argon2(text: str) -> bool:
    found = _ARGON2.fullmatch(text)
    if found is None:
        return False
    memory, passes, lanes = (int(found[part]) for part in (1, 2, 3))
    affordable = memory <= _MAX_MEMORY_KIB and memory * passes <= _MAX_WORK_KIB and lanes <= _MAX_LANES
    return affordable and memory >= 8 * lanes and _canonical(found[4]) and _canonical(found[5])


def _canonical(text: str) -> bool:
    """Whether base64 without padding has no spare bits set, which the reference implementation refuses."""
    if len(text) % 4 == 1:
        return False
    return b64encode(b64decode(text + "=" * (-len(text) % 4))).decode().rstrip("=") == text
