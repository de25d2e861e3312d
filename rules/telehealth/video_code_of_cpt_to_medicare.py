"""Medicare is asked for a visit by video or telephone with a code it does not take.

CPT has had codes for visits by video (98000 to 98007) and by sound alone (98008 to 98015) since 2025. Medicare takes
the office visit with 95 or 93 in their place; of the family it pays 98016 alone.

>>> from rules.examples import MEDICARE, charge, facts, line, show
>>> show(video_code_of_cpt_to_medicare(facts(charge(line("98000", place_of_service="10"), coverages=(MEDICARE,)))))
lines[0].code
  Line 1: Medicare does not take 98000.
  Use the office visit with 95 for video or 93 for sound alone.

>>> show(video_code_of_cpt_to_medicare(facts(charge(line("99213", "95", place_of_service="10"), coverages=(MEDICARE,)))))
Nothing to say.

Authority: Status I of 98000 to 98015 in CMS's physician fee schedule of 2025. Prevents CARC 96 and 204.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.codes.groups import numbers
from rules.engine import Facts, Problem, rule
from rules.payers import medicare_first

BY_VIDEO_OR_SOUND = numbers(98000, 98015)


@rule("TEL-005", Severity.HOLD, codes=BY_VIDEO_OR_SOUND)
def video_code_of_cpt_to_medicare(facts: Facts) -> Iterator[Problem]:
    """98000 to 98015 are not billed to Medicare."""
    for index, line in facts.billed if medicare_first(facts.charge) else ():
        if line.code in BY_VIDEO_OR_SOUND:
            yield Problem(
                f"lines[{index}].code",
                f"Line {index + 1}: Medicare does not take {line.code}.",
                {"code": line.code},
                "Use the office visit with 95 for video or 93 for sound alone.",
            )
