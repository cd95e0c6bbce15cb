"""What the routes do, one file per resource; `app.py` is the table that names them."""
