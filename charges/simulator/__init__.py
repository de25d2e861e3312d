"""A stand-in for a practice's eClinicalWorks: an invented practice whose mistakes are known, over HTTP.

For the demo, the tests and whoever connects a practice. ``people`` invents who, ``visits`` what is done, ``mistakes`` what
goes wrong, ``practice`` when; ``server`` speaks the contract.
"""

from charges.simulator.practice import SimulatedPractice, build_practice
from charges.simulator.server import CLIENT_ID, CLIENT_SECRET, openapi_json, running, serve, simulator_app

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "SimulatedPractice",
    "build_practice",
    "openapi_json",
    "running",
    "serve",
    "simulator_app",
]
