"""A profile as text: pure, no colour, no claim beyond what was measured."""
