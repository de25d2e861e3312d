"""What `make check` looks at beside format, lint, types and imports: documents and migrations in step with the code.

``python -m tests.checks --write`` writes the generated documents anew.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import alembic.command
from alembic.util.exc import CommandError

from charges.db import alembic_config, create_database_engine, upgrade
from charges.settings import Settings, settings_table
from charges.simulator import openapi_json
from rules.catalogue import page
from rules.engine import load

ROOT = Path(__file__).parent.parent
SETTINGS_INTRODUCTION = """# Settings

Chargerouter reads its settings from the environment. A setting that cannot work is refused at start with its name.

"""


def documents() -> Iterator[tuple[Path, str]]:
    """Each generated document and what it should say."""
    yield ROOT / "docs" / "settings.md", SETTINGS_INTRODUCTION + settings_table() + "\n"
    yield ROOT / "docs" / "rules.md", page(load())
    yield ROOT / "docs" / "eclinicalworks-api.json", openapi_json()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (rule,) = re.findall(r"`(rules/\w+/\w+\.py)`:", readme)
    yield ROOT / "README.md", _replaced(readme, "rule", (ROOT / rule).read_text(encoding="utf-8"))


def _replaced(text: str, name: str, content: str) -> str:
    pattern = rf"(<!-- {name} -->\n```\w*\n).*?(```\n<!-- /{name} -->)"
    return re.sub(pattern, lambda found: found[1] + content + found[2], text, flags=re.DOTALL)


def migrations_match() -> bool:
    """Whether the models ask for nothing that the migrations do not make."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_database_engine(Settings(database_url=f"sqlite:///{folder}/check.db"))
        upgrade(engine)
        config = alembic_config()
        try:
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                alembic.command.check(config)
        except CommandError:
            return False
        finally:
            engine.dispose()
    return True


def demo_output(folder: Path | str) -> str:
    """What the demo prints, run in a folder as the README says: on a day of its own, because another has other visits."""
    done = subprocess.run(
        [sys.executable, "-m", "charges", "demo", "--dir", "demo", "--show", "4", "--as-of", "2026-11-16"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120"},
        check=True,
    )
    return done.stdout


def write_demo() -> None:
    """Put the demo's output into the README."""
    with tempfile.TemporaryDirectory() as folder:
        output = demo_output(folder)
    path = ROOT / "README.md"
    path.write_text(_replaced(path.read_text(encoding="utf-8"), "demo", output), encoding="utf-8")


def main() -> int:
    """Say what is not in step; 1 if anything is."""
    if "--write" in sys.argv:
        for path, wanted in documents():
            path.write_text(wanted, encoding="utf-8")
        write_demo()
    faults = [
        f"{path.relative_to(ROOT)} is not in step with the code; run `python -m tests.checks --write`."
        for path, wanted in documents()
        if path.read_text(encoding="utf-8") != wanted
    ]
    if not migrations_match():
        faults.append("The models ask for a migration that does not exist; run `alembic revision --autogenerate`.")
    for fault in faults:
        print(fault)  # noqa: T201 - this is a command
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
