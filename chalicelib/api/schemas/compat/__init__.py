"""What other monitors' clients send and read."""
