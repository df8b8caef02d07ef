"""A matrix from linear measurements of it, without a rank."""
