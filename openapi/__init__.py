"""What we promise: the contract documents, and the application that is built from one."""
