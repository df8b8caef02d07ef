"""Linear measurements of a matrix, each kind with what it can avoid storing."""
