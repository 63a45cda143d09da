"""Google, in what it differs from any other OpenID issuer.

Its ID tokens may leave ``https://`` out of ``iss``. An address at Gmail, or of a domain that Google hosts (``hd``), is
the person's; another one was theirs when they opened the account, and may be somebody else's today.
"""

from collections.abc import Mapping
from typing import Any

from authcenter.federation.openid import Habits

ISSUER = "https://accounts.google.com"
_GMAIL = ("@gmail.com", "@googlemail.com")


def google_habits(issuer: str = ISSUER) -> Habits:
    """Google's, at its own issuer or a stand-in's."""
    # Of the prompts that ask somebody who is signed in, Google has only this one.
    return Habits(frozenset({issuer.partition("://")[2]}), "select_account", is_theirs)


def is_theirs(claims: Mapping[str, Any]) -> bool:
    """Whether Google is the one who gives out the address."""
    hosted = claims.get("hd")
    return str(claims.get("email")).lower().endswith(_GMAIL) or (isinstance(hosted, str) and bool(hosted))
