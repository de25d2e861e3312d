"""`charges refdata`: the code tables of the authorities."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table as Grid

from charges.cli.shared import Actor, AsJson, actor, err, out, parse_day, print_json, progress
from charges.errors import Refused
from charges.settings import read_settings

app = typer.Typer(help="The code tables that rules look into: load, list, verify, fetch.", no_args_is_help=True)

Table = Annotated[
    str, typer.Option("--table", help="Which table, where the file's name does not say.", show_default=False)
]
ReleaseName = Annotated[str, typer.Option("--release", help="What the release is called.", show_default=False)]
From = Annotated[str, typer.Option("--from", help="The first date of service it answers for.", show_default=False)]
To = Annotated[str, typer.Option("--to", help="The last date of service it answers for.", show_default=False)]
Practice = Annotated[str, typer.Option("--practice", help="Whose prices they are, by code.", show_default=False)]
Accept = Annotated[bool, typer.Option("--accept-licence", help="You accept the publisher's terms; that is recorded.")]
Replace = Annotated[bool, typer.Option("--replace", help="Put other content in place of a release that is loaded.")]
Fewer = Annotated[bool, typer.Option("--fewer", help="The table is right though it has far fewer rows than before.")]


@app.command()
def load(
    files: Annotated[list[Path], typer.Argument(help="The files as published, zipped or not; parts together.")],
    table: Table = "",
    release: ReleaseName = "",
    first: From = "",
    last: To = "",
    practice: Practice = "",
    accept_licence: Accept = False,
    replace: Replace = False,
    fewer: Fewer = False,
    by: Actor = "",
) -> None:
    """Load published files; each table whole or not at all."""
    from rules.reference.drafts import Dates
    from rules.reference.loading import Wish

    told = Dates(release, parse_day(first) if first else None, parse_day(last) if last else None)
    if last and not first:
        raise Refused("--to needs --from: say both the first and the last date of service.")
    wish = Wish(told, practice, None, replace, fewer)
    _load(files, table, wish, accept_licence=accept_licence, by=by)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List what is loaded: table, release, dates of service, rows, files, who accepted which terms."""
    from rules.reference import Reference
    from rules.reference.rows import TABLES

    releases = Reference.open(read_settings().reference_dir).releases
    if as_json:
        print_json([release.model_dump(mode="json") for release in releases])
        return
    grid = Grid("table", "release", "from", "to", "rows", "files", "terms accepted")
    for release in releases:
        accepted = release.acceptance
        grid.add_row(
            release.table,
            release.name + (" (sample)" if release.sample else ""),
            str(release.since),
            str(release.until or ""),
            f"{release.rows:,}",
            "\n".join(f"{source.name} {source.sha256[:12]}" for source in release.sources),
            f"{accepted.licence}, {accepted.by}, {accepted.at:%Y-%m-%d}" if accepted else "",
        )
    if releases:
        out.print(grid)
    missing = sorted(TABLES.keys() - {release.table.partition(".")[0] for release in releases if not release.sample})
    if missing:
        out.print(f"Not loaded: {', '.join(missing)}.", markup=False)


@app.command()
def verify() -> None:
    """Read every table whole and compare it with what was written."""
    from rules.reference import Reference

    tables = Reference.open(read_settings().reference_dir)
    for release in tables.verify():
        out.print(f"{release.table} {release.name}: {release.rows:,} rows, whole.", markup=False)
    if not tables.releases:
        out.print("No table is loaded. Begin with `charges refdata load FILE` or `charges refdata fetch TABLE`.")


@app.command()
def fetch(
    table: Annotated[str, typer.Argument(help="The table: ptp, mue, add_on, icd, icd_notes, hcpcs, fees ...")],
    on: Annotated[
        str, typer.Option("--for", help="A date of service the release is for; today.", show_default=False)
    ] = "",
    url: Annotated[
        list[str] | None, typer.Option("--url", help="The file's address, where the publisher's page has changed.")
    ] = None,
    sha256: Annotated[str, typer.Option("--sha256", help="The SHA-256 it must have.", show_default=False)] = "",
    accept_licence: Accept = False,
    replace: Replace = False,
    fewer: Fewer = False,
    by: Actor = "",
) -> None:
    """Download a table from its publisher and load it; what was cut goes on where it was."""
    from charges.refdata.fetching import addresses, download
    from rules.reference.loaders import kind_named
    from rules.reference.loading import Wish

    kind = kind_named(table)
    if kind.licence:
        _accepted(kind, accept_licence=accept_licence, by=by)
    found = addresses(table, parse_day(on) if on else date.today(), url or ())  # noqa: DTZ011 - the day of the person here
    if sha256 and len(found) > 1:
        raise Refused("--sha256 is of one file, and this table has several. Leave it out.")
    folder = read_settings().reference_dir / "downloads"
    paths = []
    for address in found:
        with progress(f"downloading {address.rpartition('/')[2]}") as advance:
            paths.append(download(address, folder, advance, sha256=sha256))
    _load(paths, table, Wish(replace=replace, fewer=fewer), accept_licence=True, by=by)


def _load(files: list[Path], table: str, wish: Any, *, accept_licence: bool, by: str) -> None:  # noqa: ANN401
    """Load the files, those of one kind together."""
    from dataclasses import replace as changed

    from rules.reference.loaders import Kind, kind_named, kind_of
    from rules.reference.loading import load as load_kind

    for file in files:
        if not file.is_file() or not os.access(file, os.R_OK):
            raise Refused(f"{file} is no file that can be read.")
    by_kind: dict[Kind, list[Path]] = {}
    for file in files:
        by_kind.setdefault(kind_named(table) if table else kind_of(file.name), []).append(file)
    for kind, paths in by_kind.items():
        acceptance = _accepted(kind, accept_licence=accept_licence, by=by) if kind.licence else None
        for release in load_kind(read_settings().reference_dir, kind, paths, changed(wish, acceptance=acceptance)):
            until = f"to {release.until}" if release.until else "on"
            said = f"{release.rows:,} rows, for services from {release.since} {until}."
            out.print(f"{release.table} {release.name} is loaded: {said}", markup=False)


_TERMS = {
    "AMA CPT terms": "CPT codes are copyright of the American Medical Association. CMS gives this table out for use "
    "within your organization, in programs that CMS administers; read the terms at "
    "https://www.cms.gov/license/ama before you accept. No description of a code is stored.",
    "NUCC code set terms": "The provider taxonomy is copyright of the American Medical Association on behalf of the NUCC; "
    "read the terms at https://www.nucc.org before you accept.",
}


def _accepted(kind: Any, *, accept_licence: bool, by: str) -> Any:  # noqa: ANN401 - loaded late, so that help is quick
    """Who accepts the terms of a kind of file and when: by the option, or asked on a terminal; raises Refused."""
    from rules.reference.store import Acceptance

    if not accept_licence:
        err.print(_TERMS[kind.licence], markup=False)
        if not err.is_terminal or not typer.confirm("Do you accept these terms?", err=True):
            raise Refused(
                f"The table {kind.name} is not loaded: its terms are not accepted. Scripts say --accept-licence."
            )
    return Acceptance(licence=kind.licence, by=actor(by), at=datetime.now(UTC))
