"""The published runs: a folder each, whose `claims.json` later runs are compared with."""
