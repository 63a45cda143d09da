"""Fuzzing with coverage as guide, for a bounded time."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

_PROJECT = Path(__file__).parents[3]
_SECONDS = 15
_MOST_SECONDS_AN_INPUT = 60  # a hang, and no slowness of the machine


@pytest.mark.timeout(300)
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed: no wheel for here")
def test_no_input_breaks_what_the_sdk_reads_from_strangers(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    limits = [f"-max_total_time={_SECONDS}", f"-timeout={_MOST_SECONDS_AN_INPUT}", "-max_len=20000"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.sdk.fuzzing", *limits, str(corpus)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(_PROJECT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    assert re.search(r"^Done [0-9]+ runs", done.stderr, re.MULTILINE), done.stderr[-4_000:]
