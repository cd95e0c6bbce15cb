"""The platform: jobs, renders and files over HTTP from one data folder.

`app.py` is the table of routes, `serve.py` runs it, `admin.py` works on the data folder directly.
"""
