"""The synthetic-human domain: catalogues, identities, specs, scenes, figures, renderers, labels."""
