"""The README says what is true: its demo's output, its rule, its commands."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from charges.cli.main import app
from tests.checks import demo_output

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```\n<!-- /{name} -->", README, re.DOTALL)
    assert found
    return found[1]


def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    assert demo_output(tmp_path) == _block("demo"), "run `python -m tests.checks --write`"


def test_the_rule_shown_is_the_rule_there() -> None:
    (path,) = re.findall(r"`(rules/\w+/\w+\.py)`:", README)
    assert _block("rule") == (ROOT / path).read_text(encoding="utf-8")


def _code(text: str) -> str:
    """What a document shows as code, in blocks and within sentences."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_link_leads_nowhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_named_exists(document: Path) -> None:
    first_level = cast("Any", typer.main.get_command(app)).commands
    text = document.read_text(encoding="utf-8")
    said = re.findall(r"(?:^|&& )charges ([a-z]\w*)(?: ([a-z]\w*))?", _code(text), re.MULTILINE)
    for name, following in said:
        assert name in first_level, name
        below = getattr(first_level[name], "commands", {})
        assert not (below and following) or following in below, f"{name} {following}"


def test_every_test_named_exists() -> None:
    for target in re.findall(r"`(tests/[\w/]+\.py)`", README):
        assert (ROOT / target).exists(), target


def test_every_document_is_linked() -> None:
    missing = {path.name for path in ROOT.glob("docs/*") if f"](docs/{path.name}" not in README}
    assert missing == set()


def test_every_dependency_is_explained() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[>=<,]", each)[0] for each in project["dependencies"]}
    table = README[README.index("## What it stands on") :].lower()
    assert {name for name in names if name not in table} == set()
