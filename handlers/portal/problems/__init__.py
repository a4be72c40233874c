"""The pages of problems: what each means, what to do next, and what an answer with it looks like."""
