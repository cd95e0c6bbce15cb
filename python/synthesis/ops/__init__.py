"""The verbs above the core: plain functions, frozen dataclasses, no printing."""
