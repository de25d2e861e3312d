"""What every page and route is given: the database, the settings, the clock, the pipeline over them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from charges.db import Database
from charges.pipeline import Applied, Pipeline
from charges.settings import Settings
from charges.users.permissions import Viewer


@dataclass(frozen=True)
class Site:
    """One installation's page."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]

    @cached_property
    def pipeline(self) -> Pipeline:
        """The stages, for acts that need a practice's profile or its rules."""
        return Pipeline(self.database, self.settings, self.clock)

    def practices(self, viewer: Viewer) -> list[Applied]:
        """The practices that a viewer may see."""
        return [each for each in self.pipeline.practices() if viewer.may_see(each.id)]

    def practice(self, viewer: Viewer, code: str) -> Applied:
        """A practice of a viewer's; raises Missing."""
        viewer.demand_practice(code)
        return self.pipeline.practice(code)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by TLS; else it answers on this machine only."""
        return self.settings.web_url.startswith("https://")

    @property
    def host(self) -> str:
        """Its name and port, as a browser sends them."""
        return urlsplit(self.settings.web_url).netloc


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


SiteHere = Annotated[Site, Depends(_site)]
"""A parameter of a page: the site."""
