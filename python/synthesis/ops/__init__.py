"""The verbs above the core: plain functions and frozen values, keyword-only options, no printing."""
