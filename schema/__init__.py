"""What the client sees: types, inputs, results."""
