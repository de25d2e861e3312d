"""The page in the browser and the JSON API: thin over the same stage functions that the command line calls.

``app`` puts everything together. ``security`` says who asks and what they may; ``site`` is what every page is given;
``showing`` makes pages of templates. A page is added in four steps:

1. a module in ``charges/web/pages`` with ``router = APIRouter()`` and its paths. Each path names what it demands, and takes
   what it needs as parameters::

       @router.get("/files", dependencies=[needs(Permission.READ_FILES)])
       def files(request: Request, site: SiteHere, viewer: ViewerHere) -> Response:
           return page(request, "files.html", files=overview.claim_files(site.database, viewer.practice_ids))

       @router.post("/files/{number}/resend", dependencies=[needs(Permission.SEND_FILES)])
       def resend(request: Request, site: SiteHere, viewer: ViewerHere, number: int, reason: Annotated[str, Form()] = ""):
           delivery.resend(site.database, number, by=viewer.name, why=reason, clock=site.clock)
           return went_well(request, f"/files/{number}", "It goes out in the next run.")

2. a template that extends ``base.html`` and takes forms, tables and pagers from ``macros.html`` (its forms bring the CSRF
   token along; a POST without is refused before the page's function is called);
3. its module in ``PAGES`` of ``charges/web/pages/__init__.py``, and where people find it in ``NAVIGATION`` there;
4. its tests in ``tests/web``, with the fixtures of ``tests/web/conftest.py``.

A path of the API is the same in ``charges/web/api``, with a pydantic model for what it answers.

Errors are raised, not handled: ``Refused``, ``Stale``, ``Missing``, ``Forbidden`` and ``Unavailable`` become pages (or JSON
under ``/api``) with status 400, 409, 404, 403 and 503. A practice that the viewer may not see is ``Missing``
(``viewer.demand_practice``). What a request changes it changes by POST; what it shows of a patient's charge it writes down
as an event with ``viewer.name``. Nothing about a patient stands in an address.
"""
