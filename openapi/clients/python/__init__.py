"""The parts of a client for Python that no document changes; an archive has them as modules of its package."""
