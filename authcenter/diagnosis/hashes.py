"""Whether a hash of a password is cheap to guess (RFC 9106 §4; OWASP's minimum)."""

import re

LEAST_BCRYPT_COST = 10
_LEAST_ARGON2_MEMORY_KIB = 7 * 1024
_LEAST_ARGON2_WORK_KIB = 5 * _LEAST_ARGON2_MEMORY_KIB

_BCRYPT = re.compile(r"\$2[abxy]\$([0-9]{2})\$")
_ARGON2 = re.compile(r"\$argon2(i|id)\$(?:v=[0-9]+\$)?m=([0-9]+),t=([0-9]+),p=[0-9]+\$")


def is_cheap(beginning: str) -> bool:
    """Of a hash, or of its part before the salt: bcrypt under cost 10, argon2 of less memory, or of less memory
    times passes, than the least of OWASP's choices: 7 MiB five times."""
    if found := _BCRYPT.match(beginning):
        return int(found[1]) < LEAST_BCRYPT_COST
    if found := _ARGON2.match(beginning):
        memory, passes = int(found[2]), int(found[3])
        return memory < _LEAST_ARGON2_MEMORY_KIB or memory * passes < _LEAST_ARGON2_WORK_KIB
    return False
