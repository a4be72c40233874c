"""What we keep: PostgreSQL, through SQLAlchemy Core and psycopg. No error of either leaves this room."""
