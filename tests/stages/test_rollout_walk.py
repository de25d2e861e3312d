"""Any walk through the roll-out, with charges in every state: nothing leaves that may not, and all is billed exactly once.

``CHARGES_TEST_WALKS`` says how many walks are taken; a few by default.
"""

import os
import re
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from charges import delivery, lifecycle
from charges.clearinghouses import Parcel
from charges.clearinghouses.folder import Folder
from charges.db import Database, create_database_engine, upgrade
from charges.errors import Refused, Unavailable
from charges.model import Charge
from charges.settings import Settings
from charges.tables import ClaimFileRow, FileStatus, Mode
from charges.x12 import check
from rules.examples import PATIENT, charge, line
from tests.conftest import KEYRING, NOON
from tests.practice import Workplace

WALKS = int(os.environ.get("CHARGES_TEST_WALKS", "6"))
CHOSEN = frozenset(("0", "1", "4"))
SENDING = (Mode.COHORT, Mode.FULL)
MODES = st.sampled_from(list(Mode))


def visit(number: int, code: str) -> Charge:
    patient = PATIENT.model_copy(update={"record_number": str(number)})
    return charge(line(code), key=str(number), patient=patient)


class Walk(RuleBasedStateMachine):
    """A lead goes on and back at any moment, while charges come and change and stages run or fail."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder)
        self.engine = create_database_engine(Settings(database_url=f"sqlite:///{self.folder / self.template.name}"))
        self.now, self.visits = NOON, 0
        self.place = Workplace(Database(self.engine, KEYRING), self.folder, self.clock)
        plan = self.place.applied.practice.roll_out.model_copy(update={"patients": CHOSEN})
        self.place.apply(Mode.OBSERVE, roll_out=plan)
        self.seen: set[str] = set()
        self.mode, self.on_their_way = Mode.OBSERVE, set[str]()

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def lead(self, to: Mode) -> None:
        self.place.roll_out_to(to)

    def files(self, status: FileStatus) -> dict[int, str]:
        with self.place.database.transaction() as session:
            rows = session.execute(select(ClaimFileRow.id, ClaimFileRow.name).where(ClaimFileRow.status == status))
            return {number: name for number, name in rows}  # noqa: C416 - rows are tuples to us

    @initialize(mode=MODES, sent=st.booleans())
    def some_visits_were_built(self, mode: Mode, *, sent: bool) -> None:
        """Four visits, two of them of the cohort, in files of one mode; sent or not."""
        for _ in range(4):
            self.a_visit_is_entered("99213")
        self.lead(mode)
        self.place.run("pull", "judge", "generate", *(["deliver"] if sent else []))

    @rule(code=st.sampled_from(["99213", "99214"]))
    def a_visit_is_entered(self, code: str) -> None:
        self.place.source.put(visit(self.visits, code))
        self.visits += 1

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), code=st.sampled_from(["99212", "99215"]))
    def a_visit_is_changed(self, data: st.DataObject, code: str) -> None:
        number = data.draw(st.integers(0, self.visits - 1))
        self.place.source.put(visit(number, code))

    @rule()
    def what_is_new_is_judged_and_built(self) -> None:
        self.place.run("pull", "judge", "generate")

    @rule(stage=st.sampled_from(["pull", "judge", "generate", "deliver"]))
    def a_stage_runs(self, stage: str) -> None:
        self.place.run(stage)

    @rule(what=st.sampled_from(["stage", "publish"]))
    def the_vendor_is_away(self, what: str) -> None:
        with patch.object(Folder, what, side_effect=Unavailable("The folder is away.")), suppress(Unavailable):
            self.place.run("deliver")

    @rule()
    def hours_pass(self) -> None:
        self.now += timedelta(hours=2)

    @rule(to=MODES)
    def the_lead_goes(self, to: Mode) -> None:
        self.lead(to)

    @rule(to=MODES)
    def the_lead_goes_while_claims_are_built(self, to: Mode) -> None:
        genuine = check.check

        def checked(content: bytes) -> check.Verdict:
            self.lead(to)
            return genuine(content)

        with patch.object(check, "check", checked):
            self.place.run("generate")

    @rule(to=MODES)
    def the_lead_goes_while_files_are_staged(self, to: Mode) -> None:
        genuine = Folder.stage

        def staged(folder: Folder, parcel: Parcel) -> None:
            genuine(folder, parcel)
            self.lead(to)

        with patch.object(Folder, "stage", staged):
            self.place.run("deliver")

    @rule()
    def a_file_is_to_be_sent_again(self) -> None:
        for number in list(self.files(FileStatus.SENT))[-1:]:
            with suppress(Refused):
                delivery.resend(self.place.database, number, by="ada", why="they want it", clock=self.clock)

    @rule()
    def the_vendor_says_what_it_has(self) -> None:
        for number in self.files(FileStatus.UNCERTAIN):
            delivery.settle(self.place.database, number, received=True, by="ada", why="they have it", clock=self.clock)

    @invariant()
    def nothing_leaves_that_may_not(self) -> None:
        before, self.mode = self.mode, self.place.pipeline.practice("lakeside").standing.mode
        new = {path.name for path in self.place.files()} - self.seen
        if before is self.mode:
            unbidden = new - self.on_their_way
            assert not unbidden or self.mode in SENDING
            if self.mode is Mode.COHORT:
                chosen = {row.id for key, row in self.place.rows().items() if key in CHOSEN}
                assert set(self.sent(unbidden)) <= chosen
        self.seen |= new
        self.on_their_way = set(self.files(FileStatus.SENDING).values())

    @invariant()
    def nobody_is_billed_twice(self) -> None:
        assert set(self.sent(self.seen).values()) <= {1}

    def sent(self, names: set[str]) -> Counter[int]:
        """How many claims of each charge are in files that left."""
        contents = [path.read_bytes() for path in self.place.files() if path.name in names]
        return Counter(int(number) for content in contents for number in re.findall(rb"CLM\*CR(\d{9})", content))

    def teardown(self) -> None:
        try:
            self.lead(Mode.FULL)
            for _ in range(3):
                self.hours_pass()
                self.the_vendor_says_what_it_has()
                self.place.run("pull", "judge", "generate", "deliver")
            names = {path.name for path in self.place.files()}
            assert self.sent(names) == {row.id: 1 for row in self.place.rows().values()}
            with self.place.database.transaction() as session:
                assert not list(lifecycle.broken_chains(session, KEYRING))
        finally:
            self.engine.dispose()
            shutil.rmtree(self.folder)


@pytest.mark.timeout(0 if WALKS > 50 else 300)
def test_any_walk_bills_each_charge_once(tmp_path: Path) -> None:
    template = tmp_path / "chargerouter.db"
    engine = create_database_engine(Settings(database_url=f"sqlite:///{template}"))
    upgrade(engine)
    engine.dispose()

    class FromTemplate(Walk):
        pass

    FromTemplate.template = template
    run_state_machine_as_test(
        FromTemplate,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
