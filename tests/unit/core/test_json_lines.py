"""JSON Lines: what is read, and how what is not is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.json_lines import Fields, JsonLine, Problem, read_json_lines


def only(text: str) -> JsonLine | Problem:
    (read,) = read_json_lines([text])
    return read


def test_objects_are_read_with_their_line_numbers() -> None:
    read = list(read_json_lines(['\ufeff{"a": 1}\r\n', "\n", "  \t\n", '{"b": "\u2028"}']))
    assert read == [JsonLine(1, {"a": 1}), JsonLine(4, {"b": "\u2028"})]


def test_a_problem_prints_line_and_field() -> None:
    assert str(Problem(3, "email", "missing")) == "line 3: email: missing"
    assert str(Problem(3, "", "not JSON")) == "line 3: not JSON"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "not JSON", id="cut short"),
        pytest.param("[1]", "not a JSON object", id="an array"),
        pytest.param("null", "not a JSON object", id="null"),
        pytest.param('{"a": 1, "a": 2}', "twice", id="a field twice"),
        pytest.param('{"a": {"b": 1, "b": 1}}', "twice", id="a nested field twice"),
        pytest.param('{"a": NaN}', "NaN", id="not a number"),
        pytest.param('{"a": "' + "x" * 65536 + '"}', "over 65536 bytes", id="too long"),
        pytest.param('{"a": "' + "é" * 32768 + '"}', "over 65536 bytes", id="too long in bytes"),
        pytest.param("[" * 60000, "too deep", id="nested too deep"),
        pytest.param('{"a": ' + "9" * 5000 + "}", "number too long", id="number too long"),
        pytest.param('{"a": "\udcff"}', "not UTF-8", id="a byte that is not UTF-8"),
        pytest.param('{"a": ["\\u0000"]}', "NUL", id="NUL"),
        pytest.param('{"a": {"\\ud800": 1}}', "surrogate", id="lone surrogate"),
        pytest.param('\ufeff\ufeff{"a": 1}', "not JSON", id="a second byte order mark"),
    ],
)
def test_a_line_that_does_not_hold_is_a_problem(text: str, message: str) -> None:
    read = only(text)
    assert isinstance(read, Problem)
    assert message in read.message


@given(st.text())
def test_no_line_stops_the_reading(text: str) -> None:
    *_, last = read_json_lines([text, "{}"])
    assert last == JsonLine(2, {})


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers()))
def test_what_json_writes_is_read(fields: dict[str, int]) -> None:
    assert only(json.dumps(fields)) == JsonLine(1, fields)


def test_fields_collect_what_does_not_hold() -> None:
    known = ("name", "empty", "number", "flag", "texts", "absent")
    line = JsonLine(7, {"name": "n", "empty": "", "number": 1, "flag": "x", "texts": [1], "surplus": 1})
    fields = Fields(line, known)
    assert fields.text("name") == "n"
    assert fields.text("absent", "default") == "default"
    assert fields.flag("absent", default=True)
    assert fields.texts("absent", ("t",)) == ("t",)
    assert [problem.field for problem in fields.problems] == ["'surplus'"]
    fields.text("absent")
    fields.text("empty")
    fields.text("number")
    fields.flag("flag", default=False)
    fields.texts("texts")
    assert [str(problem) for problem in fields.problems[1:]] == [
        "line 7: absent: missing",
        "line 7: empty: empty",
        "line 7: number: not a string",
        "line 7: flag: not true or false",
        "line 7: texts: not an array of strings",
    ]
