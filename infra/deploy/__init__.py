"""CronHub on AWS: what is made there, from what, and how it gets there."""
