"""`charges web`: the page and the API."""

from pathlib import Path
from typing import Annotated

import typer

from charges.cli.shared import err
from charges.errors import Refused


def web(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="The folder of a demo, instead of the settings' database and key.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on; the proxy that does TLS asks it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65_535)] = 8080,
) -> None:
    """Serve the page and the JSON API until stopped, at CHARGES_WEB_URL as browsers see it."""
    import uvicorn

    from charges.db import demand_current, open_database
    from charges.log import configure_logging
    from charges.pipeline import settle, utc_now
    from charges.settings import read_settings
    from charges.web.app import create_app

    settings = read_settings()
    if folder is not None:
        if not (folder / "chargerouter.db").exists():
            raise Refused(f"{folder} holds no demo. Make one with `charges demo --dir {folder}`.")
        settings = settings.model_copy(
            update={
                "database_url": f"sqlite:///{folder / 'chargerouter.db'}",
                "key": None,
                "key_file": folder / "chargerouter.key",
                "web_url": f"http://127.0.0.1:{port}",
            }
        )
    configure_logging(settings.log_level)
    database = open_database(settings)
    demand_current(database.engine)
    app = create_app(database, settings, utc_now)
    settle()
    err.print(f"The page is {settings.web_url}. Stop with Ctrl-C.", markup=False)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)
