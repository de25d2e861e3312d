"""``python -m tests.rules.reference.whole FOLDER`` loads the real tables whole, to measure the rules with.

They are put into their published layouts first, and answer for every day of this decade, so that the invented charges are
judged with them: ``CHARGES_REFERENCE_DIR=FOLDER charges bench rules``. They lie beside the project where it is developed.
"""

import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from rules.reference.drafts import Dates
from rules.reference.loaders import kind_named
from rules.reference.loading import Wish, load
from tests.rules.reference import published

WISH = Wish(told=Dates(since=date(2020, 1, 1), until=date(2029, 12, 31)))


def written(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """The files of each table in its published layout."""
    yield "mue", [published.write_mue(folder, published.real_mue(), "07-01-2024", "csv")]
    yield "add_on", [published.write_add_on(folder, published.real_add_on(), "2024Q3", "txt")]
    yield "hcpcs", [published.write_hcpcs(folder, published.real_hcpcs(), "2024_JUL", "txt")]
    yield "icd", [published.write_order(folder / "icd10cm-order-april-2026.txt", *published.real_diagnoses())]
    yield "icd_notes", [published.real("icd10c-tabular-April-1-2026.xml")]
    yield "mce", [published.real("MCE_Simple_Code_Edits_v37.txt")]
    yield "ptp", published.write_ptp(folder, sorted(published.real_ptp(step=1)), "v302r0")


def main(folder: Path) -> None:
    """Load each table."""
    with tempfile.TemporaryDirectory() as scratch:
        for table, paths in written(Path(scratch)):
            load(folder, kind_named(table), paths, WISH)
            print(table)  # noqa: T201 - progress of a command for developers


if __name__ == "__main__":
    main(Path(sys.argv[1]))
