"""What a claim says differently when its charge changed: field by field, and only what a claim carries.

Both versions are written as the partner wants them and read back, so what no claim says (a note to the front desk, a time
of day, who typed it) makes no difference, and neither does how the source spells a thing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from charges.model import Charge, Claim
from charges.practice.partner import TradingPartner
from charges.x12 import reader
from charges.x12.interchange import ControlNumbers, write
from charges.x12.options import options_of
from charges.x12.professional import cannot_be_written

_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_NOT_SAID = frozenset(("version", "origins", "source", "key", "practice", "custom", "unread"))


@dataclass(frozen=True, slots=True)
class Change:
    """A field that a claim would say otherwise: its place in the charge, what was sent and what would be sent now."""

    at: str
    was: str = field(repr=False)
    now: str = field(repr=False)

    @property
    def sentence(self) -> str:
        """For billers.

        >>> Change("lines[0].charge", "150.00", "175.00").sentence
        'line 1 charge: 150.00 became 175.00'
        >>> Change("lines[1].code", "", "36415").sentence
        'line 2 code: 36415 is new'
        """
        if not self.was:
            return f"{in_words(self.at)}: {self.now} is new"
        if not self.now:
            return f"{in_words(self.at)}: {self.was} is gone"
        return f"{in_words(self.at)}: {self.was} became {self.now}"


def in_words(at: str) -> str:
    """A place in a charge as a biller would say it.

    >>> in_words("coverages[0].payer.payer_id")
    'coverage 1 payer payer id'
    """
    words = []
    for step in at.split("."):
        name, _, places = step.partition("[")
        numbers = [str(int(each) + 1) for each in places.rstrip("]").split("][") if each]
        singular = name[:-2] + "is" if name.endswith("ses") else name.removesuffix("s")
        words.append(" ".join((singular if numbers else name, *numbers)))
    return " ".join(words).replace("_", " ")


def changes(was: Charge, now: Charge, partner: TradingPartner) -> tuple[Change, ...]:
    """The fields that the claims of two versions of a charge say differently, in the order of the charge."""
    before, after = Claim(number="X", charge=was), Claim(number="X", charge=now)
    spelt = options_of(partner).text
    if cannot_be_written(before, spelt) or cannot_be_written(after, spelt):
        said, says = _flat(was), _flat(now)  # what no claim can carry is compared as it was captured
    else:
        said, says = _said(before, partner), _said(after, partner)
    return tuple(
        Change(at, said.get(at, ""), says.get(at, ""))
        for at in dict.fromkeys((*said, *says))
        if said.get(at, "") != says.get(at, "")
    )


def _said(claim: Claim, partner: TradingPartner) -> Mapping[str, str]:
    unnumbered = partner.model_copy(update={"line_number": ""})  # a number that we give to lines is no change of theirs
    content = write([claim], unnumbered, ControlNumbers(1), _SOME_DAY).content
    (read,) = reader.read(content)
    return _flat(read.charge)


def _flat(charge: Charge) -> Mapping[str, str]:
    return dict(_leaves("", charge.model_dump(mode="json", exclude_defaults=True, exclude=set(_NOT_SAID))))


def _leaves(at: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(f"{at}.{name}" if at else name, each)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _leaves(f"{at}[{place}]", each)
    elif value not in (None, ""):
        yield at, str(value)
