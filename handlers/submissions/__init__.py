"""What events and annotations share: each is validated alone, stored once, and answered after its commit."""
