"""Chargerouter: from a charge in the practice's system to a claim at the payer, or to a person who can mend it.

::

     a practice's system                                                       the billing vendor
            │                                                                      ▲        │
         sources                      rules            x12                   clearinghouses │
            │                           │               │                          │        │
     1   intake ──▶ captured ──▶ 2   scrub ──▶ clean ──▶ 4  claims ──▶ built ──▶ 5 delivery │
                       ▲                │                                                   │
                       │                ▼                                                   ▼
                 3  review ◀────────── held ◀──────────────────────────── 6  acknowledgements ──▶ accepted

Each numbered stage is a module. It takes rows of one state and leaves them in another; no stage calls another. The
database is the queue, so whatever is lost outside it costs time and nothing else. ``telling`` looks at what the stages
left and tells people and other systems what needs a person.

What a stage needs beside itself stands in a package named by its concern: ``practice`` (the profile), ``feeds``, ``drift``
and ``patients`` for intake, ``desk`` for review, ``amending`` for claims that left, ``replies`` for what came back,
``rollout`` for what may leave at all; ``figures``, ``outcomes`` and ``reconcile`` look at the whole.
"""
