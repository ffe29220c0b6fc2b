"""From values to judgement: reports, rules, alerts.

Decisions return a member of a closed enum, never a bare bool; the time is an argument.
"""
