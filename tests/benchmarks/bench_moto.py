"""A send beside moto. In a module of its own, because importing moto puts a handler on every later client."""

from __future__ import annotations

from measuring import Measure, Send, Turns, client


def test_a_send_beside_motos_cheapest_pinpoint_call(measure: Measure, turns: Turns, send: Send) -> None:
    from moto import mock_aws

    moto_client = client()
    moto = mock_aws()

    def enter_moto() -> None:
        turns.leave()
        moto.start()

    def enter_fake() -> None:
        moto.stop()
        turns.enter()

    # A list of no applications: none of moto's Pinpoint calls does less.
    ratio = measure.ratio(send, moto_client.get_apps, before_subject=enter_fake, before_reference=enter_moto, rounds=50)
    measure.check("A send, of moto's cheapest Pinpoint call", ratio, 0.4)
