"""What a browser is shown at a path that there is not. Programs get JSON."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from authcenter.core.errors import ErrorCode
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.pages.rendering import Pages
from authcenter.http.pages.visit import Visit
from authcenter.http.problems import answers_problems, refusal_at
from authcenter.http.responses import Answer, error
from authcenter.http.router import Router


@dataclass(frozen=True, slots=True)
class Nowhere:
    """404."""

    pages: Pages

    def mount(self, router: Router) -> None:
        router.otherwise = self.answer

    async def answer(self, request: web.BaseRequest) -> Answer:
        request[NOTES].verdict = (Rule.ROUTE_UNKNOWN, "")
        if answers_problems(request.path):
            return refusal_at(request.path, ErrorCode.NOT_FOUND, "There is nothing here.", 404)
        if request.method in {hdrs.METH_GET, hdrs.METH_HEAD} and _is_read_by_a_person(request):
            return self.pages.lone(request, self._page)
        return error(ErrorCode.NOT_FOUND, "There is nothing here.", 404)

    def _page(self, visit: Visit) -> Answer:
        return self.pages.error(visit, visit.messages("error.not_found"), 404)


def _is_read_by_a_person(request: web.BaseRequest) -> bool:
    """Browsers name HTML when somebody goes somewhere; programs, and scripts in pages, do not."""
    return "text/html" in request.headers.get(hdrs.ACCEPT, "").lower()
