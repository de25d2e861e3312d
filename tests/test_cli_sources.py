"""`charges pull`, `charges sources` and `charges simulate`, as an engineer who connects a practice types them."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from charges.simulator import CLIENT_SECRET, Fault, Tenant, build_practice, running, simulator_app
from tests.conftest import Charges


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(build_practice(seed=5, patients=20, today=datetime.now(UTC).date()))


@pytest.fixture
def connected(charges: Charges, tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Charges]:
    """The practice of the example, connected to a simulated tenant."""
    monkeypatch.setenv("LAKESIDE_CLIENT_SECRET", CLIENT_SECRET)
    with running(simulator_app(tenant)) as base_url:
        example = files("charges").joinpath("practice/examples/lakeside.yaml").read_text()
        (tmp_path / "lakeside.yaml").write_text(re.sub(r"base_url: \S*", f"base_url: {base_url}", example))
        for words in (("keys", "new", "chargerouter.key"), ("db", "upgrade"), ("practice", "apply", "lakeside.yaml")):
            assert charges(*words)[0] == 0
        yield charges


def _json(said: tuple[int, str, str]) -> dict[str, object]:
    code, out, err = said
    assert code == 0, err
    found: dict[str, object] = json.loads(out)
    return found


def _recent(tenant: Tenant) -> list[str]:
    since = (datetime.now(UTC) - timedelta(days=40)).date().isoformat()
    return [each.key for each in tenant.practice.visible if each.service_date >= since and not each.voided]


def test_what_changed_when_is_found_by_the_loop_that_looks_for_it(connected: Charges, tenant: Tenant) -> None:
    first = _json(connected("pull", "--json"))
    assert first["stream"] == "changes"
    assert first["new"] == len(tenant.practice.visible)
    edited, lost = _recent(tenant)[:2]
    tenant.practice.edit_silently(edited, copay="17.00")
    tenant.practice.lose(lost)
    assert _json(connected("pull", "--json"))["changed"] == 0
    trailing = _json(connected("pull", "--trailing", "--json"))
    assert (trailing["stream"], trailing["changed"], trailing["voided"]) == ("trailing", 1, 0)
    reconcile = _json(connected("pull", "--reconcile", "--json"))
    assert (reconcile["stream"], reconcile["voided"]) == ("reconcile", 1)
    code, said, _ = connected("pull", "--practice", "lakeside")
    assert code == 0
    assert re.search(r"lakeside, changes: \d+ records?; 0 new, 0 changed, 0 void, 0 cannot be read\.", said)


def test_days_of_service_are_read_from_one_to_another(connected: Charges, tenant: Tenant) -> None:
    day = tenant.practice.visible[0].service_date
    of_the_day = sum(each.service_date == day for each in tenant.practice.visible)
    found = _json(connected("pull", "--from", day, "--to", day, "--json"))
    assert (found["stream"], found["new"]) == ("backfill", of_the_day)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "2026-01-01"), "both --from and --to"),
        (("--to", "2026-01-01"), "both --from and --to"),
        (("--from", "2026-01-01", "--to", "2026-01-31", "--trailing"), "neither --trailing"),
        (("--from", "2026-02-01", "--to", "2026-01-31"), "is after"),
        (("--from", "yesterday", "--to", "2026-01-31"), "YYYY-MM-DD"),
    ],
)
def test_days_that_make_no_span_are_refused(charges: Charges, words: tuple[str, ...], says: str) -> None:
    code, _, err = charges("pull", *words)
    assert code == 2
    assert says in err


def test_a_probe_is_shown_kept_and_looked_at_by_the_doctor(connected: Charges, tenant: Tenant) -> None:
    assert "never asked" in connected("doctor")[1]
    probed = _json(connected("sources", "probe", "lakeside", "--json"))
    assert (probed["answers"], probed["streams"]) == (True, ["changes", "days", "numbers"])
    assert isinstance(probed["fields"], dict)
    assert probed["fields"]["lines[].code"] == probed["records"]
    assert "changes, days, numbers" in connected("doctor")[1]
    tenant.fate.planned[Fault.DENIED] = 1
    code, _, err = connected("sources", "probe", "lakeside")
    assert code == 2
    assert "gives no token" in err
    code, said, _ = connected("doctor")
    assert code == 1
    assert "gives no token" in said


def test_the_simulator_tells_its_faults_and_refuses_what_is_none(charges: Charges, tmp_path: Path) -> None:
    code, said, _ = charges("simulate", "--faults")
    assert code == 0
    assert all(fault in said for fault in Fault)
    assert charges("simulate", "--fault", "bussy")[0] == 2
    (tmp_path / "faults.yaml").write_text("days:\n  4: {renamed: 1}\n")
    code, _, err = charges("simulate", "--schedule", "faults.yaml")
    assert code == 2
    assert "line 2" in err
