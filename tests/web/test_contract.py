"""The API is asked what its contract allows, and much that it does not: no mistake of ours, all answers as it says.

``CHARGES_TEST_EXAMPLES=200`` searches further than the few examples for each path that every run tries.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from charges.db import Database, create_database_engine
from charges.settings import Settings
from charges.tables import Role
from charges.users.permissions import PERMISSIONS
from charges.web.acts import ACTS
from charges.web.app import create_app
from rules.examples import charge
from tests.conftest import KEYRING, NOON
from tests.desk.workers import Desk, pointless, without_25
from tests.practice import Workplace
from tests.replies import accepted
from tests.web.conftest import Browser, Hall
from tests.web.walk import ROUTES, may

SEARCHES = "CHARGES_TEST_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("CHARGES_TEST_EXAMPLES", "4"))
PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def contract() -> dict[str, object]:
    """What the site says of itself; it needs no database for that."""
    return create_app(None, Settings(), lambda: NOON).openapi()  # type: ignore[arg-type]


schema = schemathesis.openapi.from_dict(contract())
schema.config.phases.coverage.enabled = SEARCHES  # each edge of each value, which takes long


@pytest.fixture(scope="module")
def programs(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Role, Browser]]:
    """A program for each role that may do all that its role may, where charges are held and a file was sent and answered."""
    folder = tmp_path_factory.mktemp("contract")
    path = shutil.copy(empty_database, folder / "chargerouter.db")
    database = Database(create_database_engine(Settings(database_url=f"sqlite:///{path}")), KEYRING)
    workplace = Workplace(database, folder, lambda: NOON)
    workplace.source.put(charge(key="fine"))
    Desk(workplace).hold(without_25("visit"), pointless("pointless"))
    (folder / "inbound").mkdir()
    (folder / "inbound" / "answer.999").write_bytes(accepted(1))
    workplace.run()
    hall = Hall(workplace)
    with hall.rooms:
        yield {role: hall.program(*PERMISSIONS[role], role=role) for role in Role}
    database.close()


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not SEARCHES,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_what_is_answered_is_what_the_contract_promises(case: Case[Any], programs: dict[Role, Browser]) -> None:
    if case.method != case.operation.method.upper():
        return  # methods that a path has not are no part of the contract
    (route,) = (each for each in ROUTES if (each.method, each.path) == (case.method, case.path))
    role = next(each for each in (Role.LEAD, Role.OPERATOR, Role.AUDITOR) if may(each, route))
    _meet(case)

    asked = case.as_transport_kwargs(base_url="")
    headers = {name: value for name, value in asked["headers"].items() if name.lower() not in ("host", "authorization")}
    answer = programs[role].request(asked["method"], asked["url"], **_kept(asked), headers=headers)

    case.validate_response(answer, checks=PROMISES)


def _kept(asked: dict[str, Any]) -> dict[str, Any]:
    body = asked.get("data")
    sent = {"content": body} if isinstance(body, bytes | str) else {"data": body}
    return {name: given for name, given in (asked | sent).items() if given and name in ("params", "json", *sent)}


def _meet(case: Case[Any]) -> None:
    """Often ask for what is there: numbers and names that nobody would find by chance."""
    given = case.path_parameters or {}
    if isinstance(number := given.get("number"), int) and number % 2 == 0:
        given["number"] = number % 3 + 1
    for name, known in (("code", ["lakeside"]), ("act", list(ACTS)), ("name", ["program 0"])):
        if isinstance(word := given.get(name), str) and len(word) % 2 == 0:
            given[name] = known[len(word) // 2 % len(known)]
