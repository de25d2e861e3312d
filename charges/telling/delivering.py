"""Sending what the outbox holds: each message until it arrives, or until the settings' hours are over.

An endpoint that failed rests until the next run, so that one that is away costs the others one wait; so does mail when its
server failed. When a message is given up its endpoint is an alarm of its own: ``charges telling list``, ``charges doctor``
and everybody who is told of silent endpoints say so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from charges.db import Database
from charges.errors import ChargerouterError, Missing
from charges.log import place
from charges.settings import Settings
from charges.tables import DeliveryState, EndpointRow, SubscriptionRow, Topic, UserRow, UserStatus
from charges.telling import digests, endpoints, letters, mail, outbox, subscriptions, webhooks
from charges.telling.noticing import Seen, message, publish
from charges.telling.outbox import Lent

AT_MOST = 200
"""Messages sent in one run; the next goes on."""

Clock = Callable[[], datetime]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the messages that were tried."""

    delivered: int = 0
    postponed: int = 0
    given_up: int = 0


def deliver(database: Database, settings: Settings, clock: Clock, jitter: outbox.Jitter = outbox.by_chance) -> Told:
    """Send what is due."""
    counts = dict.fromkeys(("delivered", "postponed", "given_up"), 0)
    resting: set[int] = set()
    enough = clock() + timedelta(seconds=settings.task_seconds / 2)  # the task must not be ended while it sends
    with_mail = bool(settings.smtp_host)
    for _ in range(AT_MOST):
        lent = outbox.lend(database, clock, resting, with_mail=with_mail) if clock() <= enough else None
        if lent is None:
            break
        if lent.endpoint_id is not None:
            became = _try_endpoint(database, settings, lent, clock, jitter)
            resting |= {lent.endpoint_id} if became in ("postponed", "given_up") else set()
        else:
            became = _try_user(database, settings, lent, clock, jitter)
            with_mail = became != "postponed"
        if became in counts:
            counts[became] += 1
    return Told(**counts)


def send_test(database: Database, settings: Settings, practice: str, name: str, clock: Clock) -> None:
    """Send an endpoint a message of type ``test`` at once; raises as ``webhooks.post`` does when it does not take it."""
    now = clock()
    url, secrets = endpoints.target(database, practice, name, now)
    data = {"practice": practice, "sentence": "This is a test; nothing happened.", "link": settings.web_url}
    networks = webhooks.read_networks(settings.webhook_networks)
    webhooks.post(url, secrets, outbox.new_uid(), message("test", now, data), now, networks)


def send_test_mail(database: Database, settings: Settings, user: str, clock: Clock) -> str:
    """Send a user a mail that tells nothing, at once; returns the address. Raises Missing, or as ``mail.send`` does."""
    found = subscriptions.of(database, user)
    if found is None:
        raise Missing(f"{user} is told nothing by e-mail. `charges telling subscribe` changes that.")
    mail.send(settings, letters.trial(_envelope(settings, outbox.new_uid(), found.address, clock())))
    return found.address


def _try_user(database: Database, settings: Settings, lent: Lent, clock: Clock, jitter: outbox.Jitter) -> str:
    now = clock()
    with database.transaction() as session:
        found = session.execute(
            select(SubscriptionRow, UserRow)
            .join(UserRow, UserRow.id == SubscriptionRow.user_id)
            .where(UserRow.id == lent.user_id, UserRow.status == UserStatus.ACTIVE)
        ).one_or_none()
        items, urgent = digests.readable(session, *found, lent.body, settings.web_url, now) if found else ([], False)
        if found is None or not items:
            outbox.settle(session, lent, DeliveryState.NEEDLESS, now)
            return "needless"
        address = found[0].address
    fault, is_final = "", False
    try:
        mail.send(settings, letters.letter(items, _envelope(settings, lent.uid, address, now), urgent=urgent))
    except mail.NoSuchRecipient as error:
        fault, is_final = str(error), True
    except ChargerouterError as error:
        fault = str(error)
    except Exception as error:  # noqa: BLE001 - a mistake of ours must not keep all other messages from going
        fault = _mistake(error)
    now = clock()
    with database.transaction() as session:
        if not fault:
            outbox.settle(session, lent, DeliveryState.DELIVERED, now)
            return "delivered"
        if not is_final and now < lent.made_at + timedelta(hours=settings.telling_hours):
            outbox.postpone(session, lent, now, fault, jitter)
            return "postponed"
        outbox.settle(session, lent, DeliveryState.GIVEN_UP, now, fault)
        return "given_up"


def _envelope(settings: Settings, uid: str, address: str, now: datetime) -> letters.Envelope:
    return letters.Envelope(uid, settings.mail_from, address, now, f"{settings.web_url}/account/telling")


def _try_endpoint(database: Database, settings: Settings, lent: Lent, clock: Clock, jitter: outbox.Jitter) -> str:
    now = clock()
    with database.transaction() as session:
        row = session.get_one(EndpointRow, lent.endpoint_id)
        url, secrets = row.url, endpoints.signing(row, database.keyring, now)
        if row.removed_at is not None or row.stopped_at is not None:
            outbox.settle(session, lent, DeliveryState.NEEDLESS, now)
            return "needless"
    fault, is_final = "", False
    try:
        webhooks.post(url, secrets, lent.uid, lent.body, now, webhooks.read_networks(settings.webhook_networks))
    except webhooks.Gone as error:
        fault, is_final = str(error), True
    except ChargerouterError as error:
        fault = str(error)
    except Exception as error:  # noqa: BLE001 - as above
        fault = _mistake(error)
    now = clock()
    with database.transaction() as session:
        row = session.get_one(EndpointRow, lent.endpoint_id, with_for_update=True)
        if not fault:
            if outbox.settle(session, lent, DeliveryState.DELIVERED, now) and row.silent_since is not None:
                endpoints.end_silence(session, row, now)
            return "delivered"
        if not is_final and now < lent.made_at + timedelta(hours=settings.telling_hours):
            if outbox.postpone(session, lent, now, fault, jitter):
                row.silent_since = row.silent_since or now
            return "postponed"
        if outbox.settle(session, lent, DeliveryState.GIVEN_UP, now, fault):
            row.silent_since = row.silent_since or now
            row.stopped_at = now if is_final else row.stopped_at
            seen = _silent(row, is_final=is_final)
            standing = endpoints.standing_silence(session, row)
            if standing is None:
                publish(session, row.practice_id, seen, settings.web_url, now, but_not=row.id)
        return "given_up"


def _mistake(error: Exception) -> str:
    """What is kept of a mistake of ours: its kind and place, never its text."""
    log.error("message not sent", stage="tell", kind=type(error).__name__)
    return f"Chargerouter made a mistake ({type(error).__name__} in {place(error)}). Please report these words."


def _silent(row: EndpointRow, *, is_final: bool) -> Seen:
    why = "wants no messages any more (410)" if is_final else "took no message for so long that one was given up"
    return Seen(
        Topic.ENDPOINT_SILENT,
        endpoints.silence_key(row),
        f"The webhook endpoint {row.name} {why}. `charges telling show` says what it answered.",
        "/telling",
        {"endpoint": row.name},
    )
