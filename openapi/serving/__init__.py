"""From a contract to the application that serves it."""
