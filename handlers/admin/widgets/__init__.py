"""The widgets for operators: which there are, who registered each, and how it is registered or retired."""
