"""What became of the claims that findings let pass, and which denials no finding foresaw: how good each rule is.

A finding is looked at when its claim left all the same: because it only warned, or because a person waived it. It is a hit
when the claim was then refused or denied for what its rule says that it prevents (``rules.prevents``), about the same
procedure where both name one; a rule that does not say so is held against any denial about the same. What held a charge
until it was corrected prevented something that nobody can see, so it counts nowhere.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from charges.db import Database
from charges.outcomes.stored import Claim, Found, Item, claims_after
from charges.outcomes.values import ENOUGH, PROMOTE, RETIRE, Denial, Let, Outcomes, Unforeseen
from charges.period import Period
from charges.practice.profile import Practice
from rules.engine import Rule
from rules.prevents import Prevented, prevented

__all__ = ["ENOUGH", "PROMOTE", "RETIRE", "Let", "Outcomes", "Unforeseen", "outcomes"]

_LINE = re.compile(r"^lines\[(\d+)\]")


def outcomes(
    database: Database,
    practice_id: int,
    practice: Practice,
    rules: Iterable[Rule],
    first: date | None = None,
    last: date | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Outcomes:
    """Join what came back with the findings that claims had when they left; changes nothing.

    ``first`` and ``last`` are days of service. ``progress`` is called with the number of claims of each part looked at.
    """
    period = Period(first, last, ZoneInfo(practice.time_zone))
    tally = _Tally(rules)
    with database.snapshot() as session:
        after = 0
        while claims := claims_after(session, practice_id, period, after):
            after = claims[-1].id
            tally.count(Found(session, database.keyring, claims), claims)
            session.expunge_all()
            progress(len(claims))
    return tally.outcomes(practice.code, period)


class _Tally:
    """Counts over all claims; each claim counts once for a rule and once for a code."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = {each.id: Let(each.id, each.severity, prevented(each.authority)) for each in rules}
        self.decided = self.denied = self.refused = 0
        self.unforeseen: dict[str, list[int]] = defaultdict(list)
        self.amounts: dict[str, Decimal] = defaultdict(Decimal)

    def count(self, found: Found, claims: Sequence[Claim]) -> None:
        """Add what became of some claims."""
        denials = found.denials()
        for claim in claims:
            if claim.id not in found.payments and claim.id not in found.refused:
                continue
            why = denials.get(claim.id, ())
            self.decided += 1
            self.refused += claim.id in found.refused
            self.denied += any(not each.is_refusal for each in why)
            self._claim(claim.charge_id, found.items.get(claim.id, ()), why, found.codes.get(claim.id, ()))

    def _claim(self, charge: int, items: Sequence[Item], why: Sequence[Denial], codes: Sequence[str]) -> None:
        foreseen: set[Denial] = set()
        by_rule: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            by_rule[item.rule].append(item)
        for rule, own in by_rule.items():
            let = self.rules.setdefault(rule, Let(rule))
            hits = {denial for denial in why for item in own if _fits(let.expects, item, denial, codes)}
            let.passed += 1
            let.waived += any(item.waived for item in own)
            let.hits += bool(hits)
            let.foreseen += [charge] if hits else []
            foreseen |= hits
        missed = [denial for denial in why if denial not in foreseen]
        for let in self.rules.values() if missed else ():
            let.missed += any(_expects(let.expects, denial) for denial in missed)
        for code in {denial.code for denial in missed}:
            self.unforeseen[code].append(charge)
        for denial in missed:
            self.amounts[denial.code] += denial.amount

    def outcomes(self, practice: str, period: Period) -> Outcomes:
        """What it comes to: the rules of which anything can be said, and the codes that nobody foresaw, most first."""
        told = (each for each in self.rules.values() if each.passed or each.missed)
        return Outcomes(
            practice,
            period,
            self.decided,
            self.denied,
            self.refused,
            tuple(sorted(told, key=lambda each: (-each.passed, each.rule))),
            tuple(
                Unforeseen(code, self.amounts[code], self._expecting(code), tuple(charges))
                for code, charges in sorted(self.unforeseen.items(), key=lambda each: (-len(each[1]), each[0]))
            ),
        )

    def _expecting(self, code: str) -> tuple[str, ...]:
        return tuple(sorted(let.rule for let in self.rules.values() if code in let.expects.reasons))


def _expects(expects: Prevented, denial: Denial) -> bool:
    return expects.refusal if denial.is_refusal else expects.denial(denial.code, denial.remarks)


def _fits(expects: Prevented, item: Item, denial: Denial, codes: Sequence[str]) -> bool:
    """Whether a finding foresaw a denial."""
    if expects.is_known and not _expects(expects, denial):
        return False
    line = _LINE.match(item.at)
    own = codes[int(line[1])] if line and int(line[1]) < len(codes) else ""
    return not own or not denial.procedure or own == denial.procedure
