"""Lists, a page at a time.

A page is ``{"items": […], "next_cursor": …}``; the cursor of the next page is null on the last. It is opaque, and names
the last thing of its page, so that what is made or deleted meanwhile shifts nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from authcenter.core import base64url
from authcenter.core.errors import OAuthError, invalid_request
from authcenter.core.rules import Rule
from authcenter.core.value import Value
from authcenter.core.wire_json import encode
from authcenter.http.responses import Answer, no_store

T = TypeVar("T")

PARAMETERS: Collection[str] = ("cursor", "limit")
"""What the query of every list knows."""
MOST_ITEMS = 200
_USUAL_ITEMS = 50
_LONGEST_CURSOR = 4_000


class WantedPage(Value, frozen=True):
    """What a request wants of a list.

    Attributes:
        after: The key of the last thing of the page before; empty: the first page.
    """

    limit: int
    after: str

    @property
    def most(self) -> int:
        """How many to read: one more than is shown tells whether there is a next page."""
        return self.limit + 1


def wanted_page(query: Mapping[str, str]) -> WantedPage:
    """Read ``limit`` (1 to 200, else 50) and ``cursor``. Raises ``OAuthError``: ``invalid_request``."""
    limit, cursor = query.get("limit", str(_USUAL_ITEMS)), query.get("cursor", "")
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 3 and 1 <= int(limit) <= MOST_ITEMS):
        raise _malformed(f"limit is a number from 1 to {MOST_ITEMS}.", f"it is {limit!a:.20}")
    return WantedPage(int(limit), _key(cursor))


def page(
    found: Sequence[T], wanted: WantedPage, key: Callable[[T], str], describe: Callable[[T], Mapping[str, Any]]
) -> Answer:
    """Answer with what was found.

    Args:
        found: At most ``wanted.most`` of them, after ``wanted.after``.
        key: By what they are ordered.
    """
    shown = found[: wanted.limit]
    more = len(found) > len(shown)
    return whole([describe(one) for one in shown], base64url.encode(key(shown[-1]).encode()) if more else None)


def whole(items: Sequence[Mapping[str, Any]], next_cursor: str | None = None) -> Answer:
    """A list that is short by its nature is one page."""
    return no_store(encode({"items": items, "next_cursor": next_cursor}))


def _key(cursor: str) -> str:
    try:
        key = base64url.decode(cursor).decode() if len(cursor) <= _LONGEST_CURSOR else "\0"
    except ValueError as problem:
        raise _malformed("The cursor is malformed.", f"it is {cursor!a:.80}") from problem
    if not key.isprintable():
        raise _malformed("The cursor is malformed.", f"it is {cursor!a:.80}")
    return key


def _malformed(description: str, hint: str) -> OAuthError:
    return invalid_request(Rule.PAGE_MALFORMED, description, hint)
