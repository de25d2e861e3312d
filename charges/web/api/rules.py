"""The rules, and payer rules tried on their cases, for programs."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from charges.desk import payer_rules
from charges.model import Severity
from charges.users.permissions import Permission
from charges.web.api.files import Shown
from charges.web.pages.rules import rules_of
from charges.web.security import ViewerHere, needs
from charges.web.site import SiteHere

router = APIRouter(prefix="/api/rules", tags=["rules"])


class Rule(BaseModel):
    """A rule; ``stage`` is ``installed``, or how far a payer rule has come."""

    id: str
    title: str
    severity: Severity
    stage: str


class Text(BaseModel):
    """A file of payer rules; the name's ending says whether it is YAML or CSV."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,70}$")] = "rules.yaml"
    text: Annotated[str, Field(max_length=500_000)]


class TriedRule(Shown):
    """A rule of a text with the cases of its own that fail."""

    id: str
    title: str
    stage: str
    cases: int
    failures: tuple[str, ...]


class Tried(Shown):
    """What a text of payer rules is worth; ``holds``: no fault, and every case holds."""

    holds: bool
    faults: tuple[str, ...]
    rules: tuple[TriedRule, ...]


@router.get("", dependencies=[needs(Permission.READ_RULES)])
def rules(site: SiteHere, viewer: ViewerHere) -> list[Rule]:
    """The installed rules, then the payer rules of the practices that the token's user may see."""
    return [
        Rule(id=rule.id, title=rule.title, severity=rule.severity, stage=stage)
        for rule, stage in rules_of(site, viewer)
    ]


@router.post("/try", response_model=Tried, dependencies=[needs(Permission.WRITE_RULES)])
def try_cases(site: SiteHere, text: Text) -> object:
    """Run the cases of payer rules; nothing is stored."""
    return payer_rules.tried(site.pipeline, text.name, text.text)
