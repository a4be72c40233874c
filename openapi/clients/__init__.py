"""What every generated client is made of, beside the code that is made from a document."""
