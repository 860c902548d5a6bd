"""The signal and the assistant of the shop, under the suite that others wrote."""

import pytest


@pytest.mark.persona(suite="shop.persona.yaml")
def test_the_shop_keeps_what_the_suite_asks_for():
    """Fails: the customers of this example vote for whoever agrees with them, and six probes a trait leave the assistant open."""
