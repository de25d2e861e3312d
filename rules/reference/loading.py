"""Loading published files into a folder of tables: whole or not at all, and never a table that looks cut short."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from charges.errors import Refused
from rules.reference.drafts import Dates
from rules.reference.library import Reference, file_name
from rules.reference.loaders import Kind, read
from rules.reference.rows import table_of
from rules.reference.store import Acceptance, Release, Source, Store, map_file, read_release, write

FEWEST = 0.9
"""A table of fewer rows than this share of the release before is taken for one that was cut short."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user says of a load beside the files.

    ``variant`` names the practice of a table that is one practice's; ``replace`` allows another content under a name that
    is loaded; ``fewer`` allows far fewer rows than the release before has.
    """

    told: Dates = field(default_factory=Dates)
    variant: str = ""
    acceptance: Acceptance | None = None
    replace: bool = False
    fewer: bool = False


def load(folder: Path, kind: Kind, paths: Sequence[Path], wish: Wish) -> list[Release]:
    """Make releases of published files and put them into the folder.

    Raises Unreadable when a file is not what it claims to be, Refused when a person must decide first.
    """
    if kind.own != bool(wish.variant):
        raise Refused(
            f"The table {kind.name} is a practice's own; say whose with --practice."
            if kind.own
            else f"The table {kind.name} is the same for all practices; leave out --practice."
        )
    for name in (wish.told.name, wish.variant):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}|", name):
            raise Refused(f"{name} cannot be a name; it may hold letters, digits, dots and dashes.")
    documents, drafts = read(kind, paths, wish.told)
    sources = tuple(dict.fromkeys(Source(name=each.name, sha256=each.sha256) for each in documents))
    present = Reference.open(folder, samples=False).releases
    packed = [
        draft.pack(sources, name=wish.told.name, variant=wish.variant, acceptance=wish.acceptance) for draft in drafts
    ]
    for release, _ in packed:
        _check(folder, release, present, wish)
    return [_put(folder, release, content) for release, content in packed]


def _check(folder: Path, release: Release, present: Sequence[Release], wish: Wish) -> None:
    path = folder / file_name(release)
    if path.exists() and read_release(path).sources != release.sources and not wish.replace:
        raise Refused(
            f"{release.table} {release.name} is loaded already, from other files. Give this one another name with "
            "--release, so that what was judged by the first can still be told, or use --replace."
        )
    before = next((each for each in present if _is_earlier(each, release)), None)
    if before and release.rows < before.rows * FEWEST and not wish.fewer:
        raise Refused(
            f"{release.table} {release.name} has {release.rows:,} rows where {before.name} has {before.rows:,}; it looks "
            "cut short. If it is right, load it with --fewer."
        )


def _is_earlier(one: Release, other: Release) -> bool:
    """Whether one release of a table is the other's predecessor, or one more before it."""
    ends = (one.until or date.max) <= (other.until or date.max)
    return one.table == other.table and one.name != other.name and ends


def _put(folder: Path, release: Release, content: bytes) -> Release:
    path = write(folder, content, file_name(release))
    table = table_of(release.table)
    assert table is not None
    store = Store(map_file(path), table.decode, path.name)
    store.verify()
    return store.release
