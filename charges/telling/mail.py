"""One mail to the installation's SMTP server, by TLS alone unless the server is this machine.

What a server says is never repeated in a sentence or log: it may quote what it was given.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import urlsplit

from charges.errors import Refused, Unavailable
from charges.settings import Settings

SECONDS = 10
"""For each step of the conversation."""
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class NoSuchRecipient(Refused):
    """The server takes no mail for an address, now or later."""


def send(settings: Settings, message: EmailMessage) -> None:
    """Hand a mail over; returns when the server took it.

    Raises NoSuchRecipient for good, Unavailable where it is to be tried again, Refused where a setting is wrong.
    """
    with _connected(settings) as server:
        server.send_message(message)


def ask(settings: Settings) -> None:
    """See whether the server lets us in, and send nothing; raises as ``send``."""
    with _connected(settings) as server:
        server.noop()


def checked_address(address: str) -> str:
    """An address of a mailbox; raises Refused for what is none."""
    plain = address.strip()
    if len(plain) > 254 or not _ADDRESS.fullmatch(plain):
        raise Refused("Give the address of a mailbox, as imogen.vale@lakeside.example.")
    return plain


def password_of(settings: Settings) -> str:
    """The password of the environment or the file; raises Refused when the file cannot be read."""
    if settings.smtp_password is not None:
        return settings.smtp_password.get_secret_value()
    if settings.smtp_password_file is None:
        return ""
    try:
        return settings.smtp_password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise Refused(
            "The file of CHARGES_SMTP_PASSWORD_FILE cannot be read. Put the password of the SMTP server there."
        ) from None


@contextmanager
def _connected(settings: Settings) -> Iterator[smtplib.SMTP]:
    host = settings.smtp_host
    if not host or not settings.mail_from:
        raise Refused("No mail is sent before CHARGES_SMTP_HOST and CHARGES_MAIL_FROM are set.")
    try:
        server = _opened(settings)
        with server:
            if settings.smtp_user:
                server.login(settings.smtp_user, password_of(settings))
            yield server
    except smtplib.SMTPRecipientsRefused as refused:
        if all(500 <= code < 600 for code, _ in refused.recipients.values()):
            raise NoSuchRecipient(f"{host} takes no mail for this address. Correct the address.") from None
        raise Unavailable(f"{host} does not take mail for this address now.") from None
    except smtplib.SMTPAuthenticationError:
        raise Refused(f"{host} does not accept CHARGES_SMTP_USER with its password.") from None
    except smtplib.SMTPNotSupportedError:
        raise Refused(
            f"{host} offers no STARTTLS or no sign-in at port {settings.smtp_port}; set CHARGES_SMTP_TLS or the port right."
        ) from None
    except smtplib.SMTPSenderRefused:
        raise Refused(f"{host} takes no mail from CHARGES_MAIL_FROM.") from None
    except smtplib.SMTPResponseException as answered:
        raise Unavailable(f"{host} answered {answered.smtp_code}.") from None
    except ssl.SSLError:
        raise Unavailable(f"The certificate of {host} is not good, or it speaks no TLS there.") from None
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"{host} does not answer at port {settings.smtp_port} ({type(error).__name__}).") from None


def _opened(settings: Settings) -> smtplib.SMTP:
    # Named, because the library would else ask the name server who this machine is.
    name = urlsplit(settings.web_url).hostname or "localhost"
    ours = f"[{name}]" if re.fullmatch(r"[\d.]+", name) else name
    context = ssl.create_default_context()
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_tls == "tls":
        return smtplib.SMTP_SSL(host, port, local_hostname=ours, timeout=SECONDS, context=context)
    server = smtplib.SMTP(host, port, local_hostname=ours, timeout=SECONDS)
    if settings.smtp_tls == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
