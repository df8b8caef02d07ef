"""Parts that minimise: what completion, sensing, annealing and phase diagrams share."""
