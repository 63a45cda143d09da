"""Answers held against the description of the service (``/openapi.json``)."""

import functools
from typing import Any

from jsonschema import Draft202012Validator

from authcenter.http.openapi import description
from tests.workbench import ISSUER


def check_described(method: str, path: str, status: int, content_type: str, body: Any) -> None:
    """Fails where the description does not know such an answer. ``path``: as it was asked for, without its query."""
    document = _document()
    operation = _operation(path, method.lower())
    if operation is None:
        return
    known = operation["responses"]
    assert str(status) in known, f"{method} {path} answered {status}, described are {', '.join(known)}"
    answer = known[str(status)]
    while "$ref" in answer:
        answer = functools.reduce(lambda at, name: at[name], answer["$ref"].removeprefix("#/").split("/"), document)
    described = answer.get("content", {})
    if not described:
        assert not body, f"{method} {path} answered a body, none is described"
        return
    media = content_type.partition(";")[0]
    assert media in described, f"{method} {path} answered {media}"
    schema = {**described[media]["schema"], "components": document["components"]}
    problems = [f"{list(one.path)}: {one.message}" for one in Draft202012Validator(schema).iter_errors(body)]
    assert problems == [], f"{method} {path}: {problems}"


@functools.cache
def _document() -> dict[str, Any]:
    return description(ISSUER)


def _operation(path: str, method: str) -> dict[str, Any] | None:
    came = path.split("/")
    for pattern, item in sorted(_document()["paths"].items(), key=lambda one: one[0].count("{")):
        segments = pattern.split("/")
        fits = len(segments) == len(came) and all(map(_fits, segments, came))
        if fits and method in item:
            found: dict[str, Any] = item[method]
            return found
    return None


def _fits(segment: str, came: str) -> bool:
    return segment.startswith("{") or segment == came
