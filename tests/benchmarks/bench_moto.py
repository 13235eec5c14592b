"""A send beside moto. In a module of its own, because importing moto puts a handler on every later client."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from measuring import Measure, Send, Turns, client, sends

pytest.importorskip("moto")


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


def test_a_send_while_moto_is_active_beside_one_without(measure: Measure) -> None:
    from moto import mock_aws

    from pytest_pinpoint_otp import mock_pinpoint_otp

    # Made after the import of moto, whose handler it has.
    send = sends(client())
    moto, active = mock_aws(), ExitStack()

    def enter_moto() -> None:
        active.enter_context(moto)

    with mock_pinpoint_otp(), active:
        ratio = measure.ratio(send, send, before_subject=enter_moto, before_reference=active.close, rounds=100)
    measure.check("A send while moto is active, of one while it is not", ratio, 1.2)
