"""The rules: what each checks and why, how much it weighs for whom, and the payer rules that people write here."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from charges.desk import payer_rules
from charges.desk.payer_rules import File
from charges.errors import Missing
from charges.pipeline import Applied
from charges.users.permissions import Permission, Viewer
from charges.web.security import ViewerHere, needs
from charges.web.showing import page, went_well
from charges.web.site import Site, SiteHere
from rules.engine import Rule
from rules.payer.catalogue import FACTS
from rules.payer.conditions import OPERATORS

router = APIRouter(prefix="/rules")

Word = Annotated[str, Form()]
NEW = "new"
"""In the address, the file that is not there yet."""


def rules_of(site: Site, viewer: Viewer) -> list[tuple[Rule, str]]:
    """The installed rules, then the payer rules of the viewer's practices with their stage, each once."""
    found = {each.id: (each, "installed") for each in site.pipeline.rules}
    for applied in site.practices(viewer):
        for each in site.pipeline.book(applied).rules:
            found.setdefault(each.rule.id, (each.rule, each.definition.stage.value))
    return list(found.values())


@router.get("", dependencies=[needs(Permission.READ_RULES)])
def rules(request: Request, site: SiteHere, viewer: ViewerHere, search: str = "") -> Response:
    """All rules, or those whose id, title or documentation has what is searched."""
    wanted = search.strip().casefold()
    found = [
        (rule, stage)
        for rule, stage in rules_of(site, viewer)
        if not wanted or wanted in f"{rule.id} {rule.title} {rule.documentation}".casefold()
    ]
    files = [(each.practice.code, payer_rules.files(each)) for each in site.practices(viewer)]
    return page(request, "rules.html", rules=found, search=search, files=files)


@router.get("/{rule}", dependencies=[needs(Permission.READ_RULES)])
def rule(request: Request, site: SiteHere, viewer: ViewerHere, rule: str) -> Response:
    """One rule: its documentation, how much it weighs for whom, how often it speaks now."""
    found = next(((each, stage) for each, stage in rules_of(site, viewer) if each.id == rule.upper()), None)
    if found is None:
        raise Missing(f"No rule is called {rule}.")
    shown, stage = found
    return page(
        request,
        "rule.html",
        rule=shown,
        stage=stage,
        hits=payer_rules.hits(site.database, shown.id, viewer.practice_ids),
        most=payer_rules.MOST_HITS,
        weighed=[each for applied in site.practices(viewer) for each in payer_rules.weights(applied, shown)],
    )


@router.get("/payer/{code}/{name}", dependencies=[needs(Permission.WRITE_RULES)])
def editor(request: Request, site: SiteHere, viewer: ViewerHere, code: str, name: str) -> Response:
    """A file of payer rules to be written, with what its cases say."""
    applied = site.practice(viewer, code)
    opened = File("", "", "") if name == NEW else payer_rules.file(applied, name)
    return _editor(request, site, applied, opened)


@router.post("/payer/{code}/{name}/try", dependencies=[needs(Permission.WRITE_RULES)])
def try_cases(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    code: str,
    name: str,
    text: Word = "",
    file: Word = "",
    digest: Word = "",
) -> Response:
    """Run the cases of a text, as it is typed or when asked."""
    applied = site.practice(viewer, code)
    if "hx-request" in request.headers:
        tried = payer_rules.tried(site.pipeline, file or name, text)
        return page(request, "rules_tried.html", tried=tried, shadow=None)
    return _editor(request, site, applied, File(file or name, text, digest))


@router.post("/payer/{code}/{name}/shadow", dependencies=[needs(Permission.WRITE_RULES)])
def try_charges(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    code: str,
    name: str,
    text: Word = "",
    file: Word = "",
    digest: Word = "",
) -> Response:
    """Say what the rules of a text would find in the practice's newest charges."""
    viewer.demand(Permission.READ_CHARGES)
    applied = site.practice(viewer, code)
    shadow = payer_rules.shadow(site.pipeline, applied, file or name, text, by=viewer.name)
    return _editor(request, site, applied, File(file or name, text, digest), shadow)


@router.post("/payer/{code}/{name}", dependencies=[needs(Permission.WRITE_RULES)])
def save(
    request: Request,
    site: SiteHere,
    viewer: ViewerHere,
    code: str,
    name: str,
    text: Word = "",
    file: Word = "",
    digest: Word = "",
) -> Response:
    """Write the file; it counts from the next run on."""
    applied = site.practice(viewer, code)
    written = File(file if name == NEW else name, text.replace("\r\n", "\n"), digest)
    payer_rules.save(site.pipeline, applied, written, by=viewer.name, user_id=viewer.user_id)
    return went_well(
        request, f"/rules/payer/{code}/{written.name}", f"{written.name} is saved and counts from the next run on."
    )


def _editor(
    request: Request, site: Site, applied: Applied, opened: File, shadow: payer_rules.Shadow | None = None
) -> Response:
    """The editor on a text, whether it is stored or not."""
    text = opened.text.replace("\r\n", "\n")
    return page(
        request,
        "rules_editor.html",
        code=applied.practice.code,
        has_folder=applied.practice.payer_rules is not None,
        file=opened,
        text=text,
        tried=payer_rules.tried(site.pipeline, opened.name or "new.yaml", text) if text else None,
        shadow=shadow,
        facts=list(FACTS.values()),
        operators=OPERATORS,
    )
