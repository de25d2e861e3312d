"""Telling people and other systems what they should know before they ask: e-mail and signed webhooks.

``topics`` says about what, ``noticing`` looks at a practice and writes down what is news, once. What is to be told to whom
is a row of the outbox in the same transaction; ``outbox`` lends rows to workers one by one, and ``delivering`` sends them
until they arrive or are given up. ``endpoints`` are the systems that are told, ``webhooks`` speaks with them.
``subscriptions`` says what each user is told by e-mail, ``digests`` which mails are due, ``letters`` what they say, and
``mail`` speaks with the SMTP server.

No message holds a patient's data: practices, counts, names and numbers of files, ids of rules, and a link to the page, where
whoever follows it must sign in.
"""
