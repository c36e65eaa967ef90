"""What an organization has, as a file: projects, crons, channels, maintenance windows, members."""
