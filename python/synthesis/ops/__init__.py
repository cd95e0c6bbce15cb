"""The verbs above the core: plain functions and frozen dataclasses, keyword-only options, no printing."""
