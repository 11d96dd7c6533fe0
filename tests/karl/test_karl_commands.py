"""Commands: judged by a shell that runs them, by tables of lines, and by what test runners print."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import subprocess
import time

import pytest

from ebmhw.karl import commands
from ebmhw.karl.commands import kinds, only_asks, runs_build, runs_tests
from ebmhw.karl.shell.kinds import ASKS, BUILDS, TESTS
from ebmhw.karl.shell.lexer import simple_commands
from ebmhw.karl.shell.names import ALONE, COMMANDS, COMPILERS
from ebmhw.karl.shell.outputs import collected

TEST_RUNS = """
pytest
pytest -q tests
python -m pytest
python3.11 -m unittest discover
/usr/bin/python -m pytest -x
python -W ignore -m pytest
tox -e py311
nox -s tests
nox
ctest --output-on-failure
ctest -V
npm test
npm t
npm run test
npm run test:unit
npm --prefix web test
npm run unit-test -- --ci
yarn test
yarn jest
yarn workspace web test
pnpm test
pnpm -r test
bun test
deno test
npx jest --ci
npx jest@29 --ci
npx -y vitest run
jest
mocha
node --test
node_modules/.bin/jest
npx playwright test
npx cypress run
cargo test --all
cargo +nightly test
cargo nextest run
go test ./...
make test
make -j 8 check
make -C lib test-unit
mvn test
mvn -q verify
./gradlew test
gradle :app:testDebugUnitTest
dotnet test
swift test
xcodebuild -scheme A test
bundle exec rspec
rspec
vendor/bin/phpunit
bazel test //...
rake spec
mix test
php artisan test
flutter test
gotestsum ./...
just test
nx test app
turbo run test
hatch run test
hatch test
pixi run test
ninja -C build test
cmake --build build --target test
./run_tests.sh
bash run_tests.sh
bash -eux run_tests.sh
make -C net test
make -j4 -k test
swift test --filter list
cargo test list
gradle test -x lint
pytest --trace-config
bin/test sympy/core
python tests/runtests.py
python test_foo.py
python setup.py test
python manage.py test app
./manage.py test
python -c "import pytest; pytest.main()"
cd a && CI=1 timeout 60 npx jest
sudo -u bob pytest
nice -n 10 pytest
time pytest
env A=1 pytest
timeout -k 5 60 env A=1 pytest
xvfb-run -a pytest
watch -n 2 pytest
command pytest
xargs -n 1 pytest
poetry run pytest
uv run --with x pytest
uv run -m pytest
uvx nox
pipenv run python -m pytest
conda run -n e pytest
coverage run -m pytest
coverage run --source=x -m unittest
docker exec -it web pytest -q
docker compose exec -T web python manage.py test
docker run --rm -v $PWD:/app -w /app python:3.11 pytest -q
kubectl exec pod -- pytest
ssh host 'cd x && pytest'
bash -lc "cd x && pytest -q"
bash -c 'bash -c "pytest"'
eval "pytest -q"
out=$(pytest -q 2>&1); echo "$out"
`pytest`
(cd x; pytest)
if pytest; then echo ok; fi
for i in 1 2; do pytest; done
pytest | tee log
pytest 2>&1 | tail -5
pytest>out.txt
pytest --version; pytest -q
cd build && make -j4 && ctest
PYTHONPATH=. pytest
""".strip().splitlines()

NO_TEST_RUNS = [
    *"""
echo pytest
# pytest
cat test.log
pip install pytest
uv pip install pytest
poetry add pytest
npm install jest
apt-get install -y pytest
grep -r "make test"
git commit -m "run pytest"
git log --grep=test
git checkout test
git add tests/test_x.py
test -f x
[ -f x ] && ls
pytest --version
pytest --help
pytest --collect-only
python -m pytest --co
ctest -N
tox -l
make -n test
npm run test -- --help
npm run lint
cargo test --no-run
go test -c ./x
go vet ./...
which pytest
type pytest
man pytest
command -v pytest
ls tests
vim test_x.py
cat tests/test_x.py
cp test_a.py b
diff test_a.py test_b.py
sed -n 1,5p test_a.py
rm -rf tests
mkdir test
chmod +x run_tests.sh
find . -name "test*"
./x.sh test_a.py
python -c "print('pytest')"
python setup.py build
echo "a && pytest"
echo $(cat test.txt)
for x in pytest tox; do echo $x; done
a=(pytest tox)
make
make clean
docker ps
gradle test --dry-run
./gradlew test -m
gradle test -x test
gradle help --task test
make -t test
make -kq test
make test --touch
mocha --dry-run
deno test --no-run
swift test list
swift test --list-tests
meson test --list
playwright test --list
bash -n test.sh
bash -en ./run_tests.sh
sh -nc pytest
node --check test.js
php -l test_a.php
pytest --cache-show
pytest --cache-show=x
pytest --setup-plan
pytest --setup-only
pytest --fixtures
pytest --markers
ctest --show-only
ctest --show-only=json-v1
cargo nextest list
rspec --dry-run
turbo run test --dry=json
npm test --dry-run
bazel test --nobuild //...
""".strip().splitlines(),
    "cat <<EOF\npytest\nEOF",
    "git commit -m \"$(cat <<'EOF'\nfix\n\npytest passes\nEOF\n)\"",
    "",
    "   ",
]

BUILD_RUNS = """
make
make -j8
make -j 8 all
make -C x
make prog
gradle build -x test
cmake --build build
ninja
ninja -C out
cargo build --release
cargo +nightly build
cargo check
cargo test --no-run
go build ./...
go test -c ./x
npm run build
yarn build
pnpm build
pnpm run build:prod
bun run build
bun build x.ts
tsc
npx tsc --noEmit
xcodebuild -scheme A build
xcodebuild
mvn package
mvn -DskipTests install
gradle build
./gradlew assembleDebug
docker build -t x .
docker compose build
docker buildx build .
dotnet build
swift build
python -m build
python3 setup.py bdist_wheel
uv build
./build.sh
bash scripts/build.sh
next build
npx vite build
gcc a.c -o a
cd x && make
make test all
""".strip().splitlines()

NO_BUILD_RUNS = """
make test
make clean
make check
make -n
make --version
make help
make lint
make -t
make -q
npm run build --dry-run
cargo test
cargo clippy
cargo run
go test
go install x@latest
npm test
npm install
npm run dev
mkdir build
cd build
ls build
rm -rf build
echo make it
git commit -m "make it build"
cat build.log
gcc --version
tsc --version
docker ps
cmake ..
cmake -B build
pip install build
ninja -t clean
xcodebuild -list
python -m pytest
""".strip().splitlines()


@pytest.mark.parametrize("line", TEST_RUNS)
def test_test_runs(line):
    assert runs_tests(line)


@pytest.mark.parametrize("line", NO_TEST_RUNS)
def test_what_is_no_test_run(line):
    assert not runs_tests(line)


@pytest.mark.parametrize("line", BUILD_RUNS)
def test_builds(line):
    assert runs_build(line)


@pytest.mark.parametrize("line", NO_BUILD_RUNS)
def test_what_is_no_build(line):
    assert not runs_build(line)


@pytest.mark.parametrize("line", ["pytest --version", "make -n", "tsc --version", "cargo test --help", "tox -l", "pytest --collect-only -q"])
def test_lines_that_only_ask(line):
    assert only_asks(line)
    assert not only_asks(f"{line}; make")
    assert not only_asks(f"echo {line}")


def test_every_program_that_is_known_is_looked_for():
    """The quick look at a line must let through whatever has a kind."""
    for name, kind in ALONE.items():
        assert kinds(f"{name} x.c") & kind or kinds(f"{name} x.c") == ASKS, name
    for name, known in COMMANDS.items():
        for command, kind in known.items():
            assert kinds(f"cd a; {name} {command} x") == kind, (name, command)
    assert all(kinds(f"{name} x") == BUILDS and kinds(name) == 0 for name in COMPILERS)


PLAIN = (
    *(
        "pytest",
        "pytest -q 'a b'",
        "X=1 pytest",
        "env X=1 pytest -q",
        "timeout 5 pytest",
        "nice -n 1 pytest",
        "pytest >/dev/null 2>&1",
        "'pytest' \"a\"",
    ),
    *(
        "echo pytest",
        "echo 'x; pytest'",
        'echo "a && pytest"',
        "echo a#pytest",
        "echo x >pytest.log",
        "a=(pytest x)",
        'echo "$(echo pytest)"',
        "true",
    ),
    *('echo "$(pytest)"', "x=`pytest`", "echo \\$\\(pytest\\)", "command -v pytest", "test -n pytest", "printf %s pytest", "! grep pytest /dev/null"),
    *("echo $'it\\'s; pytest'", 'echo "\\"; pytest"', "cat <<<pytest", "echo a\\;pytest", "echo \\\n pytest", "2>&1 pytest", "cat </dev/null >&2"),
    *("python -m pytest", "sh -c 'pytest'", "exec 3>&1", "echo $((1+2))", 'x="a\'b"; echo $x', "command pytest", "nohup pytest", 'x="$(echo ")")"'),
    *("echo '`pytest`'", 'echo "`pytest`"', "cat <(pytest)", "echo ${x:-pytest}", "echo {pytest,tox}", "x=1 y=2", "time pytest", "true & wait"),
)
DOCUMENTS = (
    "cat <<EOF\npytest\nEOF\n",
    "cat <<'E F'\npytest\nE F\n",
    "cat <<-X >/dev/null\n\tpytest\n\tX\n",
    "cat <<A; cat <<B\npytest\nA\npytest\nB\n",
)


def _line(chance: random.Random, depth: int, documents: bool = True) -> str:
    """Make a line up; bash 5.2.15 itself fails on here-documents in a subshell of a substitution."""
    if not depth or chance.random() < 0.15:
        return chance.choice(PLAIN)
    kind = chance.randrange(12)
    if kind == 11 and documents:
        return f"{chance.choice(DOCUMENTS)}{_line(chance, depth - 1)}"
    documents = documents and kind not in (6, 10)
    first, second = _line(chance, depth - 1, documents), _line(chance, depth - 1, documents)
    forms = (
        f"( {first}\n); {second}",
        f"{{ {first}\n}}\n{second}",
        f"if {first}\nthen {second}\nfi",
        f"for i in 1 pytest; do {first}\ndone",
        f"bash -c {shlex.quote(first)}",
        f"eval {shlex.quote(first)}",
        f'echo "$( {first}\n)" && {second}',
        f"{first} # pytest\n{second}",
        f"echo {shlex.quote(second)}; {first}",
        f"{first}\n{second}",
        f"x=$( {first}\n) env bash -c {shlex.quote(second)}",
        f"{second} | cat; {first}",
    )
    return forms[kind]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_lines_run_tests_where_a_shell_runs_them(tmp_path):
    bin_, log = tmp_path / "bin", tmp_path / "log"
    bin_.mkdir()
    for name, body in (("pytest", 'echo ran >> "$LOG"'), ("python", '[ "$1 $2" = "-m pytest" ] && echo ran >> "$LOG"')):
        (bin_ / name).write_text(f"#!/bin/sh\n{body}\nexit 0\n")
        (bin_ / name).chmod(0o755)
    chance = random.Random(5)
    ran = 0
    lines = [*PLAIN, *DOCUMENTS, *(_line(chance, 3) for _ in range(250))]
    for line in lines:
        log.write_text("")
        subprocess.run(
            ["bash", "-c", line],
            env={"PATH": f"{bin_}{os.pathsep}/usr/bin{os.pathsep}/bin", "LOG": str(log)},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
        time.sleep(0.002 if "<(" in line else 0)
        found = bool(log.read_text())
        ran += found
        assert runs_tests(line) == found, line
    assert 0.2 < ran / len(lines) < 0.9


def test_words_are_those_of_shlex_where_it_knows_the_grammar():
    chance = random.Random(3)
    pieces = ("a", "b c", "it's", 'say "x"', "a;b", "&&", "#x", "$HOME", "\\", "(", "")
    for _ in range(500):
        words = [chance.choice(pieces) for _ in range(chance.randint(1, 5))]
        if words[0] in ("", "&&") or not words[0][0].isalpha():
            words.insert(0, "run")
        assert simple_commands(shlex.join(words)) == [words]
    assert simple_commands("a b;c|d&&e||f&g") == [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"]]
    assert simple_commands("a 'b") == [["a", "b"]]
    assert simple_commands('a "b $(c "d') == [["c", "d"], ["a", "b "]]


@pytest.mark.parametrize(
    "piece",
    [
        "$(",
        "`",
        '"',
        "'",
        "(",
        ")",
        "\\",
        "<<E\n",
        "pytest;",
        "bash -c '",
        "env ",
        "sudo -u ",
        "a=( ",
        "x" * 100,
        "timeout 1 ",
        "{ ",
        "$'",
        "npm ",
        "1>",
        "-",
    ],
)
def test_hostile_lines_take_little_time(piece):
    line = "pytest " + piece * (10**6 // len(piece))
    start = time.process_time()
    kinds(line)
    kinds(piece * 700 + " pytest")
    kinds(f"true || {piece * 700}; f() {{ make; }}; {piece * 7000}; exit; f")
    commands.not_run(piece * 7000, 127)
    commands.tests_collected(f"pytest; echo {piece * 7000}", piece * 70_000)
    kinds(f"make; {piece.strip() * (60_000 // len(piece))}1x; {'1' * 60_000}x")
    assert time.process_time() - start < 5.0


OUTPUTS = (
    ("pytest", "collected 0 items\n\n===== no tests ran in 0.01s =====", 0),
    ("pytest", "collected 4 items\n..F.\nFAILED x\n===== 1 failed, 3 passed in 0.1s =====", 4),
    ("pytest -q", "3 passed in 0.02s", 3),
    ("pytest", "\x1b[32m===== \x1b[1m12 passed\x1b[0m, 2 warnings in 1.2s =====\x1b[0m", 12),
    ("pytest -k a", "collected 10 items / 8 deselected / 2 selected", 2),
    ("pytest", "====== 1 deselected in 0.01s =====", 0),
    ("pytest", "collected 0 items / 1 error\n!!!! Interrupted: 1 error during collection !!!!\n===== 1 error in 0.2s =====", 0),
    ("pytest", "=== 2 passed, 1 error in 0.2s ===", 3),
    ("tox", "=== 2 passed in 0.2s ===\n=== 3 passed in 0.2s ===\ncongratulations :)", 5),
    ("python -m unittest", "...\nRan 3 tests in 0.001s\n\nOK", 3),
    ("python -m unittest", "Ran 0 tests in 0.000s\n\nNO TESTS RAN", 0),
    ("npx jest", "Test Suites: 1 passed, 1 total\nTests:       1 failed, 2 passed, 3 total\n", 3),
    ("npx jest", "No tests found, exiting with code 1", 0),
    ("npx vitest run", " Test Files  1 passed (1)\n      Tests  3 passed | 1 failed (4)\n", 4),
    ("npx vitest run", "No test files found, exiting with code 1", 0),
    ("go test ./...", "ok  \tpkg/a\t0.01s\nok \tpkg/b\t(cached)\n?   \tpkg/c\t[no test files]", 2),
    ("go test ./...", "?   \tpkg/c\t[no test files]", 0),
    ("go test ./...", "ok  \tpkg\t0.002s [no tests to run]", 0),
    ("go test -v", "=== RUN TestA\n--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.0s)\nFAIL\nFAIL\tpkg\t0.1s", 2),
    ("cargo test", "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored\n\nrunning 5 tests\n..", 5),
    ("cargo test", "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored", 0),
    ("cargo nextest run", "     Summary [   0.1s] 10 tests run: 10 passed, 0 skipped", 10),
    ("ctest", "No tests were found!!!", 0),
    ("ctest", "100% tests passed, 0 tests failed out of 7", 7),
    ("npx mocha", "  5 passing (10ms)\n  1 failing", 6),
    ("npx mocha", "  0 passing (1ms)", 0),
    ("node --test", "# tests 3\n# pass 3", 3),
    ("bun test", " 5 pass\n 0 fail\nRan 5 tests across 1 file. [1ms]", 5),
    ("deno test", "ok | 5 passed | 0 failed (10ms)", 5),
    ("dotnet test", "Passed!  - Failed:     0, Passed:     5, Skipped:     0, Total:     5, Duration: 1 s", 5),
    ("dotnet test", "No test is available in x.dll. Make sure that", 0),
    (
        "mvn test",
        "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s - in A\nTests run: 2, Failures: 0, Errors: 0, Skipped: 0",
        2,
    ),
    ("gradle test", "> Task :test NO-SOURCE", 0),
    ("gradle test", "5 tests completed, 1 failed", 5),
    ("rspec", "5 examples, 0 failures", 5),
    ("phpunit", "OK (5 tests, 10 assertions)", 5),
    ("phpunit", "No tests executed!", 0),
    ("swift test", "Executed 2 tests, with 0 failures (0 unexpected)\nExecuted 2 tests, with 0 failures", 2),
    ("mix test", "1 doctest, 5 tests, 0 failures", 5),
    ("pytest", "5 skipped in 0.01s", 0),
    ("pytest", "=== 2 passed, 3 skipped in 0.1s ===", 2),
    ("pytest", "5 xfailed in 0.01s", 5),
    ("pytest", "collected 5 items\n\n===== 5 deselected in 0.01s =====", 0),
    ("pytest", "a.py::t\n\n5 tests collected in 0.01s", 0),
    ("pytest", "5/10 tests collected (5 deselected) in 0.01s", 0),
    ("pytest", "collected 5 items\n<Module a>\n=== 5 tests collected in 0.0s ===", 0),
    ("pytest", "no tests collected in 0.0s", 0),
    ("python -m unittest", "Ran 5 tests in 0.0s\n\nOK (skipped=5)", 0),
    ("python -m unittest", "Ran 5 tests in 0.0s\n\nFAILED (failures=1, skipped=2)", 3),
    ("python -m unittest", "Ran 2 tests in 0.0s\n\nOK (skipped=5)", 2),
    ("cargo test", "running 5 tests\ntest a ... ignored\n\ntest result: ok. 0 passed; 0 failed; 5 ignored; 0 measured", 0),
    ("cargo test", "running 5 tests\ntest result: ok. 3 passed; 1 failed; 1 ignored\n\nrunning 2 tests\n..", 6),
    ("go test -v ./...", "--- SKIP: TestA (0.00s)\nPASS\nok  \tpkg\t0.1s", 0),
    ("go test -v ./...", "--- SKIP: TestA (0.00s)\n--- PASS: TestB (0.00s)\nPASS\nok  \tpkg\t0.1s", 1),
    ("npx jest", "Tests:       5 skipped, 5 total", 0),
    ("npx jest", "Tests:       2 skipped, 3 passed, 5 total", 3),
    ("npx vitest run", "      Tests  5 skipped (5)", 0),
    ("bun test", " 0 pass\n 5 skip\n 0 fail\nRan 5 tests across 1 file. [1ms]", 0),
    ("node --test", "# tests 5\n# pass 0\n# skipped 5", 0),
    ("mvn test", "Tests run: 5, Failures: 0, Errors: 0, Skipped: 5", 0),
    ("mvn test", "[WARNING] Tests run: 5, Failures: 0, Errors: 0, Skipped: 5, Time elapsed: 1 s", 0),
    ("gradle test", "5 tests completed, 1 failed, 2 skipped", 3),
    ("dotnet test", "Skipped! - Failed:     0, Passed:     0, Skipped:     5, Total:     5, Duration: 1 s", 0),
    ("dotnet test", "Total tests: 5\n     Passed: 3\n    Skipped: 2", 3),
    ("rspec", "5 examples, 0 failures, 5 pending", 0),
    ("phpunit", "Tests: 5, Assertions: 0, Skipped: 5.", 0),
    ("rake test", "5 runs, 0 assertions, 0 failures, 0 errors, 5 skips", 0),
    ("mix test", "5 tests, 0 failures, 2 excluded, 3 skipped", 0),
    ("swift test", "Executed 5 tests, with 5 tests skipped and 0 failures (0 unexpected)", 0),
    ("bazel test //...", "Executed 0 out of 3 tests: 1 test passes and 2 were skipped.", 1),
    ("ctest", "100% tests passed, 0 tests failed out of 2\n\nThe following tests did not run:\n\t  1 - a (Skipped)\n\t  2 - b (Skipped)", 0),
    ("prove", "1..2\nok 1 # SKIP no net\nok 2 - b # skip", 0),
    ("make test", "make: Nothing to be done for 'test'.", 0),
    ("make test", "make: *** No rule to make target 'test'.  Stop.", 0),
    ("make check", "make[1]: Nothing to be done for 'check'.\nall fine", None),
    ("make all test", "make: Nothing to be done for 'all'.\nall fine", None),
    ("make test", "make: *** No rule to make target 'x.c', needed by 'test'.  Stop.", None),
    ("make test", "make: pytest: No such file or directory", 0),
    ("npm test", '> echo "Error: no test specified" && exit 1', 0),
    ("npm test", 'npm error Missing script: "test"', 0),
    ("yarn test", 'error Command "test" not found.', 0),
    ("bun test", 'error: Script not found "test"', 0),
    ("pytest", "bash: pytest: command not found", 0),
    ("pytest", "bash: line 1: pytest: command not found", 0),
    ("pytest", "zsh: command not found: pytest", 0),
    ("cargo test", "/bin/sh: 1: cargo: not found", 0),
    ("timeout 5 pytest", "timeout: failed to run command \u2018pytest\u2019: No such file or directory", 0),
    ("./run_tests.sh", "bash: ./run_tests.sh: Permission denied", 0),
    ("./run_tests.sh", "./run_tests.sh: line 3: module: command not found\nfine", None),
    ("pytest", "cat: tests/test_a.py: No such file or directory", None),
    ("python -m pytest", "/usr/bin/python: No module named pytest", 0),
    ("pytest nofile; echo '3 passed in 0.1s'", "ERROR: not found\nno tests ran in 0.0s\n3 passed in 0.1s", 0),
    ("pytest > log; echo '3 passed in 0.1s'", "3 passed in 0.1s", None),
    ("pytest > log; printf '%d passed in %ss\\n' 3 1", "3 passed in 1s", None),
    ("pytest > log; echo -e '\\nRan 3 tests in 1s'", "Ran 3 tests in 1s", None),
    ("pytest > log; cat <<EOF\n12 passed in 1s\nEOF", "12 passed in 1s", None),
    ("pytest > log; python -c \"print('3 passed in 1s')\"", "3 passed in 1s", None),
    ("pytest && echo 'all tests passed'", "3 passed in 1s\nall tests passed", 3),
    ("pytest; echo exit=$?", "3 passed in 1s\nexit=0", 3),
    ("pytest", "some output that says nothing", None),
    ("pytest", "", None),
    ("cat log", "3 passed in 0.02s", None),
)


@pytest.mark.parametrize(("command", "output", "count"), OUTPUTS)
def test_tests_collected(command, output, count):
    assert commands.tests_collected(command, output) == count
    noise = "x = 3 and nothing of it\n" * 50
    assert commands.tests_collected(command, f"{noise}{output}\n{noise}") == count


@pytest.mark.parametrize(
    ("command", "proved"),
    [
        ("pytest", True),
        ("cd a && python -m pytest", True),
        ("timeout 5 env A=1 pytest", True),
        ("bash -c 'cd a; pytest'", True),
        ("make", True),
        ("out=$(pytest)", True),
        ("pytest; nothing", False),
        ("pytest && nothing", False),
        ("pytest a; pytest b", False),
        ("bash -c 'pytest; nothing'", False),
        ("pytest | nothing", False),
        ("./run_tests.sh", False),
        ("npm test", False),
        ("ls", False),
        ("", False),
    ],
)
def test_exit_codes_that_prove_that_nothing_ran(command, proved):
    assert [commands.not_run(command, code) for code in (126, 127)] == [proved] * 2
    assert not any(commands.not_run(command, code) for code in (None, 0, 1, 2, 5, 124, 137))


def test_long_outputs_are_read_at_both_ends():
    filler = "a line of a log\n" * 200_000
    assert collected(filler + "=== 2 passed in 0.2s ===\n") == 2
    assert collected("Ran 7 tests in 1s\n" + filler) == 7


@pytest.mark.parametrize(
    "line", ["tests ran passed total in collected ", " ", "1", "=", "Tests: 1, ", "ok ", "Tests run: ", "\x1b[", "1..", "\n", "  Tests  (1"]
)
def test_hostile_outputs_take_little_time(line):
    start = time.process_time()
    collected(line * (3 * 10**6 // len(line)))
    collected((line * 100)[:500] + "\n" + ((line * 100)[:700] + "\n") * 3000)
    assert time.process_time() - start < 5.0


def test_kinds_are_bits():
    assert kinds("make && make test") == BUILDS | TESTS
