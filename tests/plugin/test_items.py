"""Items that are not test functions: doctests, Sybil's examples, and those of plugins that know no fixtures."""

from __future__ import annotations

import pytest
from suites import passes, run, run_apart

AUTOUSE = ("-o", "pinpoint_otp_autouse=true")

CUSTOM = """
    import pytest
    import pytest_pinpoint_otp.transports.active as active
    from application import send
    from pytest_pinpoint_otp import active_pinpoint_otp

    MARKED = False

    class Item(pytest.Item):
        def setup(self):
            self.fake = active_pinpoint_otp()
            send(ReferenceId="set up")
            if "bad set-up" in self.name:
                raise RuntimeError

        def runtest(self):
            send(ReferenceId="run")
            if "unused" in self.name:
                self.fake.inject("ForbiddenException", operation="VerifyOTPMessage")
            assert "failing" not in self.name

        def teardown(self):
            assert active_pinpoint_otp() is self.fake
            send(ReferenceId="torn down")
            print(self.name, [message.reference_id for message in self.fake.messages])

    class File(pytest.File):
        def setup(self):
            assert active.innermost is None

        def teardown(self):
            assert active.innermost is None

        def collect(self):
            for name in self.path.read_text().splitlines():
                item = Item.from_parent(self, name=name)
                if MARKED:
                    item.add_marker(pytest.mark.pinpoint_otp(code_length=8))
                yield item

    def pytest_collect_file(file_path, parent):
        if file_path.suffix == ".custom":
            return File.from_parent(parent, path=file_path)
"""


@pytest.mark.parametrize("marked", [False, True], ids=["autouse", "marked"])
def test_an_item_without_fixtures_has_a_fresh_fake_from_its_set_up_to_its_teardown(
    pytester: pytest.Pytester, marked: bool
) -> None:
    (pytester.path / "items.custom").write_text("one\ntwo\n")
    conftest = CUSTOM.replace("MARKED = False", f"MARKED = {marked}")
    result = run(pytester, "-s", *(() if marked else AUTOUSE), conftest=conftest)
    passes(result, passed=2)
    for name in ("one", "two"):
        result.stdout.fnmatch_lines([f"*{name} [[]'set up', 'run', 'torn down']*"])


def test_an_item_without_fixtures_is_checked_and_reported_as_any_test(pytester: pytest.Pytester) -> None:
    (pytester.path / "items.custom").write_text("unused\nfailing\nbad set-up\nlast\n")
    result = run(pytester, "-s", *AUTOUSE, conftest=CUSTOM)
    passes(result, passed=2, failed=1, errors=2)
    result.stdout.fnmatch_lines(["*ERROR at teardown of*", "*inject('ForbiddenException'*"])
    assert result.stdout.str().count("Pinpoint OTP traffic") == 3


def test_a_mistake_in_the_marker_of_an_item_without_fixtures_is_told(pytester: pytest.Pytester) -> None:
    (pytester.path / "items.custom").write_text("one\n")
    conftest = CUSTOM.replace("MARKED = False", "MARKED = True").replace("code_length=8", "code_lenght=8")
    result = run(pytester, conftest=conftest)
    # Its own teardown fails as well, which counts on the fake.
    assert result.parseoutcomes() == {"errors": 2}
    result.stdout.fnmatch_lines(["@pytest.mark.pinpoint_otp: there is no option 'code_lenght'. *"])


def test_an_item_without_fixtures_can_run_again(pytester: pytest.Pytester) -> None:
    (pytester.path / "items.custom").write_text("one\n")
    again = """
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(item, nextitem):
        from _pytest.runner import runtestprotocol

        for _ in range(2):
            runtestprotocol(item, nextitem=nextitem)
        return True
"""
    result = run(pytester, "-s", *AUTOUSE, conftest=CUSTOM + again)
    passes(result, passed=2)
    assert result.stdout.str().count("one ['set up', 'run', 'torn down']") == 2


def test_an_item_without_fixtures_has_one_fake_after_its_file_failed_to_set_up_at_first(
    pytester: pytest.Pytester,
) -> None:
    (pytester.path / "items.custom").write_text("one\n")
    conftest = CUSTOM.replace(
        "            assert active.innermost is None\n",
        "            failures.append(None)\n            assert len(failures) > 1\n",
        1,
    )
    again = """
    failures = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(item, nextitem):
        from _pytest.runner import runtestprotocol

        for _ in range(2):
            runtestprotocol(item, nextitem=nextitem)
        return True
"""
    result = run(pytester, "-s", *AUTOUSE, conftest=conftest + again)
    passes(result, passed=1, errors=1)
    result.stdout.fnmatch_lines(["*one [[]'set up', 'run', 'torn down']*"])


def test_an_item_without_fixtures_whose_file_fails_to_set_up_leaves_nothing_behind(pytester: pytest.Pytester) -> None:
    (pytester.path / "items.custom").write_text("one\n")
    (pytester.path / "test_last.py").write_text(
        "import pytest\nimport pytest_pinpoint_otp.transports.active as active\n"
        "@pytest.mark.pinpoint_otp(enabled=False)\ndef test_last():\n    assert active.innermost is None\n"
    )
    conftest = CUSTOM.replace("            assert active.innermost is None\n", "            raise RuntimeError\n", 1)
    passes(run(pytester, *AUTOUSE, conftest=conftest), passed=1, errors=1)


SYBIL = """
    import pytest
    import pytest_pinpoint_otp.transports.active as active
    from sybil import Sybil
    from sybil.parsers.PARSERS import PythonCodeBlockParser
    MORE

    def outside(namespace):
        assert active.innermost is None

    pytest_collect_file = Sybil(
        parsers=[PythonCodeBlockParser()], pattern="*.SUFFIX", setup=outside, teardown=outside, fixtures=FIXTURES
    ).pytest()
"""
BLOCKS = {
    "md": "```python\n{}\n```\n\n```python\n{}\n```\n",
    "rst": ".. code-block:: python\n\n    {}\n\n.. code-block:: python\n\n    {}\n",
}
SENDING = "from application import send; assert send() == 'SUCCESSFUL'"
COUNTING = "from pytest_pinpoint_otp import active_pinpoint_otp; assert active_pinpoint_otp().calls == []"
UNFAKED = "import pytest_pinpoint_otp.transports.active as active; assert active.innermost is None"


def sybil_suite(pytester: pytest.Pytester, suffix: str, more: str = "", fixtures: str = "()") -> str:
    pytest.importorskip("sybil")
    parsers = {"md": "markdown", "rst": "rest"}[suffix]
    conftest = SYBIL.replace("PARSERS", parsers).replace("SUFFIX", suffix).replace("FIXTURES", fixtures)
    return conftest.replace("MORE", more)


MARKING = """
    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.pinpoint_otp)
"""


@pytest.mark.parametrize("way", ["autouse", "marked", "named"])
@pytest.mark.parametrize("suffix", BLOCKS)
def test_each_example_of_a_document_has_a_fresh_fake(pytester: pytest.Pytester, suffix: str, way: str) -> None:
    conftest = sybil_suite(
        pytester,
        suffix,
        more=MARKING if way == "marked" else "",
        fixtures="('tmp_path', 'pinpoint_otp')" if way == "named" else "()",
    )
    (pytester.path / f"page.{suffix}").write_text(BLOCKS[suffix].format(SENDING, COUNTING))
    passes(run(pytester, *(AUTOUSE if way == "autouse" else ()), conftest=conftest), passed=2)


@pytest.mark.parametrize("suffix", BLOCKS)
def test_an_example_of_a_document_that_is_not_marked_has_no_fake(pytester: pytest.Pytester, suffix: str) -> None:
    conftest = sybil_suite(pytester, suffix)
    (pytester.path / f"page.{suffix}").write_text(BLOCKS[suffix].format(UNFAKED, UNFAKED))
    passes(run(pytester, conftest=conftest), passed=2)


def test_an_example_of_a_document_that_leaves_something_unused_ends_in_an_error(pytester: pytest.Pytester) -> None:
    conftest = sybil_suite(pytester, "md")
    arranging = "from pytest_pinpoint_otp import active_pinpoint_otp; active_pinpoint_otp().inject('THROTTLED')"
    (pytester.path / "page.md").write_text(BLOCKS["md"].format(arranging, SENDING))
    passes(run(pytester, *AUTOUSE, conftest=conftest), passed=2, errors=1)


def test_the_fixtures_of_a_document_see_the_fake(pytester: pytest.Pytester) -> None:
    sending = """
    from application import send

    @pytest.fixture
    def sent():
        return send()
"""
    conftest = sybil_suite(pytester, "md", more=sending, fixtures="('sent', 'pinpoint_otp')")
    (pytester.path / "page.md").write_text(
        BLOCKS["md"].format("assert sent == 'SUCCESSFUL'", "pinpoint_otp.code_for()")
    )
    passes(run(pytester, conftest=conftest), passed=2)


def test_doctests_of_modules_and_of_text_files_have_the_fake(pytester: pytest.Pytester) -> None:
    (pytester.path / "test_page.txt").write_text(
        ">>> from application import send\n>>> send()\n'SUCCESSFUL'\n"
        ">>> [message.reference_id for message in getfixture('pinpoint_otp').messages]\n['set up', 'sign-up']\n"
    )
    result = run(
        pytester,
        "--doctest-modules",
        *AUTOUSE,
        module='''
            """
            >>> import application
            >>> application.send()
            'SUCCESSFUL'
            """
        ''',
        conftest="""
            import pytest
            import pytest_pinpoint_otp.transports.active as active
            from application import send

            @pytest.fixture(autouse=True, scope="module")
            def outside():
                assert active.innermost is None
                yield
                assert active.innermost is None

            @pytest.fixture(autouse=True)
            def inside(outside):
                send(ReferenceId="set up")
                yield
                send(ReferenceId="torn down")
        """,
    )
    passes(result, passed=2)


def test_an_item_without_fixtures_has_a_fresh_fake_at_every_rerun(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_rerunfailures")
    (pytester.path / "items.custom").write_text("failing\n")
    result = run(pytester, "-s", "--reruns", "2", *AUTOUSE, conftest=CUSTOM)
    assert result.parseoutcomes() == {"failed": 1, "rerun": 2}
    assert result.stdout.str().count("failing ['set up', 'run', 'torn down']") == 3


@pytest.mark.proof
def test_items_and_functions_have_their_fakes_on_the_workers_of_xdist(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    (pytester.path / "items.custom").write_text("one\ntwo\nunused\n")
    result = run_apart(
        pytester,
        "-n2",
        *AUTOUSE,
        conftest=CUSTOM,
        test_it="""
            from application import send
            from pytest_pinpoint_otp import active_pinpoint_otp

            def test_it():
                send()
                active_pinpoint_otp().assert_sent(times=1)
        """,
    )
    passes(result, passed=4, errors=1)


@pytest.mark.parametrize("autouse", ["false", "true"])
def test_an_item_whose_fixture_names_are_none_runs(pytester: pytest.Pytester, autouse: str) -> None:
    pytester.makeconftest(
        """
        import pytest

        class Odd(pytest.Item):
            fixturenames = None

            def runtest(self):
                pass

        class OddFile(pytest.File):
            def collect(self):
                yield Odd.from_parent(self, name="odd")

        def pytest_collect_file(file_path, parent):
            return OddFile.from_parent(parent, path=file_path) if file_path.suffix == ".odd" else None
        """
    )
    pytester.makefile(".odd", items="")
    run(pytester, "-o", f"pinpoint_otp_autouse={autouse}").assert_outcomes(passed=1)
