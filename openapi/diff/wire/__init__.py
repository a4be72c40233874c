"""Values and messages as HTTP carries them, and as people read them."""
