"""What other monitors' clients send, translated to the services of CronHub's own routes. No rule lives here."""
