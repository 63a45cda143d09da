"""What the forms of passkeys send, and what is said where that does not hold."""

from authcenter.accounts.passkeys import Answered
from authcenter.core.rules import Rule
from authcenter.http.pages.visit import Visit


def answered(visit: Visit) -> Answered:
    """What the page's script put into the form."""
    form = visit.form
    return Answered(form.get("ceremony") or "", form.get("credential") or "", visit.browser.browser_id)


def problem_with_passkey(visit: Visit, rule: Rule) -> str:
    """In words for who tried; most rules have the same, for only operators can do something about the difference."""
    return visit.messages.get(f"passkey.problem.{rule}") or visit.messages("passkey.problem")
