"""What asking over a network takes, whoever asks: how many at once, how long, again or not, and no secret in what is said."""
