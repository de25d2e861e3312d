"""The payer rules of an installation as one book, in which those of a charge are found by its payer and codes.

A book is read whole or not at all: a fault in one file, or a case that fails, refuses it, for a rule that silently does
not judge lets out what it was written to stop.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from charges.errors import BadRules
from charges.model import Payer
from rules.engine import Facts, Rule
from rules.payer.compiled import PayerRule, compiled
from rules.payer.definitions import MOST_RULES, Stage, Written, read

SUFFIXES = frozenset({".yaml", ".yml", ".json", ".csv"})


_Rules = dict[int, Rule]
"""Rules by their number in the book."""


@dataclass(slots=True)
class _Shelf:
    """Rules by the codes they are about: for every line, by a code, by how a code begins.

    One that names codes is asked at once whether its condition holds of a line, for nearly all do not.
    """

    every: _Rules = field(default_factory=dict)
    names: dict[str, list[PayerRule]] = field(default_factory=dict)
    beginnings: dict[str, _Rules] = field(default_factory=dict)

    def put(self, each: PayerRule) -> None:
        if each.codes is None:
            self.every[each.number] = each.rule
            return
        for name in each.codes.names:
            self.names.setdefault(name, []).append(each)
        for beginning in each.codes.beginnings:
            self.beginnings.setdefault(beginning, {})[each.number] = each.rule

    def find(self, facts: Facts, found: _Rules) -> None:
        """Add to ``found`` what may have something to say of one of the billed lines."""
        found.update(self.every)
        names = self.names
        for index, line in facts.billed:
            for each in names.get(line.code, ()):
                try:
                    if each.test(facts, index):
                        found[each.number] = each.rule
                except Exception:  # noqa: BLE001 - it fails again where the rule judges
                    found[each.number] = each.rule
            if self.beginnings:
                for length in range(1, 5):
                    found.update(self.beginnings.get(line.code[:length], _NOTHING))


_NOTHING: _Rules = {}


class Book:
    """Payer rules, compiled and indexed. ``digest`` tells one content from another; it is empty for an empty book."""

    def __init__(self, rules: Iterable[PayerRule] = (), digest: str = "") -> None:
        self.rules = tuple(rules)
        self.digest = digest
        self._everyone = _Shelf()
        self._payers: dict[str, _Shelf] = {}
        self._classes: dict[str, _Shelf] = {}
        for each in self.rules:
            if each.rule.ceiling is None:
                continue
            definition = each.written.definition
            for payer in definition.payers:
                self._payers.setdefault(payer, _Shelf()).put(each)
            for name in definition.payer_classes:
                self._classes.setdefault(name, _Shelf()).put(each)
            if not (definition.payers or definition.payer_classes):
                self._everyone.put(each)

    def __len__(self) -> int:
        return len(self.rules)

    def of(self, facts: Facts) -> list[Rule]:
        """The rules that may have something to say of a charge, each once."""
        found: _Rules = {}
        if self.rules:
            self._everyone.find(facts, found)
            coverages = facts.charge.coverages
            payer = coverages[0].payer if coverages else _NO_PAYER
            if shelf := self._payers.get(payer.payer_id):
                shelf.find(facts, found)
            if shelf := self._classes.get(payer.claim_filing_code):
                shelf.find(facts, found)
        return list(found.values())


_NO_PAYER = Payer()
EMPTY = Book()


def read_texts(name: str, texts: Mapping[str, str], taken: Collection[str] = ()) -> Book:
    """The book of files at hand; raises BadRules with every fault of every file. ``taken`` are ids of other rules."""
    written: list[Written] = []
    faults: list[str] = []
    for file, text in sorted(texts.items()):
        found, wrong = read(file, text)
        written += found
        faults += [f"{file} {fault}" for fault in wrong]
    if len(written) > MOST_RULES:
        faults.append(f"there are {len(written):,} rules, and a book holds {MOST_RULES:,}")
    first: dict[str, Written] = {}
    rules = []
    for number, each in enumerate(written[:MOST_RULES]):
        id, line = each.definition.id, each.line_of(("id",))
        if id in taken:
            faults.append(f"{each.file} line {line}: {id} is the id of a rule that is installed; choose another")
        elif (other := first.setdefault(id, each)) is not each:
            faults.append(f"{each.file} line {line}: {id} stands in {other.file} line {other.line_of(('id',))} too")
        made, wrong = compiled(each, number)
        rules.append(made)
        faults += [f"{each.file} {fault}" for fault in wrong]
        if not wrong and made.definition.stage not in (Stage.DRAFT, Stage.RETIRED):
            faults += [
                f"{each.file} {failure}; a rule that fails its own case stays a draft" for failure in made.failures()
            ]
    if faults:
        raise BadRules(name, faults)
    digest = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest() if texts else ""
    return Book(rules, digest)


def files_of(path: Path) -> list[Path]:
    """The rule files of a folder, or the file itself; raises BadRules when there is no such thing."""
    if path.is_dir():
        found = [each for each in path.iterdir() if each.suffix.lower() in SUFFIXES and not each.name.startswith(".")]
        return sorted(found)
    if path.is_file():
        return [path]
    raise BadRules(str(path), ["it does not exist; correct CHARGES_PAYER_RULES or payer_rules in the profile"])


def texts_of(paths: Iterable[Path]) -> dict[str, str]:
    """The texts of all rule files of folders and files, by path; raises BadRules for what is no text."""
    texts: dict[str, str] = {}
    for path in paths:
        for file in files_of(path):
            try:
                texts[str(file)] = file.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise BadRules(str(file), [f"it cannot be read as a text file ({type(error).__name__})"]) from None
    return texts


def read_book(paths: Iterable[Path], taken: Collection[str] = ()) -> Book:
    """The book of folders and files."""
    chosen = list(paths)
    return read_texts(", ".join(map(str, chosen)), texts_of(chosen), taken) if chosen else EMPTY
