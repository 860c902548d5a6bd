"""Judges that are asked in words: questions, one desk that asks them all, and a ledger of the answers."""
