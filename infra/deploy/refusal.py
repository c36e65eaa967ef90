class Refusal(Exception):
    """What is missing or wrong, in one line that names it and says what to do."""
