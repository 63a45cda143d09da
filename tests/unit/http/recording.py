"""Responses as text, compared with what was recorded; ``UPDATE_SNAPSHOTS=1`` records them anew."""

import json
import os
import re
from pathlib import Path

import aiohttp

_FOLDER = Path(__file__).parent / "snapshots"
_VARYING = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"), "UUID7"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "JWT"),
    (re.compile(r"acr_[\w-]{22}\.[\w-]{43}"), "REFRESH_TOKEN"),
    (re.compile(r'"(jti|fam|kid|x|y)":"[\w-]+"'), r'"\1":"VARIES"'),
    (re.compile(r"usr_[\w-]{22}"), "SUBJECT"),
]
_LEFT_OUT = {"date", "content-length"}


async def compare(name: str, response: aiohttp.ClientResponse) -> None:
    """Whether status, headers and body are those recorded under ``name``."""
    headers = sorted((key.title(), value) for key, value in response.headers.items() if key.lower() not in _LEFT_OUT)
    body = await response.text()
    if response.content_type == "application/jwk-set+json":
        headers = [(key, "VARIES" if key == "Etag" else value) for key, value in headers]
        keys = sorted(json.loads(body)["keys"], key=lambda key: key["kty"])
        body = json.dumps({"keys": keys}, separators=(",", ":"))
    lines = [str(response.status), *(f"{key}: {value}" for key, value in headers), "", body]
    text = "\n".join(lines).rstrip() + "\n"
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    file = _FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(text)
    assert text == file.read_text()
