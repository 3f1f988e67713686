"""Cells, the store they are kept in, the processes that compute them, the command line."""
