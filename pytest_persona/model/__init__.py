"""The nouns: plain, frozen data; standard library only."""
