"""The review queue and its charges for programs, which see and do what their user may."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from pydantic import Field as Named

from charges.desk import bulk, casefile, corrections, queue
from charges.desk import sharing as desk
from charges.desk.casefile import CaseFile, Point
from charges.desk.corrections import Field
from charges.desk.queue import Entry
from charges.desk.views import Shelf, Sort, Wanted
from charges.model import Finding, Severity
from charges.review import Item
from charges.users.permissions import Permission
from charges.web.acts import Given, charge_of, perform
from charges.web.pages.queue import listed, reader_of, views_of
from charges.web.security import ViewerHere, needs
from charges.web.site import SiteHere

router = APIRouter(prefix="/api", tags=["queue"])


class Found(BaseModel):
    """One finding: the review item's number where it has one, and what is wrong."""

    item: int
    rule: str
    severity: Severity
    at: str
    message: str
    fix: str
    state: str = "open"

    @classmethod
    def of(cls, item: int, finding: Finding, state: str = "open") -> "Found":
        """Of a finding of the model."""
        return cls(
            item=item,
            rule=finding.rule,
            severity=finding.severity,
            at=finding.at,
            message=finding.message,
            fix=finding.fix,
            state=state,
        )


class Held(BaseModel):
    """A charge in the queue; ``seen`` is given back with acts, so that none is done to what changed meanwhile."""

    charge: int
    practice: str
    payer_id: str
    provider_npi: str
    service_date: date | None
    total: Decimal
    held_since: datetime
    deadline: date | None
    assignee: str
    snoozed_until: date | None
    asked_at: datetime | None
    seen: int
    findings: list[Found]

    @classmethod
    def of(cls, entry: Entry) -> "Held":
        """Of an entry of the queue."""
        return cls(
            charge=entry.charge_number,
            findings=[Found.of(each.item, each.finding) for each in entry.findings],
            **{name: getattr(entry, name) for name in cls.model_fields if name not in ("charge", "findings")},
        )


class Listed(BaseModel):
    """A page of the queue; ``after`` and ``before`` are asked for to have its neighbours, empty where there is none."""

    charges: list[Held]
    after: str
    before: str
    count: int
    is_more: bool


class NewView(BaseModel):
    """A way of looking at the queue: ``address`` is the query of ``/api/queue`` that shows it."""

    name: Annotated[str, Named(max_length=80)]
    address: Annotated[str, Named(max_length=1000)]
    shared: bool = False


class View(NewView):
    """A saved view, and whose it is."""

    owner: str


class Grouped(BaseModel):
    """Charges that one rule holds for one provider."""

    rule: str
    provider_npi: str
    charges: int
    total: Decimal


class AllGroups(BaseModel):
    """The groups among the first ``of`` charges of a view."""

    groups: list[Grouped]
    of: int
    is_more: bool


class Suggested(BaseModel):
    """What a suggestion changes, and what would still hold the charge."""

    changes: list[Field]
    still_held_by: list[str]


class Told(Found):
    """An open finding with what is behind it."""

    why: str
    authority: str
    prevents: str
    suggestion: Suggested | None

    @classmethod
    def of_point(cls, point: Point) -> "Told":
        """Of a point of a charge's file."""
        told, remedied = point.explanation, point.remedied
        return cls(
            **Found.of(point.item.number, point.item.finding).model_dump(),
            why=told.why if told else "",
            authority=told.authority if told else "",
            prevents=told.prevents if told else "",
            suggestion=Suggested(
                changes=list(remedied.fields), still_held_by=sorted({each.rule for each in remedied.left})
            )
            if remedied
            else None,
        )


class Happened(BaseModel):
    """One event of the charge."""

    at: datetime
    what: str
    became: str
    by: str
    detail: str


class File(BaseModel):
    """A charge with all that is known about it; ``document`` is as the rules see it, ``claim`` the segments to be sent."""

    charge: int
    practice: str
    status: str
    seen: int
    total: Decimal
    deadline: date | None
    assignee: str
    snoozed_until: date | None
    asked_at: datetime | None
    document: dict[str, Any]
    findings: list[Told]
    decided: list[Found]
    claims: list[str]
    claim: list[str]
    events: list[Happened]

    @classmethod
    def of(cls, file: CaseFile) -> "File":
        """Of a charge's file."""
        return cls(
            charge=file.case.charge_number,
            practice=file.case.practice,
            status=file.case.status,
            seen=file.seen,
            total=file.total,
            deadline=file.deadline,
            assignee=file.assignee,
            snoozed_until=file.snoozed_until,
            asked_at=file.asked_at,
            document=file.charge.model_dump(mode="json", exclude_defaults=True, exclude={"origins"}),
            findings=[Told.of_point(each) for each in file.points],
            decided=[_decided(each) for each in file.decided],
            claims=list(file.case.claims),
            claim=[each.text for each in file.written.segments],
            events=[
                Happened(at=each.at, what=each.what, became=each.became, by=each.actor, detail=each.detail)
                for each in file.case.events
            ],
        )


class Matching(BaseModel):
    """A charge that a search found, whatever its state."""

    charge: int
    practice: str
    status: str
    service_date: date | None
    total: Decimal


class Sought(BaseModel):
    """A claim, charge or record number; it is sent as a body because a patient's number belongs into no address."""

    text: str


class ToEnter(BaseModel):
    """A correction that is still to be entered at the source, where the charge is known as ``key``."""

    number: int
    charge: int
    practice: str
    key: str
    rule: str
    by: str
    at: datetime
    fields: list[Field]


class Chosen(BaseModel):
    """A charge and its last event that was seen."""

    charge: Annotated[int, Named(ge=0, lt=2**63)]
    seen: Annotated[int, Named(ge=0, lt=2**31)]


class Many(BaseModel):
    """One act on many charges: ``rule`` is waived, ``to`` is given them; ``chosen`` are those it is done to."""

    act: bulk.Act
    reason: str
    rule: str = ""
    to: str = ""
    chosen: list[Chosen] = []

    @property
    def intent(self) -> bulk.Intent:
        """As the acts know it."""
        return bulk.Intent(self.act, self.reason, self.rule, self.to)


class Prospect(Chosen):
    """What an act would do to one charge, or why it cannot be done."""

    can: bool
    sentence: str


class Failure(BaseModel):
    """A charge to which an act was not done, and why."""

    charge: int
    why: str


class DidMany(BaseModel):
    """To how many charges an act was done, and to which not."""

    count: int
    failures: list[Failure]


class Did(BaseModel):
    """What an act did."""

    says: str
    left_the_queue: bool


def _decided(item: Item) -> Found:
    return Found.of(item.number, item.finding, item.state)


def _wanted(
    shelf: Shelf = Shelf.OPEN,
    practice: str = "",
    payer: str = "",
    provider: str = "",
    rule: str = "",
    family: str = "",
    severity: Severity | None = None,
    older: Annotated[int | None, Query(ge=0, lt=10_000)] = None,
    least: Annotated[Decimal | None, Query(ge=0, lt=10**12)] = None,
    most: Annotated[Decimal | None, Query(ge=0, lt=10**12)] = None,
    assignee: str = "",
    sort: Sort = Sort.DEADLINE,
    reverse: bool = False,  # noqa: FBT001, FBT002 - a question of the address
    after: str = "",
    before: str = "",
) -> Wanted:
    return Wanted(
        shelf,
        practice,
        payer,
        provider,
        rule,
        family,
        severity,
        older,
        least,
        most,
        assignee,
        "",
        sort,
        reverse,
        after,
        before,
    )


WantedHere = Annotated[Wanted, Depends(_wanted)]


@router.get("/queue", dependencies=[needs(Permission.READ_CHARGES)])
def worklist(site: SiteHere, viewer: ViewerHere, wanted: WantedHere) -> Listed:
    """A page of the queue, the most urgent first."""
    reader = reader_of(site, viewer)
    shown = listed(site, viewer, wanted)
    count = queue.count(site.database, wanted, reader, shown=shown)
    return Listed(
        charges=[Held.of(each) for each in shown.entries],
        after=shown.after,
        before=shown.before,
        count=count.number,
        is_more=count.is_more,
    )


@router.get("/queue/views", dependencies=[needs(Permission.READ_CHARGES)])
def views(site: SiteHere, viewer: ViewerHere) -> list[View]:
    """The saved views that are offered to the token's user, by name."""
    return [
        View(name=each.name, address=each.address, owner=each.owner, shared=each.shared)
        for each in views_of(site, viewer)
    ]


@router.post("/queue/views", status_code=204, dependencies=[needs(Permission.READ_CHARGES)])
def save_view(site: SiteHere, viewer: ViewerHere, view: NewView) -> None:
    """Name a view; the same name again replaces one's own."""
    wanted = Wanted.read(dict(parse_qsl(view.address)))
    desk.save_view(site.database, view.name, wanted.address(), by=viewer.name, shared=view.shared, clock=site.clock)


@router.delete("/queue/views", status_code=204, dependencies=[needs(Permission.READ_CHARGES)])
def forget_view(site: SiteHere, viewer: ViewerHere, name: Annotated[str, Query(max_length=80)]) -> None:
    """Forget one of one's own views; one that is not there is forgotten already."""
    desk.forget_view(site.database, name, by=viewer.name)


@router.get("/queue/groups", dependencies=[needs(Permission.READ_CHARGES)])
def groups(site: SiteHere, viewer: ViewerHere, wanted: WantedHere) -> AllGroups:
    """The first charges of a view by rule and provider."""
    found = queue.groups(site.database, wanted, reader_of(site, viewer))
    return AllGroups(
        groups=[
            Grouped(rule=each.rule, provider_npi=each.provider_npi, charges=each.charges, total=each.total)
            for each in found.groups
        ],
        of=found.of,
        is_more=found.is_more,
    )


@router.post("/queue/search", dependencies=[needs(Permission.READ_CHARGES)])
def search(site: SiteHere, viewer: ViewerHere, sought: Sought) -> list[Matching]:
    """The charges with a number, newest service first."""
    return [
        Matching(
            charge=each.charge_number,
            practice=each.practice,
            status=each.status,
            service_date=each.service_date,
            total=each.total,
        )
        for each in queue.find(site.database, sought.text, reader_of(site, viewer))
    ]


@router.get("/queue/corrections", dependencies=[needs(Permission.READ_CHARGES)])
def to_enter(site: SiteHere, viewer: ViewerHere, after: Annotated[int, Query(ge=0, lt=2**63)] = 0) -> list[ToEnter]:
    """What was corrected here and is to be entered at the source, oldest first; ``after`` is the last ``number`` seen."""
    return [
        ToEnter(
            number=each.number,
            charge=each.charge_number,
            practice=each.practice,
            key=each.key,
            rule=each.rule,
            by=each.by,
            at=each.at,
            fields=list(each.fields),
        )
        for each in corrections.standing(site.database, practices=viewer.practices, after=after)
    ]


@router.post("/queue/bulk/preview", dependencies=[needs(Permission.LEAD_CHARGES)])
def preview(site: SiteHere, viewer: ViewerHere, wanted: WantedHere, many: Many) -> list[Prospect]:
    """What one act would do to each of the first charges of a view."""
    shown = bulk.preview(site.database, wanted, many.intent, reader_of(site, viewer))
    return [
        Prospect(charge=each.charge_number, seen=each.seen, can=each.can, sentence=each.sentence)
        for each in shown.prospects
    ]


@router.post("/queue/bulk", dependencies=[needs(Permission.LEAD_CHARGES)])
def carry_out(site: SiteHere, viewer: ViewerHere, many: Many) -> DidMany:
    """Do it to the charges that are ``chosen``, each unless it changed since the event that was seen."""
    chosen = [(each.charge, each.seen) for each in many.chosen]
    done = bulk.carry_out(site.database, many.intent, chosen, reader_of(site, viewer), site.clock)
    return DidMany(count=done.count, failures=[Failure(charge=number, why=why) for number, why in done.failures])


@router.get("/charges/{number}", dependencies=[needs(Permission.READ_CHARGES)])
def charge(site: SiteHere, viewer: ViewerHere, number: int) -> File:
    """One charge; that it was read is written down."""
    charge_of(site, viewer, number)
    desk.look(site.database, number, by=viewer.name, clock=site.clock)
    return File.of(casefile.read(site.pipeline, number))


@router.post("/charges/{number}/{act}", dependencies=[needs(Permission.WORK_CHARGES)])
def act(site: SiteHere, viewer: ViewerHere, number: int, act: str, given: Given) -> Did:
    """Do one thing to a charge; 409 when others changed it since the event that was ``seen``."""
    done = perform(site, viewer, number, act, given)
    return Did(says=done.sentence, left_the_queue=done.leaves)
