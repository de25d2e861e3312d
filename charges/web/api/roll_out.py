"""The roll-out for programs."""

from datetime import datetime
from decimal import Decimal

from fastapi import APIRouter
from pydantic import BaseModel

from charges import kept
from charges.rollout.acts import Moved, RollOutShown
from charges.tables import Mode
from charges.users.permissions import Permission
from charges.web.api.files import Because, Shown
from charges.web.api.sources import Code
from charges.web.security import ViewerHere, needs
from charges.web.site import SiteHere

router = APIRouter(prefix="/api/roll-out", tags=["roll-out"])


class Demand(Shown):
    """One thing that the next mode demands."""

    what: str
    value: str
    wanted: str
    is_met: bool


class RollOut(BaseModel):
    """How far a practice has come, and what its next mode demands. Rates are shares of 1.

    ``counted_at`` is when that was counted, null for this moment.
    """

    practice: str
    mode: Mode
    since: datetime
    clean_rate: Decimal
    acceptance_rate: Decimal
    next: Mode | None
    is_ready: bool
    demands: list[Demand]
    counted_at: datetime | None

    @classmethod
    def of(cls, shown: RollOutShown) -> "RollOut":
        """Of what the roll-out shows."""
        return cls(
            practice=shown.practice,
            mode=shown.standing.mode,
            since=shown.standing.since,
            clean_rate=shown.shown.clean_rate,
            acceptance_rate=shown.shown.acceptance_rate,
            next=shown.next,
            is_ready=shown.is_ready,
            demands=[Demand.model_validate(each) for each in shown.demands],
            counted_at=shown.counted_at,
        )


class Retreat(Because):
    """Back to which mode, and why."""

    to: Mode


class Done(BaseModel):
    """What an act did, as sentences."""

    mode: Mode
    says: list[str]

    @classmethod
    def of(cls, moved: Moved) -> "Done":
        """Of what was moved."""
        return cls(mode=moved.became, says=list(moved.sentences()))


@router.get("", dependencies=[needs(Permission.READ_ROLL_OUT)])
def roll_outs(site: SiteHere, viewer: ViewerHere) -> list[RollOut]:
    """Each practice that the token's user may see, with its mode."""
    return [RollOut.of(site.pipeline.roll_out(code, kept.OLD)) for code in sorted(viewer.practices)]


@router.post("/{code}/advance", dependencies=[needs(Permission.MOVE_ROLL_OUT)])
def advance(site: SiteHere, viewer: ViewerHere, code: Code, because: Because) -> Done:
    """Bring a practice to its next mode."""
    viewer.demand_practice(code)
    return Done.of(site.pipeline.advance(code, by=viewer.name, reason=because.reason))


@router.post("/{code}/retreat", dependencies=[needs(Permission.MOVE_ROLL_OUT)])
def retreat(site: SiteHere, viewer: ViewerHere, code: Code, back: Retreat) -> Done:
    """Bring a practice back at once."""
    viewer.demand_practice(code)
    return Done.of(site.pipeline.retreat(code, by=viewer.name, reason=back.reason, to=back.to))
