"""Looking after users in the browser and on the command line."""

import io
import re

import pytest
import segno

from charges.errors import Forbidden, Missing, Refused
from charges.lifecycle import broken_chains
from charges.tables import Role
from charges.users import accounts, secrets, tokens
from charges.users.accounts import Wanted
from charges.users.permissions import PERMISSIONS, Permission, Viewer
from tests.web.conftest import PASSWORD, Hall


def test_an_operator_adds_somebody_who_then_signs_in(halls: Hall) -> None:
    browser = halls.signed_in("omar", Role.OPERATOR)

    made = browser.submit("/users", {"name": "Bea", "role": "biller", "practice": "lakeside"})

    password, totp = re.findall(r"<code>([^<]+)</code></dd>", made.text)[:2]
    drawn = io.BytesIO()
    segno.make(secrets.totp_address("bea", totp), error="m", micro=False).save(drawn, "svg", scale=4, light="#fff")
    squares = re.findall(rb' d="([^"]+)"', drawn.getvalue())[-1].decode()
    assert f' d="{squares}"' in made.text, "the authenticator scans what else would be typed"
    assert " style=" not in made.text
    halls.people["bea"] = accounts.Credentials("bea", password, totp, ())
    assert halls.sign_in(halls.browser(), "bea").status_code == 303
    assert password not in browser.get("/users/bea").text, "shown once"


def test_who_looks_after_one_practice_opens_no_other(hall: Hall) -> None:
    browser = hall.signed_in("omar", Role.OPERATOR)
    hall.employ("hilda", Role.LEAD, "hillside")

    for fields in ({"practice": "hillside"}, {"sees_all": "true"}, {}):
        assert browser.submit("/users", {"name": "bea", "role": "lead", **fields}).status_code in (400, 404)
    assert "hilda" not in browser.get("/users").text
    for act in ("change", "disable", "reset", "emergency", "tokens", "tokens/revoke"):
        fields = {"role": "lead", "practice": "lakeside", "reason": "mine", "label": "x", "hours": "1"}
        assert browser.submit(f"/users/hilda/{act}", fields).status_code == 404, act


def test_many_users_are_shown_by_pages_with_all_emergencies_on_each(halls: Hall) -> None:
    for number in range(60):
        wanted = Wanted(Role.BILLER, ("lakeside",), subject=f"person {number}")
        accounts.add(halls.database, f"person {number:02}", wanted, by="engineer", clock=halls.clock)
    halls.employ("hilda", Role.LEAD, "hillside")
    accounts.open_in_emergency(
        halls.database, "person 58", "hillside", hours=2, by="engineer", because="ill", clock=halls.clock
    )
    browser = halls.signed_in("omar", Role.OPERATOR)

    first = browser.get("/users")
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first.text)
    second = browser.get(following.replace("&amp;", "&"))

    listed = [re.findall(r'href="/users/([a-z]+(?:%20\d+)?)"', each.text) for each in (first, second)]
    people = ["omar", *(f"person%20{number:02}" for number in range(60))]
    assert listed[0] + listed[1] == people
    assert all("person 58 sees hillside because of an emergency" in each.text for each in (first, second))
    program = halls.program("users:manage", role=Role.OPERATOR)
    assert [each["name"] for each in program.get("/api/users?after=person%2057&limit=1").json()] == ["person 58"]


def test_nobody_changes_their_own_account(hall: Hall) -> None:
    browser = hall.signed_in("omar", Role.OPERATOR)

    assert browser.submit("/users/omar/change", {"role": "lead", "practice": "lakeside"}).status_code == 400


def test_a_practice_is_opened_in_an_emergency_for_a_while_and_seen_by_all(hall: Hall) -> None:
    hall.employ("root", Role.OPERATOR, "lakeside", "hillside")
    operator = hall.browser()
    hall.sign_in(operator, "root")
    operator.submit("/account/password", {"old": hall.people["root"].password, "new": PASSWORD})
    biller = hall.signed_in("bea", Role.BILLER)
    assert biller.get("/sources/hillside").status_code == 404

    fields = {"practice": "hillside", "hours": "1", "reason": "their biller is ill"}
    assert operator.submit("/users/bea/emergency", {**fields, "reason": ""}).status_code == 400
    assert operator.submit("/users/bea/emergency", fields).status_code == 303

    assert biller.get("/sources/hillside").status_code == 200
    assert "because of an emergency" in operator.get("/users").text
    assert "their biller is ill" in operator.get("/users/bea").text
    hall.later(minutes=50)
    hall.sign_in(biller, "bea", PASSWORD)
    hall.later(minutes=11)
    assert biller.get("/sources/hillside").status_code == 404


def test_the_history_of_accounts_is_sealed_in_a_chain(halls: Hall) -> None:
    halls.signed_in("ann")
    accounts.disable(halls.database, "ann", by="engineer", because="left", clock=halls.clock)

    happened = [each.what for each in accounts.history(halls.database, "ann")]

    assert happened == ["disabled", "password changed", "signed in", "added"]
    with halls.database.transaction() as session:
        assert not list(broken_chains(session, halls.database.keyring))


@pytest.mark.parametrize("name", ["ann", "ANN", " Ann "])
def test_every_person_has_a_name_of_their_own(hall: Hall, name: str) -> None:
    hall.employ("Ann")

    with pytest.raises(Refused, match="already"):
        accounts.add(hall.database, name, Wanted(Role.LEAD, ("lakeside",)), by="engineer", clock=hall.clock)


def test_a_lost_authenticator_is_reset_and_opens_nothing_any_more(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    before = hall.people["ann"]

    hall.people["ann"] = accounts.reset(hall.database, "ann", by="engineer", because="lost it", clock=hall.clock)

    assert browser.get("/").status_code == 303, "its sessions ended"
    assert hall.sign_in(hall.browser(), "ann").status_code == 303
    hall.people["ann"] = before
    assert hall.sign_in(hall.browser(), "ann", PASSWORD).status_code == 401


def test_a_token_does_what_its_scopes_and_its_users_role_include_until_it_ends(halls: Hall) -> None:
    halls.employ("bea", Role.BILLER)
    made = tokens.make(halls.database, "bea", "figures", ["charges:read"], days=1, by="engineer", clock=halls.clock)

    viewer = tokens.look_up(halls.database, made, clock=halls.clock)
    assert viewer is not None
    assert viewer.permissions == {Permission.READ_CHARGES}
    accounts.change(halls.database, "bea", Wanted(Role.OPERATOR, ("hillside",)), by="engineer", clock=halls.clock)
    after = tokens.look_up(halls.database, made, clock=halls.clock)
    assert after is not None
    assert not after.permissions, "an operator reads no charges"
    assert set(after.practices) == {"hillside"}
    halls.later(days=1)
    assert tokens.look_up(halls.database, made, clock=halls.clock) is None


def test_a_token_is_revoked_at_once(hall: Hall) -> None:
    hall.employ("bea")
    made = tokens.make(hall.database, "bea", "figures", ["charges:read"], days=1, by="engineer", clock=hall.clock)
    tokens.revoke(hall.database, "bea", "figures", by="engineer", clock=hall.clock)

    assert tokens.look_up(hall.database, made, clock=hall.clock) is None
    with pytest.raises(Missing):
        tokens.revoke(hall.database, "bea", "figures", by="engineer", clock=hall.clock)


@pytest.mark.parametrize(
    ("scopes", "days", "label"),
    [(["users:manage"], 1, "x"), ([], 1, "x"), (["files:read"], 400, "x"), (["files:read"], 1, "")],
)
def test_a_token_beyond_its_user_is_refused(hall: Hall, scopes: list[str], days: int, label: str) -> None:
    hall.employ("bea", Role.BILLER)

    with pytest.raises(Refused):
        tokens.make(hall.database, "bea", label, scopes, days=days, by="engineer", clock=hall.clock)


def test_an_operator_reads_no_charge_and_an_auditor_changes_nothing() -> None:
    acts = {each for each in Permission if not each.endswith((":read", ":download", ":export", ":people"))}

    assert not PERMISSIONS[Role.OPERATOR] & {Permission.READ_CHARGES, Permission.DOWNLOAD_FILES}
    assert not PERMISSIONS[Role.AUDITOR] & acts
    assert set(PERMISSIONS) == set(Role)
    assert frozenset().union(*PERMISSIONS.values()) == set(Permission), "somebody may do each thing"


def test_a_viewer_is_asked_by_code_or_by_number() -> None:
    viewer = Viewer(1, "ann", Role.BILLER, PERMISSIONS[Role.BILLER], {"lakeside": 7})

    assert (viewer.may_see("lakeside"), viewer.may_see(7)) == (True, True)
    assert (viewer.may_see("hillside"), viewer.may_see(8)) == (False, False)
    with pytest.raises(Missing):
        viewer.demand_practice(8)
    with pytest.raises(Forbidden, match="charges:lead"):
        viewer.demand(Permission.LEAD_CHARGES)


def test_what_is_stored_opens_nothing(hall: Hall) -> None:
    browser = hall.signed_in("ann")
    made = tokens.make(hall.database, "ann", "figures", ["files:read"], days=1, by="engineer", clock=hall.clock)
    stored = b"".join(path.read_bytes() for path in hall.workplace.folder.glob("chargerouter.db*"))

    kept = hall.people["ann"]
    for secret in (browser.cookies["session"], made, kept.password, kept.totp, PASSWORD, *kept.recovery_codes):
        assert secret.encode() not in stored
        assert secrets.plain_code(secret).encode() not in stored
