"""An older release beside this one, on the same store."""
