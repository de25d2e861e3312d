"""``python -m charges`` is the command ``charges``."""

from charges.cli import main

main()
