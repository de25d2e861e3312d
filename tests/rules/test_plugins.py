"""Packages of rules: the example is installed and used, and one that is broken takes nothing with it but itself."""

import doctest
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "chargerouter-rules-example"
PROGRAM = """
import json, sys
from rules.engine import judge, load
from rules.examples import charge, facts, line
said = judge(load(), facts(charge(line("11730"))))
print(json.dumps([[each.rule, each.severity, each.message] for each in said]))
"""


def installed(tmp_path: Path, project: Path) -> Path:
    """Where a project is installed to, with the metadata that a wheel of it carries."""
    copy, site = tmp_path / "project", tmp_path / "site"
    shutil.copytree(project, copy)
    words = ("--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--target", str(site))
    subprocess.run([sys.executable, "-m", "pip", "install", *words, str(copy)], check=True, timeout=120)
    return site


def declared(site: Path, name: str, module: str) -> None:
    """A package's entry point as an installer writes it."""
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text(f"[charges.rules]\n{name} = {module}\n", encoding="utf-8")


def said_with(site: Path) -> list[list[str]]:
    """What is said of a nail procedure by a program that has these packages."""
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    said: list[list[str]] = json.loads(done.stdout)
    return said


def test_the_example_is_installed_and_judges(tmp_path: Path) -> None:
    if importlib.util.find_spec("pip") is None or importlib.util.find_spec("hatchling") is None:
        pytest.skip("pip and hatchling are needed to install a package")
    said = said_with(installed(tmp_path, EXAMPLE))
    assert said == [["LAK-001", "warn", "Line 1: 11730 names no finger or toe."]]


def test_a_broken_package_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "lakeside_rules", tmp_path / "lakeside_rules")
    declared(tmp_path, "lakeside", "lakeside_rules")
    declared(tmp_path, "absent", "no_such_module")
    (tmp_path / "broken_rules.py").write_text("1 / 0\n", encoding="utf-8")
    declared(tmp_path, "broken", "broken_rules")
    taken = (EXAMPLE / "lakeside_rules" / "nail_without_digit.py").read_text(encoding="utf-8")
    (tmp_path / "taken_rules.py").write_text(taken.replace("LAK-001", "GLB-002"), encoding="utf-8")
    declared(tmp_path, "taken", "taken_rules")
    assert said_with(tmp_path) == [
        ["ENG-002", "warn", f"The rules of the package {name} judge nothing, for it cannot be used ({why})."]
        for name, why in (
            ("absent", "ModuleNotFoundError"),
            ("broken", "ZeroDivisionError"),
            ("taken", "the id GLB-002 is in use already"),
        )
    ] + [["LAK-001", "warn", "Line 1: 11730 names no finger or toe."]]


def test_the_example_is_documented_as_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    module: Any = importlib.import_module("lakeside_rules.nail_without_digit")
    assert doctest.testmod(module) == (0, 3)
    assert module.nail_without_digit.authority.endswith(".")
