"""The language of claims: values in, bytes out, and back. Nothing here knows of storage, rules or transports.

``professional`` has the loops of a claim, ``interchange`` the envelope around claims, ``reader`` the way back.
"""
