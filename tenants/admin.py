"""What operators see of tenants and people. Postings and the like are registered by their own apps."""
