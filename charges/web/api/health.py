"""Whether this installation can work, and its numbers: for whoever restarts it, and for Prometheus."""

from collections.abc import Iterator

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse

from charges import kept
from charges.db import is_current
from charges.errors import ChargerouterError
from charges.overview import kept_by_state
from charges.telling import endpoints
from charges.users import accounts
from charges.users.permissions import Permission, Viewer
from charges.web.pages.sources import feeds_of
from charges.web.security import ViewerHere, needs
from charges.web.site import Site, SiteHere

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


@router.get("/metrics", response_class=PlainTextResponse, dependencies=[needs(Permission.READ_METRICS)])
def metrics(site: SiteHere, viewer: ViewerHere) -> PlainTextResponse:
    """Numbers in the form of Prometheus, of the practices that the token's user may see. No label names a patient."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(site, viewer))
    return PlainTextResponse(generate_latest(registry), media_type="text/plain; version=0.0.4")


_COUNTED = {
    "charges": ("chargerouter_charges", "Charges by practice and state."),
    "files": ("chargerouter_files", "Claim files by practice and state."),
    "breakers": ("chargerouter_breakers", "Differences of sources that are not settled, by practice and state."),
    "overdue replies": ("chargerouter_overdue_replies", "Replies that should have come, by practice and kind."),
}


class _Numbers(Collector):
    """Read from the tables at each request, so that they are right however many processes there are.

    Where there are very many charges they were counted some minutes ago, which a number of its own says.
    """

    def __init__(self, site: Site, viewer: Viewer) -> None:
        self.site, self.viewer = site, viewer

    def collect(self) -> Iterator[Metric]:
        counted, counted_at = kept_by_state(self.site.database, self.site.clock(), kept.OLD)
        for kind, (name, says) in _COUNTED.items():
            family = GaugeMetricFamily(name, says, labels=["practice", "state"])
            for practice in filter(self.viewer.may_see, counted):
                for state, count in counted[practice].get(kind, {}).items():
                    family.add_metric([practice, state], count)
            yield family
        yield GaugeMetricFamily(
            "chargerouter_counted_at_seconds",
            "When charges and files were counted, in seconds since 1970; in a large installation some minutes ago.",
            value=counted_at.timestamp(),
        )
        lag = GaugeMetricFamily(
            "chargerouter_source_lag_seconds", "Seconds since a source was last read.", labels=["practice", "source"]
        )
        for feed in feeds_of(self.site, self.viewer):
            if feed.lag is not None:
                lag.add_metric([feed.practice, feed.kind], feed.lag.total_seconds())
        yield lag
        messages = GaugeMetricFamily(
            "chargerouter_webhook_messages",
            "Messages to endpoints that wait or were given up, by practice.",
            labels=["practice", "endpoint", "state"],
        )
        for each in endpoints.listed(self.site.database, list(self.viewer.practices)):
            messages.add_metric([each.practice, each.name, "waiting"], each.waiting)
            messages.add_metric([each.practice, each.name, "given_up"], each.given_up)
        yield messages
        emergencies = sum(
            self.viewer.may_see(each.practice) for each in accounts.emergencies(self.site.database, self.site.clock())
        )
        yield GaugeMetricFamily(
            "chargerouter_emergency_grants", "Practices opened to users in an emergency, now.", value=emergencies
        )
