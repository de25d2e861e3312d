"""A code for what has no code of its own does not say what was done.

Unlisted codes stand for any service of their chapter, so the claim must describe it; without words the payer cannot
price it and returns the line.

>>> from rules.examples import charge, facts, line, show
>>> show(unlisted_without_description(facts(charge(line("17999")))))
lines[0].description
  Line 1: 17999 is an unlisted code and is not described.
  Describe what was done, or given and how much.

>>> show(unlisted_without_description(facts(charge(line("17999", description="Excision by a method without a code")))))
Nothing to say.

Authority: Medicare Claims Processing Manual, chapter 26, section 10.4; ASC X12N 005010X222A1, loop 2400, SV101-7. The
codes are those that CMS's HCPCS file and fee schedule call unlisted, unclassified or not otherwise classified; payers'
own lists differ, so the rule only warns. Prevents CARC 16 with RARC N350.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import listed
from rules.engine import Facts, Problem, rule

OF_CPT = listed("""
    01999 15999 17999 19499 20999 21089 21299 21499 21899 22899 22999 23929 24999 25999 26989 27299 27599 27899 28899 29799
    29999 30999 31299 31599 31899 32999 33999 36299 37501 37799 38129 38589 38999 39499 39599 40799 40899 41599 41899 42299
    42699 42999 43289 43499 43659 43999 44238 44799 44899 44979 45399 45499 45999 46999 47379 47399 47579 47999 48999 49329
    49659 49999 50549 50949 51999 53899 54699 55559 55899 58578 58579 58679 58999 59897 59898 59899 60659 60699 64999 66999
    67299 67399 67599 67999 68399 68899 69399 69799 69949 69979 76496 76497 76498 76499 76999 77299 77399 77499 77799 78099
    78199 78299 78399 78499 78599 78699 78799 78999 79999 80299 81099 81479 81599 84999 85999 86849 86999 87999 88099 88199
    88299 88399 88749 89240 89398 90399 90749 90899 90999 91299 92499 92700 93799 93998 94799 95199 95999 96379 96549 96999
    97039 97139 97799 99199 99429 99499 99600
""")
OF_HCPCS = listed("""
    A0999 A4335 A4421 A4641 A4649 A4913 A9279 A9280 A9597 A9598 A9698 A9699 A9900 A9999 B9998 B9999 C9399 E0769 E1399 E1699
    E2599 J3490 J3590 J3591 J7199 J7599 J7699 J7799 J7999 J8498 J8499 J8597 J8999 J9999 K0108 K0812 K0898 L0999 L1499
    L2999 L3649 L3999 L5999 L7499 L8039 L8048 L8499 L8698 L8699 Q0507 Q0508 Q0509 Q2039 Q4050 Q4051 Q4082 Q4100 S5199 S8189
    T1999 T5999 V2199 V2799 V5298 V5299
""")
UNLISTED = OF_CPT | OF_HCPCS


@rule("COD-008", Severity.WARN, codes=UNLISTED)
def unlisted_without_description(facts: Facts) -> Iterator[Problem]:
    """An unlisted code is described."""
    for index, line in facts.billed:
        if line.code in UNLISTED and not line.description.strip() and not line.note.strip():
            yield Problem(
                f"lines[{index}].description",
                f"Line {index + 1}: {line.code} is an unlisted code and is not described.",
                {"code": line.code},
                "Describe what was done, or given and how much.",
            )
