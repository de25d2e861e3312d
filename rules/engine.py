"""A rule and how it judges.

A rule is a decorated function in a module of its own. It is pure: facts in, problems out; no clock, no database, no
settings. Adding one means adding two files, the rule and its cases; nothing else is edited: ``load`` finds rules by
walking this package and the entry points of the group ``charges.rules``.

The rule's module docstring is its documentation: why it exists in plain words, an example that fires and one that
passes (both run as doctests), and a last paragraph beginning ``Authority:``.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar

import rules
from charges.model import Change, Charge, Finding, HistoryLine, PayerPolicy, ServiceLine, Severity
from rules.reference.library import Reference, TableMissing

T = TypeVar("T")
NO_TABLES = Reference(())
NO_DEMANDS = PayerPolicy()


class _once(Generic[T]):  # noqa: N801 - it is used like the cached_property it stands for
    """A property found once, without the lock that makes ``functools.cached_property`` slow in Python 3.11."""

    def __init__(self, find: Callable[[Any], T]) -> None:
        self._find, self._name, self.__doc__ = find, find.__name__, find.__doc__

    def __get__(self, facts: Any, _: object = None) -> T:  # noqa: ANN401 - whose property it is
        found = facts.__dict__[self._name] = self._find(facts)
        return found


@dataclass(frozen=True)
class Facts:
    """All a rule may know: the charge, the day it is judged, the patient's earlier lines, the payer's demands.

    ``history`` holds lines of *other* charges of the same patient in the same practice, oldest first. ``tables`` answer
    for a date of service or raise TableMissing, which a rule lets pass: it could not judge then. Of the tables that are
    ``demanded`` none may be missing.
    """

    charge: Charge
    today: date
    history: Sequence[HistoryLine] = ()
    policy: PayerPolicy = NO_DEMANDS
    tables: Reference = NO_TABLES
    demanded: frozenset[str] = frozenset()

    def once(self, find: Callable[["Facts"], T]) -> T:
        """What a function finds in these facts, found once however many rules ask for it."""
        found = self.found
        if find not in found:
            found[find] = find(self)
        known: T = found[find]
        return known

    @_once
    def found(self) -> dict[Any, Any]:
        """What was found so far, by who finds it."""
        return {}

    @_once
    def billed(self) -> list[tuple[int, ServiceLine]]:
        """What ``billed`` says of the charge, found once."""
        return billed(self.charge)

    @_once
    def service_date(self) -> date | None:
        """The charge's first date of service, found once."""
        return self.charge.service_date


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule says: where (a path of the charge), what is wrong, the values seen, and what to do about it.

    ``remedy`` is the first thing that ``fix`` names, as changes that can be made; only where the rule knows it exactly.
    """

    at: str
    message: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    fix: str = ""
    remedy: tuple[Change, ...] = ()


def billed(charge: Charge) -> list[tuple[int, ServiceLine]]:
    """The lines that go to a payer, each with its index in ``charge.lines``, so that a finding points at the source.

    >>> from rules.examples import charge, line
    >>> [(index, each.code) for index, each in billed(charge(line("99213", patient_share=True), line("20610")))]
    [(1, '20610')]
    """
    return [(index, line) for index, line in enumerate(charge.lines) if not line.patient_share]


def rendering_npi(charge: Charge, line: ServiceLine) -> str:
    """The NPI of who rendered the line: the line's own provider, else the charge's."""
    provider = line.rendering_provider or charge.rendering_provider
    return provider.npi if provider else ""


def place_of(charge: Charge, line: ServiceLine) -> str:
    """The line's place of service, else the encounter's."""
    return line.place_of_service or charge.encounter.place_of_service


def seen_before(facts: Facts) -> bool:
    """Whether earlier lines of the patient are known, without which some rules have nothing to compare."""
    return bool(facts.history)


Check = Callable[[Facts], Iterable[Problem]]
Finder = Callable[[Facts], object]
"""What several rules share to find out, asked by ``Facts.once``."""
LineFinder = Callable[[Facts, ServiceLine], object]
"""What several rules share to find out about a line by itself."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One coding rule. ``since`` and ``until`` are dates of *service*, both included.

    They decide whether the rule is asked at all: it is, when any date of the charge lies within. A rule about lines
    still looks at each line's own date, for a charge may span the change.

    The rest says what the rule is about, where that is some and not all, so that a charge is spared the rules that have
    nothing to say of it. A line bills one of its ``codes`` with one of its ``modifiers`` at one of its ``places``; and where
    it names a finder, ``where`` finds something. Of rules that name none of the three, one is asked where a diagnosis begins
    like ``diagnoses``, another where one of its ``fields`` is given.
    """

    id: str
    title: str
    severity: Severity
    check: Check
    documentation: str
    since: date | None = None
    until: date | None = None
    ceiling: Severity | None = None
    """The most a finding of it may weigh, whatever a practice says; none for a rule that has proved itself."""
    codes: frozenset[str] | None = None
    modifiers: frozenset[str] | None = None
    places: frozenset[str] | None = None
    diagnoses: re.Pattern[str] | None = None
    fields: tuple[str, ...] = ()
    """Fields of the charge (``attachments``), of a line (``lines.drug``), or of another part (``patient.death_date``)."""
    where: Finder | None = None
    """What it shares with others to find out; where nothing is found they are all silent."""
    diagnoses_only: bool = False
    """Whether it looks at nothing but the list of diagnoses, so that one answer serves every charge with that list."""
    providers_only: bool = False
    """Whether it looks at nothing but ``rules.index.PROVIDER`` of who bills and renders, and at its ``fields``."""
    line_where: LineFinder | None = None
    """What makes a line one that it can speak of, asked of each line by itself; ``LINE`` and ``AROUND`` decide."""
    line_by_line: bool = False
    """Whether it looks at each line by itself and at nothing but ``rules.index.LINE`` and ``AROUND``, so that one answer
    serves every line that is alike."""
    several: bool = False
    """Whether it compares lines of its codes with each other or with the patient's history, and is silent of one alone."""
    professional_only: bool = False
    """Whether it asks for what a professional claim must say and a facility's bill says otherwise or not at all."""

    def __call__(self, facts: Facts) -> list[Problem]:
        """The problems of these facts, as a list so that an example can show them."""
        return list(self.check(facts)) if self.concerns(facts.charge) else []

    def concerns(self, charge: Charge) -> bool:
        """Whether a charge bills what the rule is about."""
        if self.codes is None and self.modifiers is None and self.places is None:
            return True
        return any(self.is_about(line, place_of(charge, line)) for line in charge.billed_lines)

    def is_about(self, line: ServiceLine, place: str) -> bool:
        """Whether the rule is about a line at this place of service."""
        return (
            (self.codes is None or line.code in self.codes)
            and (self.modifiers is None or not self.modifiers.isdisjoint(line.modifiers))
            and (self.places is None or place in self.places)
        )

    @property
    def authority(self) -> str:
        """Who demands this: the last paragraph of the documentation, without its label."""
        return " ".join(self.documentation.rpartition("Authority:")[2].split())

    @property
    def family(self) -> str:
        """The folder the rule stands in, ``visits`` for example; a module in no folder is its own."""
        return self.check.__module__.split(".")[-2:][0]

    def applies(self, service_date: date | None) -> bool:
        """Whether the rule is in force for a date of service; a charge without any date is judged by all rules."""
        if service_date is None:
            return True
        return (self.since is None or self.since <= service_date) and (self.until is None or service_date <= self.until)


def rule(
    id: str,
    severity: Severity,
    *,
    since: date | None = None,
    until: date | None = None,
    codes: frozenset[str] | None = None,
    modifiers: frozenset[str] | None = None,
    places: frozenset[str] | None = None,
    diagnoses: re.Pattern[str] | None = None,
    fields: tuple[str, ...] = (),
    where: Finder | None = None,
    diagnoses_only: bool = False,
    providers_only: bool = False,
    line_where: LineFinder | None = None,
    line_by_line: bool = False,
    several: bool = False,
    professional_only: bool = False,
) -> Callable[[Check], Rule]:
    """Make a rule of a function whose first docstring line is its title."""

    def make(check: Check) -> Rule:
        module = importlib.import_module(check.__module__)
        title = (check.__doc__ or "").strip().splitlines()[0] if check.__doc__ else ""
        return Rule(
            id,
            title,
            severity,
            check,
            module.__doc__ or "",
            since,
            until,
            codes=codes,
            modifiers=modifiers,
            places=places,
            diagnoses=diagnoses,
            fields=fields,
            where=where,
            diagnoses_only=diagnoses_only,
            providers_only=providers_only,
            line_where=line_where,
            line_by_line=line_by_line,
            several=several,
            professional_only=professional_only,
        )

    return make


PLUGIN_ERROR = "ENG-002"
"""The finding on every charge while a package of rules that is installed cannot be used."""


def load() -> tuple[Rule, ...]:
    """Every rule that is installed, in order of id; two rules of one id among ours are an error of the author.

    A package named in the entry-point group ``charges.rules`` that cannot be used (it does not import, or takes an id
    that is in use) is left out whole and becomes a rule that warns on every charge.
    """
    found = _rules_of(rules)
    broken: dict[str, str] = {}
    for entry in sorted(entry_points(group="charges.rules"), key=lambda entry: entry.name):
        try:
            more = _rules_of(entry.load())
            twice = sorted(more.keys() & found.keys())
            if twice:
                broken[entry.name] = f"the id {twice[0]} is in use already"
            else:
                found |= more
        except Exception as error:  # noqa: BLE001 - whatever a foreign package does, the others judge
            broken[entry.name] = type(error).__name__
    if broken:
        found[PLUGIN_ERROR] = _missing_plugins(broken)
    return tuple(found[id] for id in sorted(found))


def _missing_plugins(broken: Mapping[str, str]) -> Rule:
    problems = [
        Problem(
            "",
            f"The rules of the package {name} judge nothing, for it cannot be used ({why}).",
            {"package": name},
            "Repair or remove the package; `charges rules list` tells when it is back.",
        )
        for name, why in broken.items()
    ]
    documentation = "\n\n".join(each.message for each in problems)
    return Rule(
        PLUGIN_ERROR,
        "Every package of rules that is installed can be used.",
        Severity.WARN,
        lambda _: problems,
        documentation,
    )


def _rules_of(package: ModuleType) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for module in _modules(package):
        for each in vars(module).values():
            if isinstance(each, Rule) and each.check.__module__ == module.__name__:
                if each.id in found:
                    raise ValueError(f"two rules are called {each.id}: one in {module.__name__}")
                found[each.id] = each
    return found


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + "."):
        yield importlib.import_module(info.name)


RULE_ERROR = "ENG-001"
"""The finding of a rule that could not judge."""
TABLE_MISSING = "ENG-003"
"""The finding where a table is demanded and none answers for the date of service."""


def judge(
    catalogue: Iterable[Rule],
    facts: Facts,
    severities: Mapping[str, Severity | str] | None = None,
    silent: dict[str, TableMissing] | None = None,
) -> tuple[Finding, ...]:
    """What the rules have to say of these facts, gravest first, then by place.

    ``severities`` are a practice's own weights by rule id; ``"off"`` silences a rule. A rule that raises has not
    judged, so its failure is a finding that holds the charge; the exception's type is told, never its text. A rule
    whose table is missing for the date holds the charge where the table is demanded; elsewhere it is noted in
    ``silent`` by its id, for whoever runs many charges to tell once.
    """
    weights = severities or {}
    findings: list[Finding] = []
    for each in catalogue:
        if (each.since or each.until) and not any(map(each.applies, facts.once(_dates_of_service))):
            continue
        weight: Severity | str = each.severity
        if weights:
            weight = weights.get(each.id, weight)
            if weight == "off":
                continue
        try:
            for problem in each.check(facts):
                findings.append(_finding(each, Severity(weight), problem))  # noqa: PERF401 - one after another, for the rule may fail
        except TableMissing as missing:
            if missing.table.partition(".")[0] in facts.demanded:
                findings.append(_table_missing(each, missing))
            elif silent is not None:
                silent.setdefault(each.id, missing)
        except Exception as error:  # noqa: BLE001 - whatever a rule raises, the charge must wait and the others judge
            findings.append(
                Finding(
                    rule=RULE_ERROR,
                    severity=Severity.HOLD,
                    at="",
                    message=f"Rule {each.id} could not judge this charge ({type(error).__name__}). "
                    "Tell the engineer; the charge waits meanwhile.",
                    evidence={"rule": each.id, "error": type(error).__name__},
                )
            )
    if len(findings) > 1:
        findings.sort(key=_gravest_first)
    return tuple(findings)


def _table_missing(rule: Rule, missing: TableMissing) -> Finding:
    return Finding(
        rule=TABLE_MISSING,
        severity=Severity.HOLD,
        at="",
        message=f"Rule {rule.id} could not judge this charge: {missing}",
        evidence={"rule": rule.id, "table": missing.table, "service_date": str(missing.on)},
        fix="Load the table for the date of service, or leave it out of the practice's demanded_tables.",
    )


def _dates_of_service(facts: Facts) -> frozenset[date | None]:
    """Every date of a line; without any, the encounter's or ``None``."""
    charge = facts.charge
    return frozenset(line.service_date for line in charge.lines if line.service_date) or frozenset(
        (charge.encounter.start_date,)
    )


_GRAVITY = {Severity.STOP: 0, Severity.HOLD: 1, Severity.WARN: 2, Severity.INFO: 3}
_DIGITS = re.compile(r"\[([0-9]+)\]")


def _lighter(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=_GRAVITY.__getitem__)


def _gravest_first(finding: Finding) -> tuple[int, str, str, str]:
    """The order of findings: by gravity, then place (``lines[2]`` before ``lines[10]``), rule and message."""
    place = _DIGITS.sub(lambda found: f"[{found[1]:0>4}]", finding.at)
    return _GRAVITY[finding.severity], place, finding.rule, finding.message


def _finding(rule: Rule, weight: Severity, problem: Problem) -> Finding:
    return Finding(
        rule=rule.id,
        severity=weight if rule.ceiling is None else _lighter(weight, rule.ceiling),
        at=problem.at,
        message=problem.message,
        evidence=dict(problem.evidence),
        fix=problem.fix,
        remedy=problem.remedy,
    )
