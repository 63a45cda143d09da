"""Request bodies to one value per name: no input is more than a refusal."""

from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.errors import OAuthError
from authcenter.core.form import Form
from authcenter.core.rules import Rule
from authcenter.http.forms import decode_component, parse_form
from tests.workbench import refused

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
names = texts.filter(lambda name: name != "resource")


@given(st.binary(max_size=200) | st.text("a=&%+20FfZ\0\u00e9", max_size=40).map(str.encode))
def test_any_body_is_a_form_or_refused(body: bytes) -> None:
    form = form_or_refusal(body)
    if isinstance(form, OAuthError):
        assert (form.code, form.status) == ("invalid_request", 400)
        assert form.rule in {Rule.FORM_MALFORMED, Rule.PARAMETER_REPEATED}
        return
    for text in (*form.values, *form.values.values(), *form.resources):
        assert "\0" not in text
        text.encode()


def form_or_refusal(body: bytes) -> Form | OAuthError:
    try:
        return parse_form(body)
    except OAuthError as refusal:
        return refusal


@given(st.dictionaries(names, texts, max_size=10), st.lists(texts, max_size=3))
def test_what_an_http_library_writes_is_read(values: dict[str, str], resources: list[str]) -> None:
    pairs = [*values.items(), *(("resource", resource) for resource in resources)]
    form = parse_form(urlencode(pairs).encode())
    assert dict(form.values) == values
    assert list(form.resources) == resources


@given(texts)
def test_both_spellings_of_a_blank_are_read(text: str) -> None:
    assert decode_component(quote(text).encode()) == decode_component(quote_plus(text).encode()) == text


FORMS = [
    pytest.param(b"", {}, id="nothing"),
    pytest.param(b"&&a=1&", {"a": "1"}, id="empty pairs"),
    pytest.param(b"a", {"a": ""}, id="no value"),
    pytest.param(b"a=", {"a": ""}, id="empty value"),
    pytest.param(b"a=b=c", {"a": "b=c"}, id="equals in the value"),
    pytest.param(b"a=x+y%20z%2B", {"a": "x y z+"}, id="blanks and plus"),
    pytest.param("a=\u00e9&b=%C3%A9".encode(), {"a": "\u00e9", "b": "\u00e9"}, id="UTF-8, escaped or not"),
    pytest.param(b"=x", {"": "x"}, id="no name"),
    pytest.param(b"a;b=1", {"a;b": "1"}, id="a semicolon separates nothing"),
]


@pytest.mark.parametrize(("body", "values"), FORMS)
def test_forms(body: bytes, values: dict[str, str]) -> None:
    assert parse_form(body).values == values


BROKEN = [
    pytest.param(b"a=1&a=1", Rule.PARAMETER_REPEATED, id="repeated"),
    pytest.param(b"a=1&%61=2", Rule.PARAMETER_REPEATED, id="repeated in another spelling"),
    pytest.param(b"a=&a=", Rule.PARAMETER_REPEATED, id="repeated and empty"),
    pytest.param(b"a=%", Rule.FORM_MALFORMED, id="percent at the end"),
    pytest.param(b"a=%4", Rule.FORM_MALFORMED, id="half an escape"),
    pytest.param(b"a=%zz", Rule.FORM_MALFORMED, id="no hexadecimal"),
    pytest.param(b"a=%+1", Rule.FORM_MALFORMED, id="a sign in an escape"),
    pytest.param(b"a=%%41", Rule.FORM_MALFORMED, id="two percents"),
    pytest.param(b"a=\xff", Rule.FORM_MALFORMED, id="not UTF-8"),
    pytest.param(b"a=%FF", Rule.FORM_MALFORMED, id="escaped, not UTF-8"),
    pytest.param(b"a=%ED%A0%80", Rule.FORM_MALFORMED, id="a surrogate"),
    pytest.param(b"a=%C0%AF", Rule.FORM_MALFORMED, id="overlong"),
    pytest.param(b"a=%00", Rule.FORM_MALFORMED, id="NUL"),
    pytest.param(b"a\0=1", Rule.FORM_MALFORMED, id="NUL in a name"),
    pytest.param(b"&".join(b"%d=1" % number for number in range(65)), Rule.FORM_MALFORMED, id="65 parameters"),
    pytest.param(b"&" * 100_000, Rule.FORM_MALFORMED, id="ampersands"),
]


@pytest.mark.parametrize(("body", "rule"), BROKEN)
def test_broken_forms(body: bytes, rule: Rule) -> None:
    with refused(rule):
        parse_form(body)


def test_only_resource_may_repeat() -> None:
    assert parse_form(b"resource=a&resource=b&resource=").resources == ("a", "b", "")


def test_the_name_of_a_repeated_parameter_is_not_told() -> None:
    with pytest.raises(OAuthError) as refusal:
        parse_form(b"hunter2=1&hunter2=2")
    assert "hunter2" not in refusal.value.description
    assert "hunter2" in refusal.value.hint
