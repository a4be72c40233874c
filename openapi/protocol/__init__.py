"""HTTP/1.1 below ASGI: connections, and the requests on each of them."""
