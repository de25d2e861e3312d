"""Figures of practices by day: what a manager looks at, counted beforehand and kept.

``units`` says of each measure what is counted; ``counting`` counts it for each day and keeps the figures up to date,
``reading`` makes of them what is shown, and ``behind`` lists what a figure was counted from. A figure and the list behind
it come from the same query, so they say the same.

Days are the practice's own. Nothing here names a patient.
"""
