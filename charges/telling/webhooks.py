"""One message to one endpoint: signed as Standard Webhooks says, sent to a public address, no redirect followed.

The name of the endpoint is looked up here and the connection made to the very address that was looked at, so that a name
cannot lead to this machine or its neighbours, and not by changing between look and call either. TLS is checked against the
name. No proxy of the environment is used, for it would look the name up itself.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

import httpx2
from standardwebhooks import Webhook

from charges.errors import Refused, Unavailable

SECONDS = 15
"""The longest that one try may take, from the look-up to the answer's status."""
_GONE = 410
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]


class Gone(Refused):
    """An endpoint says that it is there no more."""


def post(url: str, secrets: Sequence[str], uid: str, body: str, at: datetime, networks: Networks = ()) -> None:
    """Send a message; returns when the endpoint took it (any 2xx).

    ``secrets`` all sign it, so that a receiver may know either while one takes the other's place. ``networks`` are private
    ones in which an endpoint may lie. Raises Gone when the endpoint wants nothing any more (410), else Unavailable or, where
    a person must change something first, Refused.
    """
    status = asyncio.run(_status(url, secrets, uid, body, at, networks))
    host = urlsplit(url).hostname
    if status == _GONE:
        raise Gone(f"{host} answered 410: it wants no messages any more.")
    if 300 <= status < 400:
        raise Unavailable(
            f"{host} answered {status} and names another address, which is not followed. Give the new URL."
        )
    if not 200 <= status < 300:
        raise Unavailable(f"{host} answered {status}.")


def reach(url: str, networks: Networks = ()) -> None:
    """See whether an endpoint lets itself be connected, by TLS where it is to, and send nothing; raises as ``post``."""
    asyncio.run(_connect(urlsplit(url), networks))


def headers(secrets: Sequence[str], uid: str, body: str, at: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks: the message's id, when this try is made, and a signature by each secret.

    >>> from datetime import UTC
    >>> published = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    >>> at = datetime.fromtimestamp(1614265330, UTC)
    >>> headers([published], "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', at)["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(each).sign(uid, at, body) for each in secrets),
    }


def read_networks(text: str) -> Networks:
    """Networks parted by commas, as the setting has them; raises ValueError."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def checked_url(url: str, networks: Networks) -> str:
    """A URL to which messages may go, as far as it tells by itself; raises Refused."""
    try:
        parts = urlsplit(url.strip())
        port_is_one = parts.port != 0
    except ValueError:
        raise Refused("This is no address of an endpoint. Give https://NAME/PATH.") from None
    host = parts.hostname or ""
    try:
        host.encode("idna")
    except UnicodeError:
        raise Refused(f"{host[:80]} is no name that a name server could know. Give https://NAME/PATH.") from None
    literal = _literal(host)
    is_here = host == "localhost" or (literal is not None and literal.is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise Refused("An endpoint's address begins with https://; http:// is for this machine alone (127.0.0.1).")
    if not host or not port_is_one or parts.username is not None or parts.fragment or len(url) > 2000:
        raise Refused("Give the endpoint's address as https://NAME/PATH, without a user, a password or a fragment.")
    if not url.isascii() or any(each.isspace() or not each.isprintable() for each in url.strip()):
        raise Refused("An endpoint's address is written in ASCII without blanks; write other letters as %XX or xn--.")
    if literal is not None:
        _demand_reachable(host, [literal], parts, networks)
    elif host == "localhost":
        _demand_reachable(host, [IPv4Address("127.0.0.1")], parts, networks)
    return url.strip()


async def _status(url: str, secrets: Sequence[str], uid: str, body: str, at: datetime, networks: Networks) -> int:
    parts = urlsplit(url)
    host = parts.hostname or ""
    sent = headers(secrets, uid, body, at) | {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "Chargerouter",
    }
    try:
        async with asyncio.timeout(SECONDS):
            addresses = await _look_up(host, parts.port or (443 if parts.scheme == "https" else 80))
            _demand_reachable(host, addresses, parts, networks)
            client = httpx2.AsyncClient(
                verify=ssl.create_default_context(), timeout=SECONDS, follow_redirects=False, trust_env=False
            )
            async with client:
                return await _first_answer(client, parts, addresses, sent, body.encode())
    except TimeoutError:
        raise Unavailable(f"{host} did not answer within {SECONDS} seconds.") from None
    except httpx2.ConnectError:
        raise Unavailable(f"{host} does not let itself be connected, or its certificate is not good.") from None
    except (httpx2.HTTPError, OSError) as error:
        raise Unavailable(f"{host} does not answer ({type(error).__name__}).") from None


async def _connect(parts: SplitResult, networks: Networks) -> None:
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    try:
        async with asyncio.timeout(SECONDS):
            addresses = await _look_up(host, port)
            _demand_reachable(host, addresses, parts, networks)
            context = ssl.create_default_context() if is_secure else None
            name = host if is_secure else None
            _, writer = await asyncio.open_connection(str(addresses[0]), port, ssl=context, server_hostname=name)
            writer.close()
    except TimeoutError:
        raise Unavailable(f"{host} did not answer within {SECONDS} seconds.") from None
    except OSError:
        raise Unavailable(f"{host} does not let itself be connected, or its certificate is not good.") from None


async def _first_answer(
    client: httpx2.AsyncClient, parts: SplitResult, addresses: Sequence[Address], sent: dict[str, str], body: bytes
) -> int:
    """The status of the first address that lets itself be connected."""
    for number, address in enumerate(addresses, start=1):
        there = f"[{address}]" if address.version == 6 else str(address)
        port = f":{parts.port}" if parts.port else ""
        target = parts._replace(netloc=there + port).geturl()
        extensions = {"sni_hostname": parts.hostname}
        request = client.build_request("POST", target, headers=sent, content=body, extensions=extensions)
        try:
            answer = await client.send(request, stream=True)
        except httpx2.ConnectError:
            if number == len(addresses):
                raise
            continue
        await answer.aclose()  # what else it says is of no use, and might go on and on
        return answer.status_code
    raise httpx2.ConnectError("no address")


async def _look_up(host: str, port: int) -> Sequence[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unavailable(
            f"The name {host} is not known. Correct the endpoint's URL, or wait for the name server."
        ) from None
    return list(dict.fromkeys(ip_address(each[4][0]) for each in found))


def _demand_reachable(host: str, addresses: Sequence[Address], parts: SplitResult, networks: Networks) -> None:
    """Raise Refused unless all addresses are public or in a network that the settings allow."""
    for address in addresses:
        if parts.scheme == "http" and not address.is_loopback:
            raise Refused(f"{host} is not this machine, so it is told by https:// only.")
        plain = _embedded(address)
        if any(plain.version == each.version and plain in each for each in networks):
            continue
        if not plain.is_global or plain.is_multicast:
            raise Refused(
                f"{host} lies at a private address, and nothing is sent there. If it should be, name its network in "
                "CHARGES_WEBHOOK_NETWORKS."
            )


def _embedded(address: Address) -> Address:
    """The address that is meant: IPv4 ones are written within IPv6 in several ways."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
