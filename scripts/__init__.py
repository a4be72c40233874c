"""What a person runs. This room puts the others together, and none of them imports it."""

import warnings

# Connexion imports Starlette's test client, which asks for another HTTP library than the one Connexion itself uses.
warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient` is deprecated")
# Where no login session gave a runtime directory, the embedded PostgreSQL's package uses the temporary directory.
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
