"""Token Status Lists (draft-ietf-oauth-status-list §8, §9): public, for verifiers that know only standards."""

import hashlib
from dataclasses import dataclass

from aiohttp import web

from authcenter.core.errors import ErrorCode, OAuthError, invalid_request
from authcenter.core.rules import Rule
from authcenter.core.wire_json import encode
from authcenter.http.cors import public_preflight
from authcenter.http.discovery import cacheable
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.jose.status_list import STATUS_LIST_MEDIA_TYPE
from authcenter.tokens.status_claim import STATUS_LISTS_PATH, STATUS_PATH
from authcenter.tokens.status_lists import TTL_SECONDS, StatusLists

_ACCEPTED = frozenset({STATUS_LIST_MEDIA_TYPE, "application/*", "*/*"})


@dataclass(frozen=True, slots=True)
class StatusListEndpoint:
    """``GET /oauth/status/{list}``: the list as a signed JWT. It is not served as a CWT."""

    lists: StatusLists

    def mount(self, router: Router) -> None:
        path = f"{STATUS_PATH}{{list}}"
        router.add_subtree(path, self.get, "GET", "HEAD")
        router.add_subtree(path, public_preflight, "OPTIONS")

    async def get(self, request: web.BaseRequest) -> Answer:
        if not _accepts(request.headers.get("Accept", "")):
            raise invalid_request(
                Rule.STATUS_LIST_FORM, f"Status lists are served as {STATUS_LIST_MEDIA_TYPE}.", status=406
            )
        if "time" in request.query:
            # "If the Server does not support the additional query parameter, it SHOULD return [...] 501" (§8.4).
            raise invalid_request(Rule.STATUS_LIST_HISTORY, "Only the present status is known.", status=501)
        list_id = request.path.removeprefix(STATUS_PATH)
        signed = await self.lists.get(list_id)
        if signed is None:
            raise OAuthError(
                ErrorCode.NOT_FOUND,
                "There is no such status list.",
                rule=Rule.STATUS_LIST_UNKNOWN,
                hint=f"asked for {list_id!a:.40}",
                status=404,
            )
        answer = cacheable(request, signed.body, signed.etag, STATUS_LIST_MEDIA_TYPE, TTL_SECONDS)
        answer.headers["Vary"] = "Accept"
        return answer


@dataclass(frozen=True, slots=True)
class StatusListsEndpoint:
    """``GET /oauth/status``: where all lists are, for verifiers that fetch them ahead (§9)."""

    lists: StatusLists

    def mount(self, router: Router) -> None:
        router.add_get(STATUS_LISTS_PATH, self.get)
        router.add_options(STATUS_LISTS_PATH, public_preflight)

    async def get(self, request: web.BaseRequest) -> Answer:
        body = encode({"status_lists": await self.lists.uris()})
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return cacheable(request, body, etag, "application/json", TTL_SECONDS)


def _accepts(header: str) -> bool:
    """Whether the JWT form is acceptable; without the header anything is (RFC 9110 §12.5.1)."""
    ranges = [one.strip().lower() for one in header.split(",") if one.strip()]
    return not ranges or any(one.partition(";")[0].strip() in _ACCEPTED for one in ranges)
