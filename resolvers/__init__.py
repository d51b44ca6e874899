"""What the client can ask: per noun its queries, mutations and subscriptions."""
