"""What a client sent, as traces and logs may have it: it may have sent one thing in the place of another.

A whole callback address as ``redirect_uri`` has an unspent code in it, and id and secret are easily exchanged.
"""

import re
from collections.abc import Iterable

from authcenter.core.checks import mark

_LIKE_A_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
_LOGIN = re.compile(r"(?<=//)[^/?#]*@")
_PART = re.compile(r"(?<=[?#&])[^?#&]+")


def marked_uri(uri: str, known: Iterable[str] = ()) -> str:
    """``uri`` with marks for the values in its query and its fragment, but for those that a ``known`` one has."""
    clear = {part for one in known for part in _PART.findall(one)}
    return _PART.sub(lambda found: found[0] if found[0] in clear else _marked(found[0]), _LOGIN.sub("***@", uri))


def marked_client_id(client_id: str) -> str:
    """What was sent as the id of a client that is not known, or not looked up: what may be a secret as a mark."""
    if _LIKE_A_SECRET.fullmatch(client_id) is None:
        return client_id
    return f"({len(client_id)} characters, mark {mark(client_id)})"


def _marked(part: str) -> str:
    name, equals, value = part.partition("=")
    # Without a name, it is the value.
    return f"{name}={mark(value)}" if equals and value else part if equals else mark(part)
