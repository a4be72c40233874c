"""The live tail for operators: what all hubs submit, accepted or rejected, as it arrives."""
