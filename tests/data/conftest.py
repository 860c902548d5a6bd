"""What lies below is data for the tests of load/; suites among it are not to be collected as tests themselves."""

collect_ignore_glob = ["*"]
