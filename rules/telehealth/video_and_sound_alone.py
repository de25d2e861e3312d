"""A line says both video and sound alone.

95 is a visit by video with sound, 93 one by sound alone. A line is one or the other.

>>> from rules.examples import charge, facts, line, show
>>> show(video_and_sound_alone(facts(charge(line("99213", "93", "95", place_of_service="10")))))
lines[0].modifiers
  Line 1: 99213 has modifier 95 for video and 93 for sound alone.
  Keep the one that is true.

>>> show(video_and_sound_alone(facts(charge(line("99213", "93", place_of_service="10")))))
Nothing to say.

Authority: CPT, appendix A, modifiers 93 and 95. Prevents CARC 4.
"""

from collections.abc import Iterator

from charges.model import Severity
from rules.engine import Facts, Problem, rule


@rule("TEL-004", Severity.HOLD, modifiers=frozenset({"93"}), line_by_line=True)
def video_and_sound_alone(facts: Facts) -> Iterator[Problem]:
    """Modifier 93 does not stand with 95."""
    for index, line in facts.billed:
        if "93" in line.modifiers and "95" in line.modifiers:
            yield Problem(
                f"lines[{index}].modifiers",
                f"Line {index + 1}: {line.code} has modifier 95 for video and 93 for sound alone.",
                {"code": line.code},
                "Keep the one that is true.",
            )
