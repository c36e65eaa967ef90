"""Infrastructure: the local stack, and what is generated for AWS."""
