"""The outbox: a queue in a file, whose items are sent by whichever process has time."""
