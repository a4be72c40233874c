"""The stored data: PostgreSQL, through SQLAlchemy Core and psycopg. No error of either leaves this room."""
