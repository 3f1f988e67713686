"""Who is paired with whom: sets, tiles of the matrix of pairs, sums over sets, the dense form."""
