"""The outside world of people: e-mail and SMS, each with a stand-in that stays in the house."""
