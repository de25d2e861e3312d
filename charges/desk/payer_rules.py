"""Payer rules as people write them: tried on their cases while they are written, and on stored charges before they count.

The files of a practice's own folder (``payer_rules`` in its profile) are what is written; those of the whole installation
belong to whoever runs it.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from charges import lifecycle, scrub
from charges.db import Database
from charges.desk import sharing as desk
from charges.errors import BadRules, Missing, Refused, Stale
from charges.pipeline import Applied, Pipeline
from charges.tables import ChargeRow, ItemState, ReviewItemRow, UserRow
from rules.engine import Rule, judge
from rules.payer.book import SUFFIXES, files_of, read_texts, texts_of
from rules.payer.compiled import PayerRule, compiled
from rules.payer.definitions import read

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}\.(yaml|yml|csv)")
MOST_CHARGES = 200
"""On so many of a practice's newest charges a rule is tried at most."""
MOST_HITS = 1000
"""Hits are counted up to here; more are as good."""


@dataclass(frozen=True, slots=True)
class TriedRule:
    """A rule of a text, with the cases of its own that fail, as sentences."""

    id: str
    title: str
    stage: str
    cases: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a text of payer rules is worth: each fault with its line, and its rules with their cases."""

    faults: tuple[str, ...]
    rules: tuple[TriedRule, ...]

    @property
    def holds(self) -> bool:
        """Whether it has no fault and every case holds."""
        return not self.faults and not any(each.failures for each in self.rules)


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule would say of a stored charge."""

    charge: int
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Shadow:
    """What the rules of a text would say of so many of a practice's newest charges."""

    looked_at: int
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file of payer rules of a practice; ``digest`` tells its content from another."""

    name: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """How much a rule's findings weigh for whom, where the profile says so."""

    whom: str
    severity: str


def digest_of(text: str) -> str:
    """What tells one text from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def files(applied: Applied) -> Sequence[File]:
    """The files of a practice's own folder, none where it has no folder."""
    folder = applied.practice.payer_rules
    if folder is None or not folder.exists():
        return ()
    texts = texts_of([folder])
    return [File(path.name, texts[str(path)], digest_of(texts[str(path)])) for path in files_of(folder)]


def file(applied: Applied, name: str) -> File:
    """One of them; raises Missing."""
    found = next((each for each in files(applied) if each.name == name), None)
    if found is None:
        raise Missing(f"{applied.practice.code} has no file {name} of payer rules.")
    return found


def tried(pipeline: Pipeline, name: str, text: str) -> Tried:
    """A text's faults, and its rules with the cases that fail; nothing is stored."""
    made, faults = _made(pipeline, name, text)
    rules = [
        TriedRule(
            each.rule.id,
            each.rule.title,
            each.definition.stage.value,
            len(each.definition.cases.fires) + len(each.definition.cases.passes),
            tuple(each.failures()),
        )
        for each in made
    ]
    return Tried(tuple(faults), tuple(rules))


def shadow(pipeline: Pipeline, applied: Applied, name: str, text: str, *, by: str) -> Shadow:
    """What the rules of a text would say of a practice's newest charges, whatever their stage.

    Nothing is stored but that each of the charges was read: whoever writes a rule can ask anything of them by it.
    """
    made, _ = _made(pipeline, name, text)
    with pipeline.database.transaction() as session:
        numbers = session.scalars(
            select(ChargeRow.id)
            .where(ChargeRow.practice_id == applied.id)
            .order_by(ChargeRow.id.desc())
            .limit(MOST_CHARGES)
        ).all()
    desk.saw(pipeline.database, numbers, desk.Look.TRIAL, by=by, clock=pipeline.clock)
    said = []
    for number in numbers:
        facts = scrub.facts_of(pipeline.database, applied.practice, number, pipeline.clock(), pipeline.tables)
        asked = [each.rule for each in made if each.concerns(facts.charge)]
        said += [Said(number, finding.rule, finding.message) for finding in judge(asked, facts)]
    return Shadow(len(numbers), tuple(said))


def save(pipeline: Pipeline, applied: Applied, written: File, *, by: str, user_id: int) -> None:
    """Write a file of a practice's folder whole; what it says counts from the next run on.

    ``written.digest`` is that of the text it was made from, empty for a new file. Raises BadRules with every fault, and
    then nothing is written; Stale when somebody else wrote the file meanwhile; Refused for a name that is none.
    """
    folder = applied.practice.payer_rules
    if folder is None or not folder.is_dir():
        raise Refused(
            f"{applied.practice.code} has no folder of payer rules. Make one and name it with payer_rules in its profile."
        )
    if not _NAME.fullmatch(written.name) or Path(written.name).suffix not in SUFFIXES:
        raise Refused("A file has a name of letters, digits, - and _, and ends in .yaml, .yml or .csv.")
    path = folder / written.name
    with pipeline.database.alone_at(f"payer rules {applied.id}") as is_mine:
        before = next((each.digest for each in files(applied) if each.name == written.name), "")
        if not is_mine or before != written.digest:
            raise Stale(f"{written.name} was changed by somebody else meanwhile. Open it again and repeat your change.")
        roots = [each for each in (pipeline.settings.payer_rules, folder) if each is not None]
        texts = texts_of(roots) | {str(path): written.text}
        read_texts(written.name, texts, {each.id for each in pipeline.rules})
        _replace(path, written.text)
    with pipeline.database.transaction() as session:
        user = session.get_one(UserRow, user_id, with_for_update=True)
        said = f"{applied.practice.code}: {written.name}, SHA-256 {digest_of(written.text)}"
        deed = lifecycle.Deed("payer rules written", by, pipeline.clock(), pipeline.database.keyring, said)
        lifecycle.note(session, [user], deed)


def hits(database: Database, rule: str, practices: frozenset[int]) -> int:
    """How many findings of a rule are open in these practices, counted up to ``MOST_HITS``."""
    found = (
        select(ReviewItemRow.id)
        .join(ChargeRow, ChargeRow.id == ReviewItemRow.charge_id)
        .where(ReviewItemRow.rule == rule, ReviewItemRow.state == ItemState.OPEN, ChargeRow.practice_id.in_(practices))
        .limit(MOST_HITS)
        .subquery()
    )
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(found)) or 0


def weights(applied: Applied, rule: Rule) -> list[Weighed]:
    """How much a rule weighs for a practice, its classes of payers, payers and providers, where the profile says so."""
    practice = applied.practice
    said = [
        (practice.code, practice.rules),
        *((f"{practice.code}, payers of class {name}", each) for name, each in practice.rules_by_class.items()),
        *((f"{practice.code}, {each.name}", each.rules) for each in practice.payers),
        *((f"{practice.code}, provider {each.npi}", each.rules) for each in practice.providers),
    ]
    return [Weighed(whom, str(weighed[rule.id])) for whom, weighed in said if rule.id in weighed]


def _made(pipeline: Pipeline, name: str, text: str) -> tuple[list[PayerRule], list[str]]:
    """The rules of a text that can judge, and the faults of all that cannot."""
    written, faults = read(name, text)
    taken = {each.id for each in pipeline.rules}
    made = []
    for number, each in enumerate(written):
        rule, wrong = compiled(each, number)
        if each.definition.id in taken:
            wrong = [*wrong, f"line {each.line_of(('id',))}: {each.definition.id} is taken; choose another id"]
        taken.add(each.definition.id)
        faults += wrong
        if not wrong:
            made.append(rule)
    return made, faults


def _replace(path: Path, text: str) -> None:
    """The whole new file or the whole old one, whenever it is read."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(path)
    except OSError as error:
        raise BadRules(path.name, [f"it cannot be written ({error.strerror})"]) from None
