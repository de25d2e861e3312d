"""Rules of payers and practices, written as data by the people who know the payers.

``definitions`` is what a file says, ``spreadsheet`` reads its simple form, ``catalogue`` the facts it may ask about,
``conditions`` compiles what is asked, and ``book`` makes rules of it all, found by payer and code. How to write one is told
in docs/payer-rules.md.
"""
