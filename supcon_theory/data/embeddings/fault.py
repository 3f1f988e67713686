"""What is wrong with a file."""


class Fault(ValueError):
    """One sentence: the file with key or row, what is allowed, what to do."""
