"""What a page answers to who tries too often: itself again, with how long to wait (RFC 6585 §4)."""

from math import ceil

from aiohttp import hdrs

from authcenter.core.errors import RateLimited
from authcenter.http.context import NOTES
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer

STATUS = 429


def minutes(visit: Visit, limited: RateLimited) -> int:
    """Note the refusal; how long to wait, for a page that words it itself."""
    visit.request[NOTES].verdict = (limited.rule, limited.hint)
    return ceil(limited.retry_after / 60)


def how_long(visit: Visit, limited: RateLimited) -> str:
    """Note the refusal; the sentence for the page."""
    return visit.messages("login.limited", minutes=minutes(visit, limited))


def later(answer: Answer, limited: RateLimited) -> Answer:
    """``answer``, saying the same to programs."""
    answer.headers[hdrs.RETRY_AFTER] = str(max(1, ceil(limited.retry_after)))
    return answer
