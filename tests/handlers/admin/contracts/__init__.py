"""The pages of contracts, on services of each test's own: what one changes, others would see."""
