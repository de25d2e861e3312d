"""Whether this installation can work: for whoever restarts it."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from charges.db import is_current
from charges.errors import ChargerouterError
from charges.web.site import SiteHere

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Whether the page can work, and what is wrong if it cannot."""

    ok: bool
    says: str


@router.get("/healthz", response_model=Health, responses={503: {"model": Health}})
async def healthz(site: SiteHere) -> JSONResponse:
    """Whether the database answers and has the tables of this version. 503 when not."""
    try:
        current = await run_in_threadpool(is_current, site.database.engine)
        health = Health(ok=current, says="works" if current else "Run `charges db upgrade`.")
    except ChargerouterError:
        health = Health(ok=False, says="The database does not answer.")
    return JSONResponse(health.model_dump(), 200 if health.ok else 503)
