"""Asking the product: who answers, what is asked in which order, and what is kept of it."""
