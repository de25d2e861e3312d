"""`charges keys`: the keyring that encrypts patient data."""

from pathlib import Path
from typing import Annotated

import typer

from charges.cli.shared import AsJson, out, print_json, progress
from charges.errors import Refused

app = typer.Typer(help="The keys that encrypt patient data.", no_args_is_help=True)


@app.command()
def new(file: Annotated[Path, typer.Argument(help="Where to write the key file.")]) -> None:
    """Make a key file. Keep a copy in a safe place: without it the database cannot be read."""
    from charges.keyring import new_keyring, write_keyring

    write_keyring(new_keyring(), file)
    out.print(f"{file} is written and only you can read it. Keep a copy in a safe place.", markup=False)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the keys by number and how many rows each still seals."""
    from charges.cli.operate import open_pipeline
    from charges.rotation import rows_by_key

    database = open_pipeline().database
    counts = rows_by_key(database)
    if as_json:
        print_json({"current": database.keyring.current, "rows": counts})
        return
    for number in sorted(set(database.keyring.keys) | set(counts)):
        note = " (seals what is stored now)" if number == database.keyring.current else ""
        missing = "" if number in database.keyring.keys else " NOT IN THE KEYRING"
        out.print(f"key {number}: {counts.get(number, 0)} rows{note}{missing}")


@app.command()
def rotate(
    resume: Annotated[bool, typer.Option("--resume", help="Make no new key, only finish sealing anew.")] = False,
) -> None:
    """Add a key and seal everything anew with it; stopped anywhere, `--resume` goes on.

    Restart the workers afterwards, so that they seal with the new key.
    """
    from charges.cli.operate import open_pipeline
    from charges.keyring import write_keyring
    from charges.rotation import reseal_all, rows_by_key

    pipeline = open_pipeline()
    database, settings = pipeline.database, pipeline.settings
    if not resume:
        if settings.key is not None:
            raise Refused(
                "The keyring stands in CHARGES_KEY, where it cannot be changed from here. Add an entry with the next "
                "number to it (`charges keys new FILE` makes one), restart, and run `charges keys rotate --resume`."
            )
        keyring = database.keyring.with_new_key()
        write_keyring(keyring, settings.key_file, replace=True)
        pipeline = open_pipeline()
        database = pipeline.database
    with progress("sealing anew", total=sum(rows_by_key(database).values())) as advance:
        count = reseal_all(database, advance)
    out.print(f"{count} rows are sealed anew with key {database.keyring.current}. Old keys seal nothing any more.")
