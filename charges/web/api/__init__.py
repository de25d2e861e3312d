"""The JSON API under ``/api``, and what machines ask of an installation."""

from charges.web.api import files, health, overview, queue, roll_out, rules, sources, users

ROUTERS = (
    health.router,
    queue.router,
    overview.router,
    files.router,
    rules.router,
    sources.router,
    roll_out.router,
    users.router,
)
