"""The pages of rejected submissions: what is refused and why, and the jobs that submit it again."""
