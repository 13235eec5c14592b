"""The checks of this repository, each in a virtual environment of its own: ``nox -l`` lists them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nox
from nox.logger import logger

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "example", "tests"]
nox.options.error_on_missing_interpreters = True
# uv makes an environment in a second or two, where it is installed.
nox.options.default_venv_backend = "uv|virtualenv"

# Otherwise pytest would compile the package anew in each run, and the tests start hundreds of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).parent
EXAMPLE = ROOT / "docs" / "examples" / "sign_up"
PYPROJECT = nox.project.load_toml("pyproject.toml")
SUPPORTED = nox.project.python_versions(PYPROJECT)

# Tags: .ci/run runs the sessions with the tag "ci" one after the other, and those with "ci-single", which use one core
# only, two at a time.

# Many tests start a pytest of their own, so a second worker nearly halves the time, on the smallest of machines too.
# pytest-asyncio is for tests that begin a pytest of their own; here it would ask for settings.
WORKERS = ("-n", "2", "-p", "no:asyncio")

# moto puts its handler into botocore once, when it is imported; pytester's runs in the same process replace modules.
MOTO = "tests/transports/test_moto.py"
MOTO_APART = f"--ignore={MOTO}"

# Packages that instrument botocore; they wrap its methods as the fake does.
WRAPPERS = (
    "newrelic",
    "wrapt",
    "ddtrace",
    "opentelemetry-instrumentation-botocore",
    "aws-xray-sdk",
    "sentry-sdk",
)

# Slow, and the same with every version of botocore and pytest.
DRAWN = ("tests/hypothesis/test_strategies*", "tests/hypothesis/test_stateful*", "tests/proof/*")

# What depends on the version of botocore.
CALLS = ("tests/apis", "tests/engine", "tests/fake", "tests/faults", "tests/transports")


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group; read here, because an old pip does not know groups."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


def find_pythons() -> list[str]:
    """Return the supported versions of Python that are here, oldest first, and let nox find them on PATH."""
    if pyenv := shutil.which("pyenv"):
        # A shim of pyenv's is on PATH for every version, but runs only those that are selected.
        root = subprocess.run([pyenv, "root"], check=True, capture_output=True, text=True).stdout.strip()
        folders = [str(folder) for version in SUPPORTED for folder in Path(root, "versions").glob(f"{version}.*/bin")]
        os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])
    own = "{}.{}".format(*sys.version_info)
    found = [version for version in SUPPORTED if version == own or _runs(f"python{version}")]
    for version in SUPPORTED:
        if version not in found:
            logger.warning(f"Python {version} is not here: its sessions are left out.")
    if not found:
        raise SystemExit(f"No supported Python is here: {', '.join(SUPPORTED)}.")
    return found


def _runs(name: str, user: str | None = None) -> bool:
    # On PATH is not enough: a version manager's shim may be there for a version that is not selected.
    path = shutil.which(name)
    if path is None:
        return False
    try:
        return subprocess.run([path, "-c", ""], check=False, user=user, stderr=subprocess.DEVNULL).returncode == 0
    except PermissionError:
        return False


ALL = (*group("test"), *group("async"), "aiobotocore[httpx2]")
"""What the suite needs, so that nothing of it is skipped but for want of a browser and the like."""

PYTHONS = find_pythons()
OLDEST, NEWEST = PYTHONS[0], PYTHONS[-1]


def run_all(session: nox.Session, *steps: Callable[[], object]) -> None:
    """Run every step, even after one has failed, and fail at the end if any has."""
    failed = 0
    for step in steps:
        try:
            step()
        except nox.command.CommandFailed:
            failed += 1
    if failed:
        session.error(f"{failed} of {len(steps)} commands failed.")


@nox.session(python=NEWEST)
def example(session: nox.Session) -> None:
    """Run the suite of the example application, with the plugin, boto3 and pytest alone."""
    session.install(".")
    run_example(session, "python", EXAMPLE)


@nox.session(python=NEWEST)
def tests(session: nox.Session) -> None:
    """Run the suite without what is marked `proof`, async clients included."""
    session.install("-e", ".", *ALL)
    run_all(
        session,
        lambda: session.run("pytest", *WORKERS, MOTO_APART, *session.posargs),
        lambda: session.run("pytest", *WORKERS, MOTO),
    )


@nox.session(python=NEWEST)
def coverage(session: nox.Session) -> None:
    """Run the suite as `tests` does, and measure it; session `environment` measures it as well."""
    session.install("-e", ".", *ALL)
    # Not in the session's temporary folder: that would be everybody's, and within this one, whose configuration the
    # tests that start a pytest of their own would find.
    run = partial(session.run, env={"COVERAGE_FILE": str(Path(session.virtualenv.location, ".coverage").resolve())})
    run("coverage", "erase")
    run_all(
        session,
        lambda: run("coverage", "run", "-m", "pytest", *WORKERS, MOTO_APART, *session.posargs),
        lambda: run("coverage", "run", "-m", "pytest", *WORKERS, MOTO),
        lambda: run("coverage", "combine", "--quiet"),
        lambda: run("coverage", "report"),
    )


@nox.session(python=NEWEST, tags=["ci"])
def proof(session: nox.Session) -> None:
    """Draw ten times as much, compare 10,000 steps with the model, and run what is marked as taking long."""
    session.install("-e", ".", *ALL, "pytest-randomly")
    files = [str(file.relative_to(ROOT)) for file in sorted(ROOT.glob("tests/*/test_*.py")) if draws(file)]
    steps = os.environ.get("PINPOINT_OTP_PROOF", "10000")
    apart = [f"--ignore={file}" for file in files]
    run_all(
        session,
        # -m: the marked ones too, which the ordinary run leaves out.
        lambda: session.run("pytest", *WORKERS, "-m", "", *files, *session.posargs, env={"PINPOINT_OTP_PROOF": steps}),
        lambda: session.run("pytest", *WORKERS, "-m", "proof", *apart, *session.posargs),
    )


def draws(file: Path) -> bool:
    """Tell whether a file of tests does more where more is asked for: see ``tests/effort.py``."""
    text = file.read_text(encoding="utf-8")
    helpers = [one.stem for one in ROOT.glob("tests/*.py") if "from effort import" in one.read_text(encoding="utf-8")]
    return any(f"from {helper} import" in text for helper in ("effort", *helpers))


@nox.session(python=NEWEST, tags=["ci"])
def wrappers(session: nox.Session) -> None:
    """Use the fake beside the packages that instrument botocore, each before and after the client is made."""
    session.install("-e", ".", *group("test"), "aiobotocore", *WRAPPERS)
    session.run("pytest", *WORKERS, "tests/wrappers", *session.posargs)


@nox.session(python=OLDEST, tags=["ci"])
def lowest(session: nox.Session) -> None:
    """Run the suite and the example's with the lowest versions that the package and its extras allow."""
    if session.venv_backend != "uv":
        session.skip("only uv can resolve to the lowest versions")
    session.install("--resolution", "lowest-direct", "-e", ".[hypothesis,phonenumbers,server]")
    run_example(session, "python", EXAMPLE)
    session.install(*group("test"))
    apart = [f"--ignore-glob={files}" for files in DRAWN]
    run_all(
        session,
        lambda: session.run("pytest", *WORKERS, MOTO_APART, *apart, *session.posargs),
        lambda: session.run("pytest", *WORKERS, MOTO),
    )


VERSIONS = {
    # The last with botocore's legacy retry mode as the default.
    "botocore-1.43": ["botocore==1.43.*", "boto3==1.43.*"],
    # aiobotocore holds the session `tests` at an older botocore.
    "newest": ["botocore", "boto3", "pytest"],
}


@nox.session(tags=["ci"])
@nox.parametrize(
    ("python", "versions"),
    # The oldest interpreter has a session of its own: lowest.
    [
        nox.param(python, VERSIONS[name], id=f"{python}-{name}")
        for python, name in [*((python, "botocore-1.43") for python in PYTHONS[1:-1] or [OLDEST]), (NEWEST, "newest")]
    ],
)
def matrix(session: nox.Session, versions: list[str]) -> None:
    """Run what calls botocore with other versions of it, on the other interpreters."""
    session.install("-e", ".", *group("test"), *versions)
    run_all(
        session,
        lambda: session.run("pytest", *WORKERS, MOTO_APART, *CALLS, *session.posargs),
        lambda: session.run("pytest", *WORKERS, MOTO),
    )


@nox.session(python=NEWEST, tags=["ci"])
def neighbours(session: nox.Session) -> None:
    """Run what concerns other pytest plugins, web frameworks and moto, with the newest of each."""
    session.install("-e", ".", *group("test"), *group("neighbours"))
    files = ("tests/plugin/test_neighbours.py", "tests/plugin/test_runners.py", "tests/plugin/test_fixtures.py")
    pages = ("docs/how-to/moto.md", "docs/how-to/other-plugins.md")
    run_all(
        session,
        # In the runs that tests start as well: see tests/suites.py.
        lambda: session.run(
            "pytest", *WORKERS, *files, *pages, *session.posargs, env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}
        ),
        lambda: session.run("pytest", *WORKERS, MOTO),
    )


@nox.session(python=False, tags=["ci"])
def environment(session: nox.Session) -> None:
    """Run each test file alone and shuffled in an odd environment; together they must cover every branch.

    An ordinary user runs them, in a read-only checkout, without HOME, with LC_ALL=C, an odd time zone and a blank in
    TMPDIR.
    """
    user = "nobody" if os.name == "posix" and os.getuid() == 0 else None
    python = next((path for path in find_interpreters() if _runs(path, user)), None)
    if os.name != "posix" or python is None:
        session.skip(f"no supported Python here that {user or 'this system'} can run")
    with tempfile.TemporaryDirectory(prefix="pinpoint-otp-") as name:
        work = Path(name)
        work.chmod(0o755)
        checkout, venv = work / "checkout", work / "venv"
        copy_checkout(checkout)
        install_into(session, venv, python, "--editable", str(checkout), *ALL, "pytest-randomly")
        session.run("chmod", "-R", "a-w,a+rX", str(checkout))
        odd = make_odd_environment(work, venv / "bin")
        apart = {"user": user, "group": "nogroup", "extra_groups": []} if user else {}

        def run(file: str) -> None:
            began = time.monotonic()
            pytest = ["pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", *session.posargs, file]
            done = subprocess.run(
                ["python", "-m", "coverage", "run", "-m", *pytest],
                **{"cwd": checkout, "env": odd, "capture_output": True, "text": True, "errors": "replace", **apart},
                check=False,
            )
            # 5: all tests of the file need what is not installed, or are marked `proof`.
            passed = done.returncode in (0, 5)
            verdict = f"{file}: {'passed' if passed else 'FAILED'} in {time.monotonic() - began:.1f} s"
            print(verdict if passed else f"{verdict}\n{done.stdout}\n{done.stderr}", flush=True)
            if not passed:
                raise nox.command.CommandFailed(file)

        def report(*command: str) -> None:
            with session.chdir(checkout):
                session.run(str(venv / "bin" / "coverage"), *command, env=odd)

        tests = sorted(str(file.relative_to(checkout)) for file in checkout.glob("tests/*/test_*.py"))
        with ThreadPoolExecutor(2) as pool:
            # The longest first.
            runs = [pool.submit(run, file) for file in ["docs", *tests, "README.md"]]
            steps = [*(done.result for done in runs), partial(report, "combine", "--quiet"), partial(report, "report")]
            try:
                run_all(session, *steps)
            finally:
                session.run("chmod", "-R", "u+w", str(checkout))


def make_odd_environment(work: Path, programs: Path) -> dict[str, str]:
    """Return the environment in which session `environment` runs each file, and make the folders that it names."""
    folders = {name: work / name for name in ("temporary files", "compiled", "coverage")}
    for folder in folders.values():
        folder.mkdir()
        folder.chmod(0o777)
    # And no HOME.
    return {
        "PATH": f"{programs}:{os.defpath}",
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
        "TMPDIR": str(folders["temporary files"]),
        # What pytest compiles cannot be kept beside the code, and hundreds of runs would compile it anew.
        "PYTHONPYCACHEPREFIX": str(folders["compiled"]),
        "COVERAGE_FILE": str(folders["coverage"] / ".coverage"),
    }


def install_into(session: nox.Session, venv: Path, python: str, *packages: str) -> str:
    """Make a virtual environment beside the session's own, install packages into it, and return its interpreter."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    inside = str(venv / ("Scripts" if os.name == "nt" else "bin") / "python")
    run = partial(session.run, external=True)
    if uv:
        run(uv, "venv", "--quiet", "--python", python, str(venv))
        run(uv, "pip", "install", "--quiet", "--python", inside, *packages)
    else:
        run(sys.executable, "-m", "virtualenv", "--quiet", "--python", python, str(venv))
        run(inside, "-m", "pip", "install", "--quiet", *packages)
    return inside


def find_interpreters() -> list[str]:
    """Return the paths of the supported interpreters on PATH, those of the system among them, newest first."""
    folders = os.get_exec_path() + os.defpath.split(os.pathsep) + ["/usr/bin"]
    return [path for version in reversed(SUPPORTED) for path in (str(Path(f, f"python{version}")) for f in folders)]


def list_files() -> list[str]:
    """Return the names of the files that git knows of this folder, or would know: no caches, no environments."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_checkout(to: Path) -> None:
    """Copy what git knows of this folder."""
    for name in list_files():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, to / name)


@nox.session(python=NEWEST, tags=["ci"])
@nox.parametrize(
    "versions",
    [
        # aioboto3 wants an older aiobotocore, and that an older botocore, than the session `tests` has.
        nox.param(["aioboto3"], id="newest"),
        nox.param(["aiobotocore==2.21.*"], id="aiobotocore-2.21"),
    ],
)
def aioboto3(session: nox.Session, versions: list[str]) -> None:
    """Run what concerns async clients, with the newest aioboto3 and with the lowest aiobotocore."""
    session.install("-e", ".", *group("test"), *group("async"), *versions)
    files = [str(file.relative_to(ROOT)) for file in sorted(ROOT.glob("tests/transports/test_aio*.py"))]
    files += ["tests/engine/test_waiting.py", "docs/how-to/async.md"]
    # -m: the marked ones too.
    session.run("pytest", *WORKERS, "-m", "", *files, *session.posargs)


@nox.session(python=NEWEST, tags=["ci-single"])
def lint(session: nox.Session) -> None:
    """Check style, format and spelling, and look for what is unsafe in the workflows of the public CI."""
    session.install(*group("lint"))
    run_all(
        session,
        lambda: session.run("ruff", "check"),
        lambda: session.run("ruff", "format", "--check"),
        # Without its command, whose names would fill a page.
        lambda: session.run("codespell", *list_files(), log=False),
        lambda: session.run("zizmor", "--offline", "--quiet", "--persona", "auditor", ".github"),
    )


@nox.session(python=NEWEST, tags=["ci-single"])
def types(session: nox.Session) -> None:
    """Check the package's types, and what a user's type checker sees of the installed package."""
    session.install(".", *group("test"), *group("async"), *group("types"))
    # From elsewhere, so that the installed package is found, and not the one of this folder.
    elsewhere = session.create_tmp()

    def compare() -> None:
        with session.chdir(elsewhere):
            session.run("python", str(ROOT / "tests" / "typing" / "compare.py"))

    run_all(
        session,
        # What a system lacks is missing from its types.
        *(partial(session.run, "mypy", "--platform", system) for system in ("linux", "win32")),
        lambda: session.run("pyright", "pytest_pinpoint_otp"),
        compare,
    )


@nox.session(python=NEWEST, tags=["ci-single"])
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning or a dangling reference is an error."""
    session.install(".[hypothesis,server]", *group("docs"))
    session.run("sphinx-build", "-W", "-n", "-E", "--keep-going", "docs", "docs/_build/html")


@nox.session(python=NEWEST, tags=["ci-single"])
def build(session: nox.Session) -> None:
    """Build sdist and wheel, look into them, and run the example's suite with each in a fresh environment."""
    session.install(*group("build"))
    work = Path(session.create_tmp()).resolve()
    shutil.rmtree(work / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(work / "dist"))
    (wheel,) = (work / "dist").glob("*.whl")
    (sdist,) = (work / "dist").glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        check_contents(session, wheel, archive.namelist())
    with tarfile.open(sdist) as archive:
        check_contents(session, sdist, archive.getnames())
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    session.run("check-wheel-contents", str(wheel))
    for distribution in (wheel, sdist):
        shutil.rmtree(work / "venv", ignore_errors=True)
        python = install_into(session, work / "venv", NEWEST, str(distribution))
        # A copy, so that nothing of this folder can be imported.
        shutil.copytree(EXAMPLE, work / "example", dirs_exist_ok=True)
        run_example(session, python, work / "example")


@nox.session(python=NEWEST)
def benchmarks(session: nox.Session) -> None:
    """Measure, print the tables of docs/benchmarks.md, and fail where a limit is missed."""
    command = ("pytest", "-o", "python_files=bench_*.py", "--benchmark-disable-gc", *session.posargs)
    files = ("tests/benchmarks/bench_calls.py", "tests/benchmarks/bench_end_user_messaging.py")
    session.install("-e", ".", *group("benchmarks"))

    def measure(*what: str, versions: tuple[str, ...] = ()) -> None:
        if versions:
            session.install(*versions)
        session.run(*command, *what)

    run_all(
        session,
        lambda: measure("tests/benchmarks"),
        # The last that builds its user agent anew for each request.
        lambda: measure(*files, versions=("botocore==1.44.5", "boto3==1.44.5")),
        # aiobotocore holds botocore back.
        lambda: measure("tests/benchmarks/bench_async.py", versions=("aiobotocore",)),
    )


@nox.session(python=NEWEST)
def mutation(session: nox.Session) -> None:
    """Change the rules in many small ways, and show each change that no test notices; takes many hours."""
    session.install("-e", ".", *group("test"), *group("mutation"))
    # A short proof: it is run for every change that the faster tests have not noticed.
    session.run("mutmut", "run", *session.posargs, env={"PINPOINT_OTP_PROOF": "300"})
    session.run("mutmut", "results")


def run_example(session: nox.Session, python: str, folder: Path) -> None:
    """Run the example's suite as its own project would."""
    with session.chdir(folder):
        session.run(python, "-m", "pytest", "-p", "no:cacheprovider", *session.posargs, external=True)


def check_contents(session: nox.Session, distribution: Path, names: list[str]) -> None:
    """Fail unless a distribution holds its licence and says that it is typed."""
    for wanted in ("pytest_pinpoint_otp/py.typed", "LICENSE"):
        if not any(name.endswith(f"/{wanted}") or name == wanted for name in names):
            session.error(f"{distribution.name} has no {wanted}.")


@nox.session(python=NEWEST, tags=["ci-single"])
def awscli(session: nox.Session) -> None:
    """Let the AWS CLI, as PyPI has it, call the server."""
    session.install("-e", ".", *group("test"), "awscli")
    session.run("pytest", "tests/http/test_other_sdks.py", "-k", "CLI", "-rs", *session.posargs)


@nox.session(python=NEWEST, tags=["ci-single"])
def javascript(session: nox.Session) -> None:
    """Let AWS's SDK for JavaScript call the server."""
    session.install("-e", ".", *group("test"))
    session.run(
        "pytest", "tests/http/test_other_sdks.py", "-k", "JavaScript", "-rs", *session.posargs, env=npm_install(session)
    )


def npm_install(session: nox.Session) -> dict[str, str]:
    """Install what tests/http/clients needs into the session's own folder, and say where it is; nothing without npm."""
    if shutil.which("npm") is None:
        session.log("npm is not here: what needs it is skipped.")
        return {}
    folder = Path(session.create_tmp(), "npm").resolve()
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "tests" / "http" / "clients" / "package.json", folder)
    with session.chdir(folder):
        try:
            session.run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent", external=True)
        except nox.command.CommandFailed:
            session.log("npm cannot install it here: what needs it is skipped.")
            return {}
    return {"PINPOINT_OTP_NODE_MODULES": str(folder / "node_modules")}


@nox.session(python=NEWEST, tags=["ci-single"])
def browser(session: nox.Session) -> None:
    """Look at the inbox and log in with Chromium, and run the example application under uvicorn."""
    session.install("-e", ".", *group("test"), *group("web"))
    run_all(
        session,
        lambda: session.run("pytest", "tests/http/test_browser.py", "-rs", *session.posargs, env=npm_install(session)),
        lambda: run_example(session, "python", ROOT / "docs" / "examples" / "web_log_in"),
    )


@nox.session(python=NEWEST, tags=["ci-single"])
def openapi(session: nox.Session) -> None:
    """Hold the JSON API against its own OpenAPI document."""
    session.install("-e", ".", *group("test"), *group("openapi"))
    session.run("pytest", "tests/http/test_openapi_contract.py", "-rs", *session.posargs)
