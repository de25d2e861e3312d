"""How the sources of a practice are reached: one setting for each kind, a part of the practice profile."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from charges.atoms import Setting, Text


class Secret(Setting):
    """Where a secret is found when it is needed: an environment variable or a file. Never the secret itself."""

    env: Text | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("name either env (an environment variable) or file (a path), not both")
        return self


class EclinicalWorks(Setting):
    """The connection to a tenant of the eClinicalWorks proprietary API."""

    kind: Literal["eclinicalworks"]
    base_url: Annotated[str, Field(pattern=r"^https?://")]
    practice_code: Text
    client_id: Text
    client_secret: Secret
    page_size: Annotated[int, Field(ge=1, le=1000)] = 200
    overlap_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    start: date | None = None

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        local = re.match(r"^http://(127\.0\.0\.1|localhost|\[::1\])(:|/|$)", self.base_url)
        if self.base_url.startswith("http://") and not local:
            raise ValueError("base_url must be https: patient data would travel in the clear")
        return self


class ClaimFiles(Setting):
    """837 files that another system writes into ``folder``, relative to the working directory; they are only read."""

    kind: Literal["x12"]
    folder: Path
