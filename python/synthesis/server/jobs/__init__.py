"""Rendering: `queue.py` hands out renders, `worker.py` makes them, `supervisor.py` keeps workers alive.

Renders are claimed one at a time, so a million of them cost nothing until their turn comes.
"""
