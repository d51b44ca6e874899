"""The outside world of money: providers that take it, and one that only plays."""
