"""A watched policy file: what an editor, a deployment or an accident does to it."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from authcenter.settings.errors import PolicyError
from authcenter.settings.file import FilePolicySource, boot_policy
from authcenter.settings.policy import Policy, parse_policy

Step = Callable[[], object]


async def told(path: Path, *steps: Step) -> list[str]:
    """What the source tells while one step happens between every two looks; it looks a few times more at the end."""
    texts: list[str] = []
    remaining = [*steps, *[lambda: None] * 3]
    over = asyncio.Event()

    async def sleep(_: float) -> None:
        if not remaining:
            over.set()
            await asyncio.Event().wait()
        remaining.pop(0)()

    async def listen() -> None:
        async for text in FilePolicySource(path, 0.5, sleep).changes():
            texts.append(text)

    listening = asyncio.create_task(listen())
    await over.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return texts


def still() -> None:
    """Nothing happens between two looks."""


def replace(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text("one")
    return file


async def test_the_present_content_is_told_first_and_once(path: Path) -> None:
    assert await told(path, still, still, still) == ["one"]


async def test_an_edit_in_place_is_told(path: Path) -> None:
    assert await told(path, still, lambda: path.write_text("two"), still) == ["one", "two"]


async def test_an_edit_that_leaves_size_and_time_alone_is_told(path: Path) -> None:
    before = path.stat()

    def edit() -> None:
        path.write_text("two")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert await told(path, still, edit, still) == ["one", "two"]


async def test_an_atomic_rename_is_told(path: Path) -> None:
    assert await told(path, still, lambda: replace(path, "two"), still) == ["one", "two"]


async def test_touching_the_file_is_not_a_change(path: Path) -> None:
    assert await told(path, still, path.touch, still, lambda: replace(path, "one"), still) == ["one"]


async def test_a_file_that_is_being_written_is_told_when_it_stands_still(path: Path) -> None:
    steps = [still, lambda: path.write_text(""), lambda: path.write_text("tw"), lambda: path.write_text("two"), still]
    assert await told(path, *steps) == ["one", "two"]


async def test_a_deleted_file_tells_nothing_until_it_is_back(path: Path) -> None:
    assert await told(path, still, path.unlink, still, still, lambda: path.write_text("two"), still) == ["one", "two"]
    assert await told(path, still, path.unlink, still, lambda: path.write_text("two"), still) == ["two"]


async def test_a_file_that_appears_later_is_told(tmp_path: Path) -> None:
    path = tmp_path / "later" / "policy.yaml"

    def appear() -> None:
        path.parent.mkdir()
        path.write_text("one")

    assert await told(path, still, appear, still) == ["one"]


async def test_a_directory_in_its_place_tells_nothing(path: Path) -> None:
    def obstruct() -> None:
        path.unlink()
        path.mkdir()

    assert await told(path, still, obstruct, still, path.rmdir, lambda: path.write_text("two"), still) == ["one", "two"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_a_file_without_permission_tells_nothing(path: Path) -> None:
    def forbid() -> None:
        path.write_text("two")
        path.chmod(0)

    assert await told(path, still, forbid, still, still) == ["one"]
    path.chmod(0o600)
    assert await told(path, still) == ["two"]


async def test_a_symbolic_link_that_is_swapped_as_kubernetes_does_is_told(tmp_path: Path) -> None:
    for name, text in (("..1", "one"), ("..2", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "policy.yaml").symlink_to("..data/policy.yaml")

    def swap() -> None:
        (tmp_path / "..tmp").symlink_to("..2")
        (tmp_path / "..tmp").replace(tmp_path / "..data")

    assert await told(tmp_path / "policy.yaml", still, swap, still) == ["one", "two"]


async def test_a_dangling_link_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").symlink_to("nowhere")
    assert await told(tmp_path / "policy.yaml", still) == []


def test_bytes_that_are_no_text_are_told_and_refused_by_the_parser(path: Path) -> None:
    path.write_bytes(b"brand: {name: \xff}")
    text = FilePolicySource(path).read()
    assert text is not None
    with pytest.raises(PolicyError, match="must be UTF-8 text"):
        parse_policy(text, source="file")


def test_a_pipe_in_its_place_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "policy.yaml")
    assert FilePolicySource(tmp_path / "policy.yaml").read() is None


def test_booting_without_the_default_file_takes_the_built_in_policy(tmp_path: Path) -> None:
    assert boot_policy(tmp_path / "policy.yaml", may_be_absent=True) == Policy()
    with pytest.raises(PolicyError, match=r"policy\.yaml: cannot be read"):
        boot_policy(tmp_path / "policy.yaml", may_be_absent=False)
    with pytest.raises(PolicyError, match="cannot be read"):
        boot_policy(tmp_path, may_be_absent=True)
    (tmp_path / "policy.yaml").symlink_to("nowhere")
    with pytest.raises(PolicyError, match="cannot be read"):
        boot_policy(tmp_path / "policy.yaml", may_be_absent=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(PolicyError, match="cannot be read"):
        boot_policy(tmp_path / "file" / "policy.yaml", may_be_absent=True)


def test_booting_on_a_bad_file_is_refused_by_name(path: Path) -> None:
    path.write_text("tokens: {access_ttl: 1}\nbrnd: {}")
    with pytest.raises(PolicyError) as refused:
        boot_policy(path, may_be_absent=True)
    assert refused.value.problems == (
        f"{path}: tokens.access_ttl: must be at least 5 (got 1)",
        f"{path}: brnd: unknown field; did you mean brand?",
    )


def test_the_example_file_is_good_and_changes_nothing_dangerous() -> None:
    assert boot_policy(Path(__file__).parents[3] / "config" / "policy.yaml", may_be_absent=False) == Policy()
