"""A drug line does not say which package the drug came from.

A HCPCS code names the drug; the National Drug Code names the maker and package, and Medicaid and many other payers
pay by it. With the code goes how much was used, in the NDC's own unit: UN, ML, ME, GR or F2. The practice profile
says which payers ask for none.

>>> from decimal import Decimal
>>> from charges.model import Drug
>>> from rules.examples import charge, facts, line, show
>>> show(drug_without_ndc(facts(charge(line("J3301")))))
lines[0].drug.ndc
  Line 1: drug J3301 has no NDC.
  Enter the NDC from the package.

>>> vial = Drug(ndc="00003029305", quantity=Decimal(1), unit="ML")
>>> show(drug_without_ndc(facts(charge(line("J3301", drug=vial)))))
Nothing to say.

Authority: 42 CFR 447.520 for Medicaid, the payer's policy for others; ASC X12N 005010X222A1, loop 2410, LIN and CTP.
Prevents CARC 16 with RARC M119.
"""

from collections.abc import Iterator

from charges.model import Drug, Severity
from rules.codes.groups import level_two
from rules.engine import Facts, Problem, rule

DRUGS = level_two("J") | {f"Q51{number:02}" for number in range(100)} | {"Q0138", "Q0139"}
"""Drugs of HCPCS, with the biosimilars and the iron infusions that stand among the Q codes."""

UNITS = frozenset({"F2", "GR", "ME", "ML", "UN"})
NOTHING = Drug()


@rule("DRG-001", Severity.HOLD, codes=DRUGS)
def drug_without_ndc(facts: Facts) -> Iterator[Problem]:
    """A drug line has its NDC, quantity and unit where the payer asks for them."""
    if not facts.policy.requires_ndc:
        return
    for index, line in facts.billed:
        if line.code not in DRUGS:
            continue
        drug, at, name = line.drug or NOTHING, f"lines[{index}].drug", f"Line {index + 1}: drug {line.code}"
        seen = {"code": line.code}
        if not drug.ndc:
            yield Problem(f"{at}.ndc", f"{name} has no NDC.", seen, "Enter the NDC from the package.")
            continue
        if drug.quantity is None or drug.quantity <= 0:
            said = "no quantity" if drug.quantity is None else f"a quantity of {drug.quantity}"
            yield Problem(f"{at}.quantity", f"{name} has {said} for its NDC.", seen, "Enter how much was used.")
        if drug.unit not in UNITS:
            said = f"the unit {drug.unit}, which a claim does not know," if drug.unit else "no unit"
            yield Problem(f"{at}.unit", f"{name} has {said} for its NDC.", seen, "Choose UN, ML, ME, GR or F2.")
