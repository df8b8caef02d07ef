"""SGD on single observed entries: one step touches one row, one column and the inner factors (numba)."""
