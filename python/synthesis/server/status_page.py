"""What `/` shows while there is no web app: that the platform is up, and what to do next."""

from __future__ import annotations

from synthesis import __version__, viewer

PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>synthesis</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}
  code {{ background: #8882; padding: .1em .3em; border-radius: .2em }}
</style>
<h1>synthesis {__version__}</h1>
<p>The platform is up. {viewer.MISSING}</p>
<p>Use it from a terminal: <code>synthesis status</code>, <code>synthesis job list</code>.</p>
<p>The API is described in <a href="/api/v1/openapi.json">openapi.json</a>;
<a href="/api/v1/health">health</a> needs no key.</p>
</html>
"""
