"""The person at the browser: fills in what the pages ask, and remembers what was asked."""

from dataclasses import dataclass, field

from tests.integration.conformance.browser import Browser, Callback, Page

_MOST_PAGES = 6


@dataclass(slots=True)
class Person:
    """Signs in with a password and agrees, unless told otherwise.

    Attributes:
        asked: The pages that were answered since the last :meth:`visit`, by path.
    """

    browser: Browser
    username: str
    password: str
    asked: list[str] = field(default_factory=list)

    def visit(self, url: str, *, agrees: bool = True) -> Callback:
        """Follow a client's link, answer every page, and arrive at the client."""
        return self.arrive(self.browser.open(url), agrees=agrees)

    def arrive(self, shown: Page | Callback, *, agrees: bool = True) -> Callback:
        """Answer pages until the client is called."""
        self.asked = []
        for _ in range(_MOST_PAGES):
            if isinstance(shown, Callback):
                return shown
            assert shown.status == 200, f"{shown.status} at {shown.path}\n{shown.text}"
            self.asked.append(shown.path)
            shown = self._answer(shown, agrees=agrees)
        raise AssertionError(f"no end of pages: {self.asked}")

    def _answer(self, page: Page, *, agrees: bool) -> Page | Callback:
        if page.path == "/consent":
            return self.browser.submit(page.forms[-1], "allow" if agrees else "deny")
        assert page.path == "/login", f"what to do at {page.path}?\n{page.text}"
        form = next(form for form in page.forms if "password" in form.fields)
        return self.browser.submit(form, "login", username=self.username, password=self.password)
