"""The JSON API under ``/api``, and what machines ask of an installation."""

from charges.web.api import health, queue

ROUTERS = (health.router, queue.router)
