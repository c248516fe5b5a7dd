"""A real browser walks through the product; each file is named after what the customer sees."""
