"""`make demo`: an organization with 60 crons and 90 days of history, to see the pages alive."""
