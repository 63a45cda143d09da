"""The last resort before a log line goes out: what has the shape of a secret is struck out, and what could forge a line
is escaped.

Secrets are hidden by their type, and no code here logs a token. This is for the day on which that is not enough: a
library's message, an exception that quotes what it choked on. A line is looked at as a whole, after it has been
encoded, so that no member, key or nesting escapes; almost every line only pays for the search of a few short words.
"""

import json
import re
from base64 import b64decode

HIDDEN = b"***"

_WORDS = (
    "@",  # a password in a URL
    "$",  # a hash of a password
    "eyj",  # a JWT: base64url of {"
    "acr_",
    "acc_",
    "adc_",
    "aci_",
    "acg_",
    "bearer ",
    "basic ",
    "request_uri:",
    "private key-",
)
"""In lower case; where none of these is, there is no shape."""

# A word may begin behind an escape (of JSON, of a Python literal, of a URL), whose end looks like a part of the word.
_SHAPES = re.compile(
    rb"""
      (?P<jwt> eyJ[A-Za-z0-9_-]{8,} (?:\.[A-Za-z0-9_-]*){0,4} )
    | (?P<own>
        (?: (?<![A-Za-z0-9_]) | (?<=\\[bfnrt]) | (?<=\\x[0-9a-f]{2}) | (?<=\\u[0-9a-f]{4}) | (?<=\\U[0-9a-f]{8})
          | (?<=%[0-9A-Fa-f]{2}) )
        a(?:c[rcig]|dc)_[A-Za-z0-9_-]{16,} (?:\.[A-Za-z0-9_-]*)? )
    | (?P<bearer> (?<=(?i:bearer)[ ]) [A-Za-z0-9._~+/-]{20,}=* )
    | (?P<basic> (?<=(?i:basic)[ ]) [A-Za-z0-9+/_-]{4,}={0,2} )
    | (?P<pushed> (?<=:request_uri:) [A-Za-z0-9_-]{16,} )
    | (?P<login> (?<=://) [^\s"/@:]* : (?:[^\s"/@\\]|\\.)+ (?=@) )
    | (?P<pem> -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----
        (?:[^"\\]|\\.)*? (?: -----END[ ][A-Z ]*PRIVATE[ ]KEY----- | (?=") ) )
    | (?P<argon2> \$argon2[a-z]*\$[A-Za-z0-9+/=,$]{16,} )
    | (?P<bcrypt> \$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{22,} )
    """,
    re.VERBOSE,
)


def presentable(line: bytes, *, doubtful: str | None = None) -> bytes:
    """``line``, a JSON text, with what looks like a secret struck out, and in printable ASCII alone.

    It stays JSON: nothing that is struck out has a quote or half an escape in it. What JSON itself leaves bare, the
    control characters from U+007F on and what turns the direction of writing, comes as an escape, so that it says the
    same and does nothing to whoever reads the log on a terminal.

    Args:
        doubtful: All text of the line that may hold something unforeseen; None: the whole line.
    """
    if not line.isascii():
        line = json.dumps(json.loads(line), separators=(",", ":")).encode()
    if b"\x7f" in line:
        line = line.replace(b"\x7f", b"\\u007f")
    lowered = (line.decode() if doubtful is None else doubtful).lower()
    for word in _WORDS:
        if word in lowered:
            return _SHAPES.sub(_struck, line)
    return line


def _struck(found: "re.Match[bytes]") -> bytes:
    # "Basic authentication" is no login: what follows the scheme must be one.
    if found.lastgroup == "basic" and not _is_login(found[0]):
        return found[0]
    return HIDDEN


def _is_login(text: bytes) -> bool:
    """Whether it is base64 of ``user:password`` (RFC 7617 §2)."""
    text = text.rstrip(b"=")
    try:
        return b":" in b64decode(
            text + b"=" * (-len(text) % 4), altchars=b"-_" if b"-" in text or b"_" in text else None
        )
    except ValueError:
        return False
