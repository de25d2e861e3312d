"""Files as the authorities publish them, each made into tables of the store: which file is which, and who reads it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from charges.errors import Refused
from rules.reference.drafts import Dates, Draft
from rules.reference.files import Document, documents
from rules.reference.loaders import fees, hcpcs, icd, lists, ncci

Load = Callable[[Sequence[Document], Dates], Iterator[Draft]]


def _each(load: Callable[[Document, Dates], Iterator[Draft]]) -> Load:
    """A loader of one file, for one or several."""

    def load_each(given: Sequence[Document], told: Dates) -> Iterator[Draft]:
        for document in given:
            yield from load(document, told)

    return load_each


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of published file.

    ``named`` is a pattern of its names; ``members`` are patterns of the file within a zip, the first that is found counts;
    ``licence`` names the terms under which it is published, if there are any; ``own``: it is one practice's.
    """

    name: str
    named: str
    members: tuple[str, ...]
    load: Load
    licence: str = ""
    own: bool = False


AMA = "AMA CPT terms"
NUCC = "NUCC code set terms"

KINDS: tuple[Kind, ...] = (
    Kind("ptp", r"ccipra|practitioner-ptp", (r"ccipra.*\.txt$", r"ccipra.*\.xlsx$"), ncci.load_ptp, AMA),
    Kind("mue", r"mue.*practitioner|practitioner.*mue", (r"practitioner.*\.csv$", r"practitioner.*\.xlsx$"),
         _each(ncci.load_mue), AMA),
    Kind("add_on", r"\bAOC|add-on", (r"AOC.*\.txt$", r"AOC.*\.xlsx$"), _each(ncci.load_add_on), AMA),
    Kind("icd", r"icd10cm[_-]order|code-descriptions", (r"icd10cm[_-]order(?!.*addenda).*\.txt$",), _each(icd.load_order)),
    Kind("icd_notes", r"icd10cm?[_-].*tabular.*(xml|zip)|table-and-index", (r"tabular(?!.*addenda).*\.xml$",),
         _each(icd.load_tabular)),
    Kind("mce", r"\bMCE", (r"MCE.*\.txt$",), _each(lists.load_mce)),
    Kind("hcpcs", r"HCPC20.*ANWEB|alpha-numeric-hcpcs", (r"ANWEB.*\.txt$", r"ANWEB.*\.xlsx$"), _each(hcpcs.load_hcpcs)),
    Kind("fees", r"PPRRVU|\brvu\d\d[a-d]", (r"PPRRVU.*nonQPP.*\.csv$", r"PPRRVU.*\.csv$", r"PPRRVU.*\.txt$"),
         _each(fees.load_fees), AMA),
    Kind("taxonomy", r"nucc_taxonomy", (r"nucc_taxonomy.*\.csv$",), _each(lists.load_taxonomy), NUCC),
    Kind("telehealth", r"telehealth", (r"telehealth.*\.(txt|csv)$", r"telehealth.*\.xlsx$"),
         _each(lists.load_telehealth), AMA),
    Kind("pos", r"^(pos|places?[_-]of[_-]service)", (r"\.csv$",), _each(lists.load_pos)),
    Kind("waived", r"waive", (r"\.csv$",), _each(lists.load_waived)),
    Kind("policies", r"policies|\b[LN]CD", (r"\.csv$",), _each(lists.load_policies)),
    Kind("prices", r"prices|fee[_-]?schedule", (r"\.csv$",), _each(lists.load_prices), own=True),
)  # fmt: skip
"""Every kind of file that can be loaded. The first whose pattern fits a file's name is taken."""


def kind_of(name: str) -> Kind:
    """The kind of a file, by its name; raises Refused."""
    for kind in KINDS:
        if re.search(kind.named, name, re.IGNORECASE):
            return kind
    known = ", ".join(kind.name for kind in KINDS)
    raise Refused(f"{name} does not say by its name which table it is. Say it with --table, one of: {known}.")


def kind_named(name: str) -> Kind:
    """The kind that a user names; raises Refused."""
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        raise Refused(f"There is no table {name}. Known are: {', '.join(kind.name for kind in KINDS)}.")
    return found


def read(kind: Kind, paths: Iterable[Path], told: Dates) -> tuple[list[Document], Iterator[Draft]]:
    """The published files of one kind and the tables in them; raises Unreadable or Refused."""
    found: list[Document] = []
    for path in paths:
        wanted = next((each for pattern in kind.members if (each := documents(path, pattern))), [])
        if not wanted:
            raise Refused(f"{path.name} holds no file of the table {kind.name}.")
        found.extend(wanted)
    return found, kind.load(found, told)
