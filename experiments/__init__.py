"""One question a file: `python experiments/NAME.py`."""
