"""A stand-in for a practice's eClinicalWorks: an invented practice whose mistakes are known, over HTTP.

For the demo, the tests and whoever connects a practice. ``people`` invents who, ``visits`` what is done, ``mistakes`` what
goes wrong at the desk, ``practice`` when; ``faults`` is what goes wrong between us, ``updates`` what the vendor changes,
``life`` lets days pass, ``tenant`` answers, and ``server`` speaks the contract.
"""

from charges.simulator.faults import Fate, Fault, Schedule
from charges.simulator.practice import SimulatedPractice, build_practice
from charges.simulator.server import CLIENT_ID, CLIENT_SECRET, openapi_json, running, serve, simulator_app
from charges.simulator.tenant import Tenant

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "Fate",
    "Fault",
    "Schedule",
    "SimulatedPractice",
    "Tenant",
    "build_practice",
    "openapi_json",
    "running",
    "serve",
    "simulator_app",
]
