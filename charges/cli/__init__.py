"""The command line: thin over the stages. Quiet by default, JSON on demand, exit codes that mean something.

0 done; 1 done, and something is held or broken; 2 a person must change something first; 3 something outside did not
answer, run again; 4 somebody else was faster, look again.
"""

from charges.cli.main import main

__all__ = ["main"]
