"""The Type Registry: which event types there are, what waits for approval, and what hubs tried in vain."""
