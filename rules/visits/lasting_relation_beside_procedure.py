"""The extra for a lasting relation is asked for on a day with a procedure.

G2211 pays for being a patient's lasting point of care. Medicare does not pay it when the visit carries 25 for a
procedure; since 2025 it does when what stands beside the visit is a preventive service, a wellness visit or a
vaccine.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> visit, extra = line("99214", "25"), line("G2211")
>>> show(lasting_relation_beside_procedure(facts(charge(visit, extra, line("20610"), coverages=(MEDICARE,)))))
lines[1].code
  Line 2: G2211 is not paid beside 99214 with 25.
  Remove the line.

>>> show(lasting_relation_beside_procedure(facts(charge(visit, extra, line("G0439"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: The final rules of the Medicare physician fee schedule for 2024 and 2025. The list of preventive services
is not whole here, so the rule only warns. Prevents CARC 97.
"""

from collections.abc import Iterator
from datetime import date

from charges.model import Change, Severity
from rules.codes.groups import OFFICE_VISITS, VACCINE_ADMINISTRATION, VACCINES, WELLNESS_VISITS, listed
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

EXTRA = frozenset({"G2211"})
SINCE = date(2025, 1, 1)
PREVENTIVE = (
    WELLNESS_VISITS
    | VACCINES
    | VACCINE_ADMINISTRATION
    | listed("""
    G0008 G0009 G0010 G0101 G0102 G0103 G0104 G0105 G0121 G0442 G0443 G0444 G0445 G0446 G0447 G0296 99406 99407 G0136
    99497 77067 Q0091
""")
)


@rule("EM-007", Severity.WARN, codes=EXTRA)
def lasting_relation_beside_procedure(facts: Facts) -> Iterator[Problem]:
    """G2211 stands with a visit without 25, or with one beside a preventive service."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        if line.code not in EXTRA or line.service_date is None:
            continue
        beside = [each for _, each in facts.billed if each.service_date == line.service_date]
        visit = next((each.code for each in beside if each.code in OFFICE_VISITS and "25" in each.modifiers), "")
        preventive = line.service_date >= SINCE and any(each.code in PREVENTIVE for each in beside)
        if visit and not preventive:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is not paid beside {visit} with 25.",
                {"code": line.code, "visit": visit},
                "Remove the line.",
                (Change(at=f"lines[{index}]", op="remove"),),
            )
