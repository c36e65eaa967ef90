"""Takes over what another monitor watches."""
