"""Logs that cannot tell a patient's data: an event is a fixed phrase, and only the keys named here are written."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {"event", "level", "timestamp", "stage", "practice", "kind", "charge", "file", "count", "seconds", "host", "status"}
)
"""Keys whose values are ours: numbers of rows, names of stages, kinds of errors."""

_NOISY = ("pyx12", "httpx2", "httpcore2", "sqlalchemy", "alembic")
"""Libraries that repeat values or addresses in their messages."""


def only_allowed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every key that is not named above."""
    return {key: value for key, value in event.items() if key in ALLOWED}


def configure_logging(level: str) -> None:
    """Write logs of a level and above to standard error, one JSON object a line."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def place(error: BaseException) -> str:
    """The innermost place of ours in a traceback: file and line, no values."""
    found = "?"
    frame = error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_globals.get("__name__", "?")
        if name.partition(".")[0] in ("charges", "rules"):
            found = f"{name}:{frame.tb_lineno}"
        frame = frame.tb_next
    return found
