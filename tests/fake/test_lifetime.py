"""A fake lives from its start to its stop, and the package survives pytester's runs in one process."""

from __future__ import annotations

import pytest


def test_a_started_fake_stays_active_when_nobody_keeps_the_mock(pytester: pytest.Pytester) -> None:
    # In a process of its own: nobody can stop that fake.
    program = pytester.makepyfile(
        """
        import gc
        from pytest_pinpoint_otp import active_pinpoint_otp, mock_pinpoint_otp

        fake = mock_pinpoint_otp().start()
        gc.collect()
        assert active_pinpoint_otp() is fake
        """
    )

    assert pytester.runpython(program).ret == 0


def test_pytester_may_run_tests_of_the_fake_twice_in_one_process(pytester: pytest.Pytester) -> None:
    # In a process of its own: this one has imported the modules that pytester would replace.
    pytester.makeconftest("pytest_plugins = ['pytester']")
    pytester.makepyfile(
        test_plugin='''
            import pytest

            INNER = """
                import pytest
                from botocore.exceptions import ReadTimeoutError
                from pytest_pinpoint_otp import Delivery, active_pinpoint_otp

                def test_inner(pinpoint_otp, pinpoint_otp_client):
                    assert active_pinpoint_otp() is pinpoint_otp
                    pinpoint_otp.inject(Delivery("THROTTLED"), optional=True)
                    pinpoint_otp.inject(ReadTimeoutError, operation="VerifyOTPMessage")
                    with pytest.raises(ReadTimeoutError):
                        pinpoint_otp_client.verify_otp_message(
                            ApplicationId="a",
                            VerifyOTPMessageRequestParameters={
                                "DestinationIdentity": "+15550100123", "Otp": "123456", "ReferenceId": "r",
                            },
                        )
            """

            @pytest.mark.parametrize("run", [1, 2])
            def test_outer(pytester, run):
                pytester.makepyfile(INNER)
                pytester.runpytest_inprocess().assert_outcomes(passed=1)
        '''
    )

    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=2)
