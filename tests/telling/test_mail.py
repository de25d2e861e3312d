"""Mail through a real SMTP server: digests at their hour, urgent news at once, to whom it concerns and nobody else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from charges.errors import Missing, Refused, Unavailable
from charges.settings import Settings, read_settings
from charges.tables import DeliveryRow, DeliveryState, FileStatus, Role, Topic
from charges.telling import letters, mail, subscriptions
from charges.telling.delivering import Told
from charges.telling.letters import Envelope, Item
from charges.telling.subscriptions import Wish
from charges.users import accounts
from charges.users.accounts import Wanted
from tests.practice import Workplace
from tests.telling.listeners import Post
from tests.telling.mailboxes import Mailbox, receiving
from tests.telling.test_noticing import hold, send_a_file, with_telling
from tests.web.conftest import with_second_practice


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with receiving(Mailbox()) as taking:
        yield taking


class MailPost(Post):
    """An installation that sends mail."""

    def __init__(self, workplace: Workplace, mailbox: Mailbox) -> None:
        super().__init__(
            workplace,
            smtp_host="127.0.0.1",
            smtp_port=mailbox.port,
            smtp_tls="none",
            mail_from="charges@lakeside.example",
        )

    def employ(self, name: str, role: Role, *practices: str) -> None:
        accounts.add(self.database, name, Wanted(role, practices or ("lakeside",)), by="engineer", clock=self.clock)

    def subscribe(self, name: str, *topics: Topic, at_once: bool = True, hour: int = 7) -> None:
        wish = Wish(f"{name}@lakeside.example", topics or None, at_once=at_once, hour=hour)
        subscriptions.subscribe(self.database, name, wish, by=name, clock=self.clock)

    def tell(self) -> Told:
        return self.pipeline.tell()  # gathers the digests too


@pytest.fixture
def office(small_workplace: Workplace, mailbox: Mailbox) -> MailPost:
    """The clock stands at noon in Chicago."""
    made = MailPost(small_workplace, mailbox)
    made.employ("ann", Role.LEAD)
    return made


@pytest.fixture
def offices(workplace: Workplace, mailbox: Mailbox) -> MailPost:
    """The same on each kind of database."""
    made = MailPost(workplace, mailbox)
    made.employ("ann", Role.LEAD)
    return made


def states(office: MailPost) -> list[DeliveryState]:
    with office.database.transaction() as session:
        return list(session.scalars(select(DeliveryRow.state).order_by(DeliveryRow.id)))


def test_an_open_breaker_is_told_at_once_and_once(offices: MailPost, mailbox: Mailbox) -> None:
    offices.subscribe("ann")
    offices.open_breaker()
    assert offices.later(minutes=1) == Told(delivered=1)
    assert offices.later(days=1) == Told()
    (got,) = mailbox.mails
    assert (got["To"], got["From"]) == ("ann@lakeside.example", "Chargerouter <charges@lakeside.example>")
    assert got["Subject"] == "[Chargerouter] Something needs a person: Lakeside Family Medicine"
    assert got["Auto-Submitted"] == "auto-generated"
    assert "The records of eclinicalworks of Lakeside Family Medicine changed" in mailbox.text()
    for said in (mailbox.text(), mailbox.html()):
        assert "https://charges.example/sources/lakeside" in said
        assert "https://charges.example/account/telling" in said


def test_many_urgent_things_are_one_mail(office: MailPost, mailbox: Mailbox) -> None:
    office.subscribe("ann")
    send_a_file(office, FileStatus.REJECTED)
    office.open_breaker()
    assert office.later() == Told(delivered=1)
    assert mailbox.mails[0]["Subject"] == "[Chargerouter] 2 things need a person: Lakeside Family Medicine"


def test_the_digest_comes_at_its_hour_in_the_practices_zone(offices: MailPost, mailbox: Mailbox) -> None:
    offices.subscribe("ann", Topic.DEADLINE_NEAR, hour=7)
    hold(offices, offices.now.date() + timedelta(days=3))
    offices.now = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
    assert offices.later() == Told(), "half past six in Chicago"
    assert offices.later(minutes=29) == Told()
    assert offices.later(minutes=1) == Told(delivered=1)
    assert offices.later(hours=3) == Told()
    (got,) = mailbox.mails
    assert got["Subject"] == "[Chargerouter] Daily digest: Lakeside Family Medicine"
    assert "1 held charge of Lakeside Family Medicine must be filed within 10 days" in mailbox.text()


def test_where_there_is_nothing_no_mail_comes(offices: MailPost, mailbox: Mailbox) -> None:
    offices.subscribe("ann")
    for _ in range(3):
        assert offices.later(days=1) == Told()
    assert mailbox.mails == []


def test_who_wants_no_alarms_finds_them_in_the_digest(office: MailPost, mailbox: Mailbox) -> None:
    office.subscribe("ann", at_once=False)
    office.open_breaker()
    assert office.later() == Told()
    office.close_breakers()
    assert office.later(hours=20) == Told(delivered=1)
    assert "* Over by now: The records of" in mailbox.text()


def test_nobody_is_told_of_a_practice_that_is_hidden_from_them(offices: MailPost, mailbox: Mailbox) -> None:
    with_second_practice(offices.workplace)
    offices.employ("bea", Role.LEAD, "lakeside", "hillside")
    offices.subscribe("ann", at_once=False)
    offices.subscribe("bea", at_once=False)
    offices.open_breaker(practice="hillside")
    offices.open_breaker()
    assert offices.later() == Told()
    assert offices.later(hours=20) == Told(delivered=2)
    said = {got["To"]: mailbox.text(number) for number, got in enumerate(mailbox.mails)}
    assert "Hillside" not in said["ann@lakeside.example"]
    assert "hillside" not in said["ann@lakeside.example"]
    assert "Hillside" in said["bea@lakeside.example"]


def test_what_was_taken_from_somebody_meanwhile_is_not_told(office: MailPost, mailbox: Mailbox) -> None:
    with_second_practice(office.workplace)
    office.subscribe("ann")
    office.open_breaker()
    mailbox.answers = ["451 later", "250 OK"]
    assert office.later() == Told(postponed=1)
    accounts.change(office.database, "ann", Wanted(Role.LEAD, ("hillside",)), by="engineer", clock=office.clock)
    assert office.later(minutes=2) == Told()
    assert mailbox.mails == []
    assert states(office) == [DeliveryState.NEEDLESS]


def test_somebody_who_left_is_told_nothing(office: MailPost, mailbox: Mailbox) -> None:
    office.subscribe("ann")
    accounts.disable(office.database, "ann", by="engineer", because="left", clock=office.clock)
    office.open_breaker()
    assert office.later() == Told()


def test_a_role_is_told_only_what_it_may_see(office: MailPost, mailbox: Mailbox) -> None:
    office.employ("olu", Role.OPERATOR)
    with pytest.raises(Refused, match="role operator"):
        office.subscribe("olu", Topic.QUEUE_LONG)
    with_telling(office, queue_limit=1)
    office.subscribe("olu")
    office.subscribe("ann", Topic.QUEUE_LONG)
    accounts.change(office.database, "ann", Wanted(Role.OPERATOR, ("lakeside",)), by="engineer", clock=office.clock)
    hold(office, *[office.now.date() + timedelta(days=90)] * 2)
    assert office.later() == Told()
    assert office.later(hours=20) == Told(), "an operator does not see the queue"


def test_a_server_that_is_busy_is_tried_again_with_the_same_message_id(offices: MailPost, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 busy", "250 OK"]
    offices.subscribe("ann")
    offices.open_breaker()
    assert offices.later() == Told(postponed=1)
    assert offices.later(minutes=1) == Told(delivered=1)
    with offices.database.transaction() as session:
        row = session.scalars(select(DeliveryRow)).one()
    assert mailbox.mails[0]["Message-ID"] == f"<{row.uid}@lakeside.example>"
    assert row.tries == 2


def test_an_address_that_is_none_is_given_up_and_said(office: MailPost, mailbox: Mailbox) -> None:
    mailbox.answers = ["550 no such user Zyxwvut"]
    office.subscribe("ann")
    office.open_breaker()
    assert office.later() == Told(given_up=1)
    found = subscriptions.of(office.database, "ann")
    assert found is not None
    assert (found.given_up, found.fault) == (1, "127.0.0.1 takes no mail for this address. Correct the address.")


def test_while_the_server_is_away_its_mail_waits_and_the_rest_goes_on(office: MailPost) -> None:
    office.pipeline = type(office.pipeline)(
        office.database, office.settings.model_copy(update={"smtp_port": 1}), office.clock
    )
    for name in ("ann", "bea"):
        if name == "bea":
            office.employ(name, Role.LEAD)
        office.subscribe(name)
    office.open_breaker()
    assert office.later() == Told(postponed=1), "the second mail is not tried in the same run"


def test_without_a_server_nothing_is_gathered(office: MailPost) -> None:
    office.pipeline = type(office.pipeline)(
        office.database, office.settings.model_copy(update={"smtp_host": ""}), office.clock
    )
    office.subscribe("ann")
    office.open_breaker()
    assert office.later() == Told()
    assert states(office) == []


def test_who_is_told_no_more_is_told_no_more(office: MailPost, mailbox: Mailbox) -> None:
    office.subscribe("ann")
    subscriptions.unsubscribe(office.database, "ann", by="ann", clock=office.clock)
    office.open_breaker()
    assert office.later() == Told()
    with pytest.raises(Missing):
        subscriptions.unsubscribe(office.database, "ann", by="ann", clock=office.clock)
    assert [each.what for each in accounts.history(office.database, "ann")][:2] == ["told no more", "told by e-mail"]


@pytest.mark.parametrize(
    "address", ["", "ann", "ann@", "@lakeside.example", "a b@c.example", "a@b.example\r\nBcc: x@y.example", "a@b@c"]
)
def test_an_address_that_is_no_mailbox_is_refused(office: MailPost, address: str) -> None:
    with pytest.raises(Refused, match="mailbox"):
        subscriptions.subscribe(office.database, "ann", Wish(address), by="ann", clock=office.clock)


ENVELOPE = Envelope(
    "msg_1", "charges@a.example", "ann@a.example", datetime(2026, 11, 25, tzinfo=UTC), "https://c.example/x"
)


def test_what_is_said_is_escaped_and_the_longest_digest_has_an_end() -> None:
    items = [Item("A & <B>", f"File <{number}>", f"https://c.example/f?a=1&b={number}") for number in range(60)]
    message = letters.letter(items, ENVELOPE, urgent=False)
    html = message.get_body(("html",))
    text = message.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "<h2>A &amp; &lt;B&gt;</h2>" in html.get_content()
    assert "a=1&amp;b=3" in html.get_content()
    assert text.get_content().count("\n* ") == 50
    assert "And 10 more" in text.get_content()
    assert max(len(each) for each in bytes(message).splitlines()) < 998


def secure(mailbox: Mailbox, **more: object) -> Settings:
    return Settings(smtp_host="127.0.0.1", smtp_port=mailbox.port, mail_from="charges@a.example", **more)  # type: ignore[arg-type]


def test_mail_goes_by_starttls_with_a_password_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    word = tmp_path / "password"
    word.write_text("weir otter\n")
    with receiving(Mailbox(), tmp_path, "weir otter") as mailbox:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        settings = secure(mailbox, smtp_user="charges", smtp_password_file=word)
        mail.ask(settings)
        mail.send(settings, letters.trial(ENVELOPE))
        assert mailbox.was_secure == [True]
        with pytest.raises(Refused, match="CHARGES_SMTP_USER"):
            mail.send(secure(mailbox, smtp_user="charges", smtp_password="wrong"), letters.trial(ENVELOPE))
        with pytest.raises(Refused, match="cannot be read"):
            mail.send(
                secure(mailbox, smtp_user="charges", smtp_password_file=tmp_path / "none"), letters.trial(ENVELOPE)
            )


def test_a_server_that_cannot_prove_its_name_gets_nothing(tmp_path: Path) -> None:
    with receiving(Mailbox(), tmp_path) as mailbox:
        with pytest.raises(Unavailable, match="certificate"):
            mail.send(secure(mailbox), letters.trial(ENVELOPE))
        assert mailbox.mails == []


def test_a_server_without_starttls_gets_nothing(mailbox: Mailbox) -> None:
    with pytest.raises(Refused, match="STARTTLS"):
        mail.send(secure(mailbox), letters.trial(ENVELOPE))
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"CHARGES_SMTP_HOST": "mail.a.example"}, "CHARGES_MAIL_FROM: must be set"),
        ({"CHARGES_MAIL_FROM": "charges"}, "CHARGES_MAIL_FROM: must be the address"),
        (
            {"CHARGES_SMTP_HOST": "mail.a.example", "CHARGES_SMTP_TLS": "none", "CHARGES_MAIL_FROM": "a@b.example"},
            "CHARGES_SMTP_TLS: is none for a server of this machine only",
        ),
        ({"CHARGES_SMTP_TLS": "maybe"}, "CHARGES_SMTP_TLS"),
        ({"CHARGES_WEBHOOK_NETWORKS": "10.0.0.0/8, here"}, "here is no network"),
    ],
)
def test_settings_that_would_send_mail_in_the_clear_or_nowhere_are_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(Refused, match=says):
        read_settings(given)
