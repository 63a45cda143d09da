"""Logs: JSON lines, with secrets redacted by type and strangers' text cut."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import SecretBytes, SecretStr

from authcenter.core.secret import Secret
from authcenter.telemetry.logs import configure_logs, redact, set_level


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("INFO", stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


SECRETS = [Secret("hunter2"), SecretStr("hunter2"), SecretBytes(b"hunter2")]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: [s], lambda s: {"a": {"b": (s,)}}, lambda s: f"{s}"])
def test_secrets_are_hidden_by_their_type(stream: io.StringIO, secret: object, wrap: object) -> None:
    structlog.get_logger().info("event", value=wrap(secret))  # type: ignore[operator]
    assert "hunter2" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_a_line_is_one_json_object(stream: io.StringIO) -> None:
    structlog.get_logger().warning("event", text="line\nbreak\u2028\x00", number=1, thing=object())
    (line,) = stream.getvalue().splitlines()
    fields = json.loads(line)
    assert (fields["event"], fields["level"], fields["number"]) == ("event", "warning", 1)
    assert fields["text"] == "line\nbreak\u2028\x00"
    assert fields["timestamp"].endswith("Z")


@pytest.mark.parametrize("text", ["x" * 5_000, "line\n" * 5_000], ids=["one line", "many lines"])
def test_long_text_is_cut_and_a_traceback_is_not(text: str) -> None:
    shown = redact(None, "info", {"text": text, "nested": [text], "exception": text})
    assert len(shown["text"]) == len(shown["nested"][0]) == 2_001
    assert shown["exception"] == text


def test_libraries_log_in_the_same_form_from_warning_on(stream: io.StringIO) -> None:
    logging.getLogger("library").info("quiet")
    logging.getLogger("library").warning("loud %s", "text")
    (line,) = stream.getvalue().splitlines()
    fields = json.loads(line)
    assert (fields["event"], fields["logger"], fields["level"]) == ("loud text", "library", "warning")


def test_the_level_can_be_changed_while_it_runs(stream: io.StringIO) -> None:
    structlog.get_logger().debug("before")
    set_level("DEBUG")
    structlog.get_logger().debug("after")
    assert "before" not in stream.getvalue()
    assert "after" in stream.getvalue()


def test_an_exception_comes_with_its_traceback_in_one_line(stream: io.StringIO) -> None:
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        structlog.get_logger().exception("defect")
    (line,) = stream.getvalue().splitlines()
    assert "ZeroDivisionError: " in json.loads(line)["exception"]
