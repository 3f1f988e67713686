"""One drawing a file, with the name of its experiment: tables to figures."""
