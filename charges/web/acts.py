"""What can be done to one charge, by name: the same for the page's forms and for the API.

Each act says what it needs, whether the charge leaves the queue by it, and how it is undone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from charges import review
from charges.desk import corrections, queue
from charges.desk import sharing as desk
from charges.errors import Missing, Refused
from charges.tables import ChargeStatus
from charges.users.permissions import Permission, Viewer
from charges.web.site import Site


class Given(BaseModel):
    """What an act is told. ``seen`` is the last event of the charge that was looked at; each act uses what it needs."""

    model_config = ConfigDict(hide_input_in_errors=True)

    seen: int | None = Field(
        default=None, description="The last event that was seen; what others did since is refused."
    )
    item: int | None = Field(
        default=None, description="The review item that is waived, unwaived or answered by a correction."
    )
    reason: str = Field(default="", description="Why; it stands in the charge's history.", max_length=4000)
    at: str = Field(default="", description="The path of the field that is corrected; empty takes the suggestion.")
    value: str = Field(default="", description="What the field says then.")
    until: str = Field(default="", description="The day until which the charge is put off, YYYY-MM-DD.")
    to: str = Field(default="", description="Whom the charge is given to; nobody when empty.")
    patient: str = Field(default="", description="The number of the patient whose charge it is, or none.")
    text: str = Field(default="", description="A question, an answer, or a comment.", max_length=4000)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: a sentence, whether the charge left the queue, and the act with what it needs that undoes it."""

    sentence: str
    leaves: bool = False
    undo: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Act:
    """One act and the permission it needs."""

    permission: Permission
    do: Callable[[Site, Viewer, int, Given], Done]


def charge_of(site: Site, viewer: Viewer, number: int) -> None:
    """Raise Missing unless there is such a charge and the viewer may see it."""
    if not 0 < number < 2**63 or not queue.is_visible(site.database, number, viewer.practices):
        raise Missing("There is nothing here by that name or number.")


def perform(site: Site, viewer: Viewer, number: int, name: str, given: Given) -> Done:
    """Do an act; raises Missing, Forbidden, Refused or Stale."""
    act = ACTS.get(name)
    if act is None:
        raise Missing("There is nothing here by that name or number.")
    charge_of(site, viewer, number)
    viewer.demand(act.permission)
    if given.item is not None:
        review.demand_item(site.database, number, given.item)
    return act.do(site, viewer, number, given)


def _item(given: Given) -> int:
    if given.item is None:
        raise Refused("Say which finding is meant.")
    return given.item


def _waive(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    item = _item(given)
    became = review.waive(site.database, item, by=viewer.name, reason=given.reason, clock=site.clock, seen=given.seen)
    left = became is not ChargeStatus.HELD
    said = "Nothing holds it any more." if left else "Other findings hold it still."
    return Done(f"Waived on charge {number}. {said}", left, {"act": "unwaive", "item": str(item)})


def _unwaive(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    review.unwaive(site.database, _item(given), by=viewer.name, clock=site.clock, seen=given.seen)
    return Done(f"The waiver of charge {number} is undone.")


def _fix(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    made = corrections.correct(
        site.database,
        _item(given),
        by=viewer.name,
        clock=site.clock,
        reason=given.reason,
        edits={given.at.strip(): given.value} if given.at.strip() else None,
        seen=given.seen,
    )
    fields = ", ".join(each.at for each in made.fields[:3])
    return Done(
        f"Corrected on charge {number}: {fields}. Enter it at the source too.", leaves=True, undo={"act": "withdraw"}
    )


def _withdraw(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    corrections.withdraw(site.database, number, by=viewer.name, clock=site.clock, reason=given.reason, seen=given.seen)
    return Done(f"The correction of charge {number} is undone.")


def _void(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    review.void(site.database, number, by=viewer.name, reason=given.reason, clock=site.clock, seen=given.seen)
    return Done(f"Charge {number} is given up.", leaves=True, undo={"act": "revive"})


def _revive(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    review.revive(site.database, number, by=viewer.name, clock=site.clock, seen=given.seen)
    return Done(f"Charge {number} is taken up again and judged in the next run.")


def _relook(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    review.relook(site.database, number, by=viewer.name, reason=given.reason, clock=site.clock, seen=given.seen)
    return Done(f"Charge {number} is judged again in the next run.", leaves=True)


def _link(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    said = given.patient.strip().lower()
    if said != "none" and not (said.isascii() and said.isdecimal() and len(said) < 19):
        raise Refused("Name the number of a patient, or none where it is none of those known.")
    patient = None if said == "none" else int(said)
    became = review.link(
        site.database, number, patient, by=viewer.name, reason=given.reason, clock=site.clock, seen=given.seen
    )
    whose = "nobody known" if patient is None else f"patient {patient}"
    return Done(f"Charge {number} is of {whose}.", leaves=became is not ChargeStatus.HELD)


def _assign(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    to = given.to.strip()
    if to not in ("", viewer.name):
        viewer.demand(Permission.LEAD_CHARGES)
    was = desk.assign(site.database, number, to, by=viewer.name, clock=site.clock, reason=given.reason, seen=given.seen)
    may_undo = was in ("", viewer.name) or viewer.may(Permission.LEAD_CHARGES)
    return Done(f"Charge {number} is {to or 'nobody'}'s.", undo={"act": "assign", "to": was} if may_undo else {})


def _snooze(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    try:
        until = date.fromisoformat(given.until.strip())
    except ValueError:
        raise Refused("Name the day as YYYY-MM-DD.") from None
    desk.snooze(site.database, number, until, by=viewer.name, clock=site.clock, reason=given.reason, seen=given.seen)
    return Done(f"Charge {number} waits until {until}, or until it changes.", leaves=True, undo={"act": "wake"})


def _wake(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    desk.snooze(site.database, number, None, by=viewer.name, clock=site.clock, seen=given.seen)
    return Done(f"Charge {number} is in the queue again.")


def _ask(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    desk.ask(site.database, number, given.text, by=viewer.name, clock=site.clock, seen=given.seen)
    return Done(f"Charge {number} waits for the provider's answer.", leaves=True)


def _answer(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    desk.answer(site.database, number, given.text, by=viewer.name, clock=site.clock, seen=given.seen)
    return Done(f"The answer stands with charge {number}.")


def _comment(site: Site, viewer: Viewer, number: int, given: Given) -> Done:
    desk.comment(site.database, number, given.text, by=viewer.name, clock=site.clock)
    return Done(f"The comment stands with charge {number}.")


_WORK, _LEAD = Permission.WORK_CHARGES, Permission.LEAD_CHARGES
ACTS: Mapping[str, Act] = {
    "waive": Act(_WORK, _waive),
    "unwaive": Act(_WORK, _unwaive),
    "fix": Act(_WORK, _fix),
    "withdraw": Act(_WORK, _withdraw),
    "void": Act(_LEAD, _void),
    "revive": Act(_LEAD, _revive),
    "relook": Act(_WORK, _relook),
    "link": Act(_WORK, _link),
    "assign": Act(_WORK, _assign),
    "snooze": Act(_WORK, _snooze),
    "wake": Act(_WORK, _wake),
    "ask": Act(_WORK, _ask),
    "answer": Act(_WORK, _answer),
    "comment": Act(_WORK, _comment),
}
