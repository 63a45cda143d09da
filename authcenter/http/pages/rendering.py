"""Pages: rendered from templates, mounted with their checks, and what they say when something is refused."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from jinja2 import Environment, PackageLoader, StrictUndefined

from authcenter.authorization.ticket import Ticket
from authcenter.core.checks import failed
from authcenter.core.derived import MacKeys
from authcenter.core.errors import Conflict, InvalidInput, NotFound, OAuthError, Unavailable, invalid_request
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES
from authcenter.http.forms import parse_form, read_form
from authcenter.http.pages.browser import Browser, BrowserCookies
from authcenter.http.pages.messages import Catalogue
from authcenter.http.pages.visit import PageHandler, Visit
from authcenter.http.problems import verdict_on
from authcenter.http.responses import NO_STORE, Answer, header_lines
from authcenter.http.router import Handler, Router
from authcenter.settings.policy_sections import BrandPolicy
from authcenter.telemetry.logs import Logger

_SOURCE = re.compile(r"[a-z][a-z0-9+.-]*:(?://[^\s;,']+)?")
_NO_FORM = Form({})
_HTML = NO_STORE + header_lines({"Content-Type": "text/html; charset=utf-8"})


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders pages and keeps the rules that hold for all of them.

    Attributes:
        csrf: Makes the token that ties a form to the browser it was shown to.
    """

    environment: Environment
    catalogue: Catalogue
    cookies: BrowserCookies
    csrf: MacKeys
    brand: Callable[[], BrandPolicy]
    issuer: str
    log: Logger

    def mount(self, router: Router, path: str, get: PageHandler | None = None, post: PageHandler | None = None) -> None:
        """A page, and the form on it. A form is accepted only from the browser that was shown it."""
        if get is not None:
            router.add_get(path, self.page(get))
        if post is not None:
            router.add_post(path, self.page(post))

    def page(self, handler: PageHandler, *, own_forms: bool = True) -> Handler:
        """``handler`` with what every page needs: the browser, the language, the form, an error page for refusals.

        Args:
            own_forms: Whether forms come from our own pages alone; else another site's count as well.
        """

        async def answer(request: web.BaseRequest) -> Answer:
            browser = self.cookies.read(request)
            messages = self.catalogue.choose((), request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
            visit = Visit(request, browser, _NO_FORM, _NO_FORM, messages)
            try:
                visit = await self._read(visit, own_forms=own_forms)
                response = await handler(visit)
                # Another site's form comes without our cookies: that says nothing of the browser.
                return self.cookies.keep(browser, response) if own_forms else response
            except OAuthError as refused:
                request[NOTES].verdict = (refused.rule, refused.hint)
                return self.error(visit, messages.get(f"refused.{refused.rule}") or refused.description, refused.status)
            except (InvalidInput, Conflict, NotFound) as refused:
                # In words of ours: theirs are for operators.
                status, rule = verdict_on(refused)
                request[NOTES].verdict = (rule, str(refused))
                return self.error(visit, messages(f"refused.{rule}"), status)
            except Unavailable as cause:
                request[NOTES].verdict = (cause.rule, cause.hint)
                response = self.error(visit, messages("error.unavailable"), 503)
                response.headers[hdrs.RETRY_AFTER] = str(cause.retry_after)
                return response
            except asyncio.CancelledError:
                raise
            except Exception:
                self.log.exception("defect", path=request.path[:200])
                request[NOTES].verdict = (Rule.INTERNAL, "see the traceback")
                return self.error(visit, messages("error.defect"), 500)

        return answer

    def lone(self, request: web.BaseRequest, page: Callable[[Visit], Answer]) -> Answer:
        """A page that reads nothing of the request but its language, and leaves no cookie."""
        messages = self.catalogue.choose((), request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        return page(Visit(request, self.cookies.read(request), _NO_FORM, _NO_FORM, messages))

    def show(
        self,
        visit: Visit,
        template: str,
        *,
        status: int = 200,
        form_to: Sequence[str] = (),
        frames: Sequence[str] = (),
        images: Sequence[str] = (),
        scripts: bool = False,
        **values: object,
    ) -> Answer:
        """The page ``template`` with ``values``; nothing keeps it.

        Args:
            form_to: Where its forms may lead beside here, by redirect (CSP ``form-action``): URIs.
            frames: What it may frame: URIs.
            images: What it shows beside our own images and the brand's logo: URIs.
            scripts: Whether it uses one of our scripts; no page needs it.
        """
        body = self.environment.get_template(template).render(
            t=visit.messages,
            language=visit.messages.language,
            brand=self.brand(),
            csrf=self.csrf.make(visit.browser.browser_id.encode()),
            request_id=visit.origin.request_id,
            **values,
        )
        answer = Answer(body.encode(), status, _HTML)
        answer.policy = self._policy(form_to, frames, images, scripts=scripts)
        return answer

    def in_language(self, visit: Visit, preferred: Sequence[str]) -> Visit:
        """The visit in a language that the request asks for (``ui_locales``), before the browser's."""
        header = visit.request.headers.get(hdrs.ACCEPT_LANGUAGE, "")
        return replace(visit, messages=self.catalogue.choose(preferred, header))

    def in_language_of(self, visit: Visit, ticket: Ticket | None) -> Visit:
        """The same for the request that a ticket holds, if it does. Before anything is worded."""
        request = ticket.request if ticket else None
        return self.in_language(visit, request.ui_locales if request else ())

    def error(self, visit: Visit, message: str, status: int) -> Answer:
        return self.show(visit, "error.html", status=status, message=message, kind=_KINDS.get(status, "general"))

    def require_own_form(self, visit: Visit) -> None:
        """For a page that takes other sites' forms too: this one is from a page of ours, shown to this browser.

        Raises:
            OAuthError: It is not.
        """
        self._check_origin(visit.request)
        self._check_token(visit.browser, visit.form)

    def _policy(self, form_to: Sequence[str], frames: Sequence[str], images: Sequence[str], *, scripts: bool) -> bytes:
        shown = [uri for uri in (self.brand().logo, *images) if is_web_uri(uri)]
        sources = " ".join(["'self'", *map(_source, shown)])
        targets = " ".join(["'self'", *map(_source, form_to)])
        policy = (
            f"default-src 'none'; style-src 'self'; img-src {sources} data:; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {targets}"
        )
        if scripts:
            policy += "; script-src 'self'"
        if frames:
            policy += f"; frame-src {' '.join(map(_source, frames))}"
        # Without a referrer browsers send `Origin: null` with our own forms, too.
        headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "same-origin",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        return header_lines(headers)

    async def _read(self, visit: Visit, *, own_forms: bool) -> Visit:
        request = visit.request
        query = parse_form(request.rel_url.raw_query_string.encode())
        if request.method != hdrs.METH_POST:
            return replace(visit, query=query)
        form = await read_form(request)
        if own_forms:
            self.require_own_form(replace(visit, form=form))
        return replace(visit, query=query, form=form)

    def _check_origin(self, request: web.BaseRequest) -> None:
        """What the browser itself says of who sent the form, where it says anything."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get(hdrs.ORIGIN)
        parts = urlsplit(self.issuer)
        if site not in {None, "same-origin"} or origin not in {None, f"{parts.scheme}://{parts.netloc}"}:
            failed("origin", expected=f"{parts.scheme}://{parts.netloc}", came=origin, site=site)
            raise invalid_request(
                Rule.CROSS_SITE_FORM, _STALE, f"site {site!a:.40}, origin {origin!a:.200}", status=403
            )

    def _check_token(self, browser: Browser, form: Form) -> None:
        if browser.new or not self.csrf.verify(browser.browser_id.encode(), form.get("csrf") or ""):
            failed("csrf_token", cookie_sent=not browser.new, token_sent=form.get("csrf") is not None)
            raise invalid_request(Rule.CSRF_TOKEN, _STALE, "cookie missing" if browser.new else "differs", status=403)


_KINDS = {404: "not_found", 503: "unavailable"}
_STALE = "This page is no longer valid. Start again."


def page_environment() -> Environment:
    """Jinja over the templates of this package: everything is escaped, and an unknown name is a defect."""
    return Environment(
        loader=PackageLoader("authcenter"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def see_other(location: str) -> Answer:
    """303: go there with GET. ``location`` must not be a stranger's word."""
    return Answer(status=303, lines=NO_STORE, headers={hdrs.LOCATION: location})


def is_web_uri(uri: str) -> bool:
    """Whether a link to it, or an image from it, is nothing but that: ``javascript:`` is a registered string, too."""
    return uri.lower().startswith(("https://", "http://"))


def _source(uri: str) -> str:
    """The CSP source of a URI: its origin, or its scheme alone where it has no host that a policy can name.

    Native apps' URIs have none, and for IPv6 addresses CSP has no notation.
    """
    parts = urlsplit(uri)
    named = parts.netloc and parts.scheme in {"http", "https"} and "[" not in parts.netloc
    source = f"{parts.scheme}://{parts.netloc}" if named else f"{parts.scheme}:"
    if not _SOURCE.fullmatch(source):
        raise ValueError("not a source for a content security policy")
    return source
