"""The people who use the page and the API: who they are, what they may do, and for which practices.

``permissions`` is the table of what each role may do, and the ``Viewer`` that every page and route is given. ``secrets``
makes and checks what people know or hold. ``accounts`` are the acts of whoever runs the installation, ``sessions`` signing
in and staying so, ``tokens`` the keys of the JSON API. Each act is an event in its user's chain.
"""
