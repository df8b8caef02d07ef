"""SGD over samples: every observation sees the product through what it makes of one vector."""
