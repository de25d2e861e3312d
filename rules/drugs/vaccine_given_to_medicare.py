"""Medicare is asked to pay for giving a vaccine with a code it does not use for it.

For influenza, pneumococcal and hepatitis B vaccines Medicare has codes of its own: G0008, G0009 and G0010. They cost
the patient nothing; with 90471 the line is denied or the patient billed.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(vaccine_given_to_medicare(facts(charge(line("90662"), line("90471"), coverages=(MEDICARE,)))))
lines[1].code
  Line 2: 90471 is not how Medicare is asked for giving this vaccine.
  Use G0008.

>>> show(vaccine_given_to_medicare(facts(charge(line("90662"), line("G0008"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 18, section 10.2. The list of products is to be checked again,
so the rule only warns. Prevents CARC 96.
"""

from collections.abc import Iterator

from charges.model import Change, Severity
from rules.codes.groups import VACCINES, listed
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

OWN = {
    "G0008": listed(
        "90653 90656 90657 90658 90660 90661 90662 90672 90673 90674 90682 90685 90686 90687 90688 90694 90756"
    ),
    "G0009": listed("90670 90671 90677 90684 90732"),
    "G0010": listed("90739 90740 90743 90744 90746 90747 90759"),
}
OF_CPT = frozenset({"90471", "90472", "90473", "90474"})


@rule("IMM-002", Severity.WARN, codes=OF_CPT)
def vaccine_given_to_medicare(facts: Facts) -> Iterator[Problem]:
    """Medicare's three vaccines are given with G0008, G0009 and G0010."""
    if not medicare_first(facts.charge):
        return
    lines = facts.billed
    products = [line.code for _, line in lines if line.code in VACCINES]
    wanted = next((code for code, own in OWN.items() for each in products if each in own), "")
    others = any(not any(each in own for own in OWN.values()) for each in products)
    for index, line in lines:
        if line.code in OF_CPT and wanted and not others:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: {line.code} is not how Medicare is asked for giving this vaccine.",
                {"code": line.code},
                f"Use {wanted}.",
                (Change(at=f"lines[{index}].code", op="set", value=wanted),),
            )
