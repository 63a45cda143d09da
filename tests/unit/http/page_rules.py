"""What every page keeps, whatever it shows."""

import re

from tests.unit.http.browsing import Shown

_OWN_SCRIPTS = r"/static/(?:form_post|passkeys)\.js"


def require_rules(shown: Shown, form_to: str = "", *, image: bool = False, frame: str = "") -> None:
    """Args:
    form_to: Where a form of it may lead, beside here.
    image: Whether it lets in the client's logo.
    frame: What it lets in as frames.
    """
    headers, policy = shown.headers, shown.headers["Content-Security-Policy"]
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    directives = dict(directive.strip().partition(" ")[::2] for directive in policy.split(";"))
    assert directives["default-src"] == directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert directives["style-src"] == "'self'"
    assert directives.get("script-src", "'self'") == "'self'"
    assert "unsafe" not in policy
    assert directives["form-action"] == f"'self' {form_to}".strip()
    assert ("https://cdn.example" in directives["img-src"]) is image
    assert directives.get("frame-src", "") == frame
    # Nothing inline, nothing of the client's or of a request as markup, no link that is a script.
    assert re.findall(rf"<script(?! src=\"{_OWN_SCRIPTS}\")|\sstyle=|\son\w+=|javascript:", shown.body) == []
