"""What counts as a token in a request, and how refusals are written (RFC 6750)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.errors import Unavailable
from authcenter.sdk.bearer import Challenge, MalformedCredentials, NoCredentials, bearer_token
from authcenter.sdk.verification import InsufficientScope

ACCEPTED = [
    pytest.param("Bearer abc", "abc", id="as in the RFC"),
    pytest.param("bearer abc", "abc", id="scheme in lower case"),
    pytest.param("BEARER abc", "abc", id="scheme in upper case"),
    pytest.param("Bearer   abc", "abc", id="several spaces"),
    pytest.param("Bearer abc  ", "abc", id="spaces behind it"),
    pytest.param("Bearer aA0-._~+/==", "aA0-._~+/==", id="the whole b64token alphabet"),
]
ABSENT = [
    pytest.param([], id="no header"),
    pytest.param([""], id="empty header"),
    pytest.param(["Basic YTpi"], id="another scheme"),
    pytest.param(["DPoP abc"], id="a token of another kind"),
    pytest.param(["BearerX abc"], id="a scheme that begins like it"),
]
MALFORMED = [
    pytest.param(["Bearer"], "", id="no token"),
    pytest.param(["Bearer "], "", id="an empty token"),
    pytest.param(["Bearer a b"], "", id="two words"),
    pytest.param(["Bearer a, Bearer b"], "", id="two in one header"),
    pytest.param(["Bearer a=b"], "", id="padding inside"),
    pytest.param(["Bearer \u00e9"], "", id="beyond ASCII"),
    pytest.param(["Bearer a\tb"], "", id="a tab"),
    pytest.param(["Bearer a", "Bearer a"], "", id="two headers"),
    pytest.param(["Basic YTpi", "Bearer a"], "", id="two headers of two schemes"),
    pytest.param(["Bearer a"], "access_token=a", id="header and query"),
    pytest.param([], "access_token=a", id="query alone"),
    pytest.param([], "x=1&access_token=", id="query, empty"),
    pytest.param([], "%61ccess_token=a", id="query, encoded"),
]


@pytest.mark.parametrize(("header", "token"), ACCEPTED)
def test_a_bearer_token_is_read_from_the_header(header: str, token: str) -> None:
    assert bearer_token([header], "page=2&access_tokens=no") == token


@pytest.mark.parametrize("headers", ABSENT)
def test_another_scheme_counts_as_no_credentials(headers: list[str]) -> None:
    with pytest.raises(NoCredentials):
        bearer_token(headers, "")


@pytest.mark.parametrize(("headers", "query"), MALFORMED)
def test_a_token_sent_in_another_way_is_a_malformed_request(headers: list[str], query: str) -> None:
    with pytest.raises(MalformedCredentials):
        bearer_token(headers, query)


@given(st.text(), st.text())
def test_no_header_or_query_breaks_the_reader(header: str, query: str) -> None:
    try:
        token = bearer_token([header], query)
    except (NoCredentials, MalformedCredentials):
        return
    assert token
    assert token.isascii()
    assert " " not in token


def test_header_values_are_quoted() -> None:
    written = Challenge('urn:"odd"\\').no_credentials().headers["WWW-Authenticate"]
    assert written == 'Bearer realm="urn:\\"odd\\"\\\\"'


@pytest.mark.parametrize("resource", ["line\nbreak", "\u00fc", "\x00"], ids=["line break", "beyond ASCII", "NUL"])
def test_what_no_header_can_carry_is_refused(resource: str) -> None:
    with pytest.raises(ValueError, match="no header value"):
        Challenge(resource).no_credentials()


def test_insufficient_scope_names_all_that_the_request_needs() -> None:
    denial = Challenge("urn:api").insufficient_scope(InsufficientScope(("read", "write"), ("write",)))
    assert denial.status == 403
    assert 'error="insufficient_scope"' in denial.headers["WWW-Authenticate"]
    assert 'scope="read write"' in denial.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("seconds", "said"), [(0, "1"), (1, "1"), (7, "7")])
def test_what_cannot_be_told_now_says_when_to_come_again_and_nothing_of_the_token(seconds: int, said: str) -> None:
    denial = Challenge("urn:api").unavailable(Unavailable("down", retry_after=seconds))
    assert (denial.status, denial.headers["Retry-After"]) == (503, said)
    assert "WWW-Authenticate" not in denial.headers
