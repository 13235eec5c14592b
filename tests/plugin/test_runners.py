"""The same codes for the same test, whatever runs it: alone, in any order, from any folder, on any worker."""

from __future__ import annotations

import boto3
import pytest
from suites import ALONE, passes, run, run_apart

import pytest_pinpoint_otp.transports.active as reach

SUITE = """
    import pytest
    from application import client
    from helpers import send, verify

    def draw(pinpoint_otp, note):
        answer = send(client)
        (result,) = answer["Result"].values()
        verify(client, "1")
        note(pinpoint_otp.code_for(), result["MessageId"], answer["RequestId"], pinpoint_otp.calls[1].request_id)

    def test_one(pinpoint_otp, note):
        draw(pinpoint_otp, note)

    @pytest.mark.xdist_group("apart")
    def test_two(pinpoint_otp, note):
        draw(pinpoint_otp, note)

    @pytest.mark.parametrize("number", ["a", "b"])
    def test_parametrized(pinpoint_otp, note, number):
        draw(pinpoint_otp, note)

    class TestMethods:
        @pytest.mark.xdist_group("apart")
        def test_one(self, pinpoint_otp, note):
            draw(pinpoint_otp, note)

    class TestOtherMethods:
        def test_one(self, pinpoint_otp, note):
            draw(pinpoint_otp, note)
"""
# To a file for each test, because workers have no common output.
CONFTEST = """
    import os
    import pathlib
    import pytest

    def pytest_configure(config):
        config.addinivalue_line("markers", "xdist_group(name): as in pytest-xdist, where that is not installed")

    @pytest.fixture
    def note(request):
        def note(*drawn):
            name = request.node.nodeid.rpartition("/")[2].partition("@")[0].replace("::", ".")
            pathlib.Path(os.environ["DRAWN"], name).write_text(" ".join(drawn), encoding="utf-8")
        return note
"""


def drawn(
    pytester: pytest.Pytester, *arguments: str, apart: bool = False, written: bool = True, tests: int = 6
) -> dict[str, str]:
    """Run the suite and return what each test drew: code, message ID and the two calls' request IDs."""
    folder = pytester.mkdir(f"drawn{len(list(pytester.path.glob('drawn*')))}")
    files = {"conftest": CONFTEST, "test_draw": SUITE} if written else {}
    with pytest.MonkeyPatch.context() as patch:
        # Not in a file: where one is written twice within a second, at the same size, pytest runs the first again.
        patch.setenv("DRAWN", str(folder))
        passes((run_apart if apart else run)(pytester, *arguments, **files), passed=tests)
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def test_different_tests_draw_differently(pytester: pytest.Pytester) -> None:
    found = drawn(pytester)
    assert len(found) == 6
    codes, *ids = zip(*(line.split() for line in found.values()), strict=True)
    assert len(set(codes)) == 6
    assert len({one for each in ids for one in each}) == 18


def test_a_test_draws_the_same_every_time(pytester: pytest.Pytester) -> None:
    assert drawn(pytester) == drawn(pytester)


def test_a_test_draws_the_same_in_another_process_whatever_its_hash_seed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = drawn(pytester)
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        assert drawn(pytester, apart=True) == here


def test_a_test_draws_the_same_alone(pytester: pytest.Pytester) -> None:
    together = drawn(pytester)
    for names in (["TestMethods::test_one"], ["test_parametrized[b]", "test_one"]):
        alone = drawn(pytester, *(f"test_draw.py::{name}" for name in names), tests=len(names))
        assert alone == {one: together[one] for one in (f"test_draw.py.{name}".replace("::", ".") for name in names)}


def test_a_test_draws_the_same_in_another_order(pytester: pytest.Pytester) -> None:
    forwards = drawn(pytester)
    pytester.makepyfile(backwards="def pytest_collection_modifyitems(items): items.reverse()")
    pytester.syspathinsert()
    assert drawn(pytester, "-p", "backwards") == forwards


@pytest.mark.parametrize("shuffle", ["1", "2"])
def test_a_test_draws_the_same_under_pytest_randomly(pytester: pytest.Pytester, shuffle: str) -> None:
    pytest.importorskip("pytest_randomly")
    in_order = drawn(pytester)
    # The last of several -p for a plugin holds.
    assert drawn(pytester, "-p", "pytest_randomly", f"--randomly-seed={shuffle}") == in_order


@pytest.mark.parametrize(
    "distribution",
    [
        "loadgroup",
        *(pytest.param(one, marks=pytest.mark.proof) for one in ("load", "loadscope", "loadfile", "worksteal")),
    ],
)
def test_a_test_draws_the_same_on_any_worker_of_xdist(pytester: pytest.Pytester, distribution: str) -> None:
    pytest.importorskip("xdist")
    here = drawn(pytester)
    assert drawn(pytester, "-n2", "--dist", distribution, apart=True) == here


def test_a_test_draws_the_same_from_any_folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    here = drawn(pytester)
    folder = pytester.mkdir("elsewhere")
    (pytester.path / "test_draw.py").rename(folder / "test_draw.py")
    assert drawn(pytester, "elsewhere", written=False) == here
    monkeypatch.chdir(folder)
    assert drawn(pytester, "--rootdir", str(folder), "--confcutdir", str(pytester.path), written=False) == here


def test_a_configured_seed_is_mixed_in(pytester: pytest.Pytester) -> None:
    plain = drawn(pytester)
    seeded = drawn(pytester, "-o", "pinpoint_otp_seed=2030")
    assert plain.keys() == seeded.keys()
    assert len({*plain.values(), *seeded.values()}) == 12
    assert drawn(pytester, "-o", "pinpoint_otp_seed=2030") == seeded
    assert drawn(pytester, "-o", "pinpoint_otp_seed=2031") != seeded


@pytest.mark.parametrize("seed", ["'fixed'", "7", "''"])
def test_a_markers_seed_replaces_the_tests_own_and_the_configured_one(pytester: pytest.Pytester, seed: str) -> None:
    pytester.makepyfile(
        marked=f"""
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.pinpoint_otp(seed={seed}))
        """
    )
    pytester.syspathinsert()
    plain = drawn(pytester, "-p", "marked")
    assert len(set(plain.values())) == 1
    assert drawn(pytester, "-p", "marked", "-o", "pinpoint_otp_seed=2030") == plain


def test_a_test_of_another_file_draws_differently(pytester: pytest.Pytester) -> None:
    tests = """
        from application import send

        def test_it(pinpoint_otp):
            send()
            print("code:", pinpoint_otp.code_for())
    """
    result = run(pytester, "-s", test_first=tests, test_second=tests)
    passes(result, passed=2)
    codes = [line.partition("code: ")[2] for line in result.outlines if "code: " in line]
    assert len(set(codes)) == 2


@pytest.mark.proof
def test_workers_of_xdist_do_not_share_a_fake(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    result = run_apart(
        pytester,
        "-n2",
        test_workers="""
            import pytest
            from application import send

            @pytest.mark.parametrize("number", range(8))
            def test_it(pinpoint_otp, number):
                send()
                pinpoint_otp.assert_sent(times=1)

            def test_unused(pinpoint_otp):
                pinpoint_otp.queue_codes("012345")
        """,
    )
    passes(result, passed=9, errors=1)


def test_a_configuration_error_stops_a_run_of_xdist_before_its_workers(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    result = run_apart(pytester, "-n2", "-o", "pinpoint_otp_code_length=9", test_it="def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *pinpoint_otp_code_length*CodeLength is 9*"])


def test_a_rerun_test_starts_afresh(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_rerunfailures")
    result = run(
        pytester,
        "--reruns",
        "1",
        test_flaky="""
            from application import send

            codes = []

            def test_it(pinpoint_otp):
                send()
                pinpoint_otp.assert_sent(times=1)
                codes.append(pinpoint_otp.code_for())
                assert len(codes) == 2
                assert codes[0] == codes[1]
        """,
    )
    assert result.ret == 0
    assert result.parseoutcomes() == {"passed": 1, "rerun": 1}
    assert reach.innermost is None


def test_a_run_of_pytester_inside_of_a_fake_leaves_that_fake_as_it_was(pytester: pytest.Pytester) -> None:
    from pytest_pinpoint_otp import active_pinpoint_otp, mock_pinpoint_otp

    tests = """
        from application import send

        def test_it(pinpoint_otp):
            send()
            pinpoint_otp.assert_sent(times=1)
    """
    with mock_pinpoint_otp() as outer:
        passes(run(pytester, "-o", "pinpoint_otp_autouse=true", test_inner=tests), passed=1)
        assert active_pinpoint_otp() is outer
        outer.assert_not_called()
    assert reach.innermost is None


def test_pytester_may_run_in_a_process_that_has_never_used_its_fake(pytester: pytest.Pytester) -> None:
    result = run_apart(
        pytester,
        *("-p", "pytester", "-o", "pinpoint_otp_autouse=true"),
        test_outer="""
            import pytest
            import suites_in_process

            @pytest.mark.pinpoint_otp(enabled=False)
            @pytest.mark.parametrize("time", ["first", "second"])
            def test_it(pytester, time):
                pytester.makepyfile(suites_in_process.TEST)
                pytester.runpytest_inprocess(*suites_in_process.ALONE).assert_outcomes(passed=1)
        """,
        suites_in_process=f"""
            ALONE = {ALONE}
            TEST = '''
            import pytest
            from botocore.exceptions import ReadTimeoutError
            from helpers import send

            def test_it(pinpoint_otp, pinpoint_otp_client):
                pinpoint_otp.inject(ReadTimeoutError)
                with pytest.raises(ReadTimeoutError):
                    send(pinpoint_otp_client)
            '''
        """,
    )
    passes(result, passed=2)


def test_a_client_that_outlives_a_run_keeps_nothing_of_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("pinpoint", region_name="us-east-1")

    def signers() -> list[object]:
        names = {"signing_name": "mobiletargeting", "region_name": "us-east-1", "signature_version": "v4"}
        emitted = client.meta.events.emit("choose-signer.pinpoint.SendOTPMessage", context={}, **names)
        return [handler for handler, _ in emitted]

    monkeypatch.setattr("helpers.client", client, raising=False)
    before = signers()
    suite = """
        from helpers import client, send

        def test_sends(pinpoint_otp):
            send(client)
            assert pinpoint_otp.code_for()
    """
    for _ in range(2):
        passes(run(pytester, test_sends=suite), passed=1)
        assert signers() == before
