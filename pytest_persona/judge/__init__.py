"""Who answers: the protocol of a judge, and the judges."""
