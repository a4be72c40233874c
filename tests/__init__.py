"""How we know: the same rooms and the same stems as what is tested, on real PostgreSQL and real sockets."""
