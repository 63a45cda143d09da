"""Where two URIs differ, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.audit.differences import closest, difference

URI = "https://app.example/callback"


@pytest.mark.parametrize(
    ("came", "said"),
    [
        pytest.param(URI, "they do not differ", id="the same"),
        pytest.param(f"{URI}/", "at character 29: `/` is too much", id="a slash too much"),
        pytest.param(URI[:-1], "at character 28: `k` is missing", id="cut short"),
        pytest.param(URI.replace("callback", "Callback"), "at character 21: `C` instead of `c`", id="case"),
        pytest.param(URI.replace("https", "http"), "at character 5: `s` is missing", id="scheme"),
        pytest.param(URI.replace("app", "a\u0440p"), "at character 10: '\\u0440' instead of `p`", id="a look-alike"),
        pytest.param(URI.replace("/c", "/\x1b[31mc"), "at character 21: '\\x1b[31m' is too much", id="colours"),
    ],
)  # fmt: skip
def test_the_first_place_is_named(came: str, said: str) -> None:
    assert difference(URI, came) == said


def test_that_there_are_more_places_is_said() -> None:
    assert difference("https://a.example/cb", "http://b.example/cb/").endswith("and 2 more")


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_is_said_stands_on_one_line_of_printable_text(one: str, other: str) -> None:
    said = difference(one, other)
    assert said.isascii()
    assert said.isprintable()
    assert (said == "they do not differ") == (one == other)


def test_the_nearest_is_found_and_what_is_near_nothing_is_not_compared() -> None:
    known = ["https://app.example/callback", "https://other.example/signed-in"]
    assert closest("https://app.example/callbak", known) == known[0]
    assert closest("https://other.example/signed-in?x=1", known) == known[1]
    assert closest("myapp:", known) is None
    assert closest("x", []) is None
