"""The commands and the service. This room assembles the others, and none of them imports it."""

import warnings

# Connexion imports Starlette's test client, which wants a different HTTP library from Connexion's own.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient` is deprecated")
# Without a login session's runtime directory, the embedded PostgreSQL's package uses the temporary directory.
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
