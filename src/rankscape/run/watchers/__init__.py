"""What looks at a run on its way."""
