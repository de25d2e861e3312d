"""The JSON API under ``/api``, and what machines ask of an installation."""

from charges.web.api import files, health, queue, sources, users

ROUTERS = (
    health.router,
    queue.router,
    files.router,
    sources.router,
    users.router,
)
