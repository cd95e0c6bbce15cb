# Every check and build of the project is one of these verbs; CI calls the same ones.

# Install everything into the active environment, editable.
setup:
    pip install -e '.[platform,test,dev]'

# Format all code.
fmt:
    cargo fmt --all
    ruff format
    ruff check --fix

# All style gates.
lint: lint-rust lint-python lint-workflows

lint-rust:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    if command -v cargo-deny >/dev/null; then cargo deny --offline check bans licenses sources; else echo "cargo-deny is not installed: skipped"; fi

lint-python:
    ruff format --check
    ruff check
    mypy
    lint-imports
    python -m mypy.stubtest synthesis._core --mypy-config-file pyproject.toml

# actionlint from the path, else built from its Go module, else skipped with a word.
lint-workflows:
    if command -v actionlint >/dev/null; then actionlint; elif command -v go >/dev/null; then go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12; else echo "actionlint is not installed: skipped"; fi

# All tests: the crates', then the package's.
test: test-rust
    pytest

test-rust:
    cargo test --workspace --locked

# Measure against the peers; prints Markdown tables.
bench: bench-transfer bench-exr

# Downloads beside other downloaders, over loopback and over a made round trip, e.g. `just bench-transfer --quick`.
bench-transfer *options:
    python tests/bench/transfer {{options}}

# EXR work beside OpenEXR, OpenImageIO, OpenCV and tifffile, e.g. `just bench-exr --size 512 --kinds noisy`.
bench-exr *options:
    python tests/bench/exr {{options}}

# Every downloader before every fault, e.g. `just bench-faults --cases stall --tools synthesis,curl`.
bench-faults *options:
    python tests/bench/faults.py {{options}}

# Throw bytes at one reader for some time (nightly and cargo-fuzz), e.g. `just fuzz lines 60`; what it finds goes to rust/fuzz/findings.
fuzz target seconds="60":
    python rust/fuzz/seeds.py
    cd rust/fuzz && ASAN_OPTIONS=detect_odr_violation=0 cargo +nightly fuzz run --fuzz-dir . {{target}} corpus/{{target}} -- -max_total_time={{seconds}} -timeout=10 -rss_limit_mb=2048

# A wheel for this machine and the source archive, in dist/.
build:
    maturin build --release --locked --out dist
    maturin sdist --out dist

# A portable Linux wheel by the zig linker, e.g. `just wheel x86_64-unknown-linux-gnu manylinux_2_17`.
wheel target compatibility:
    maturin build --release --locked --out dist --zig --target {{target}} --compatibility {{compatibility}}

# Install the wheel of dist/ into the active environment and see it work.
smoke:
    pip install --no-index --find-links dist --no-deps --force-reinstall synthesis-cli
    pip install orjson platformdirs pydantic rich typer zstandard
    synthesis --version
    python -c "import synthesis._core as core; print(core.error_kinds())"

# Fail unless TAG, the version in Cargo.toml and the newest entry of the changelog agree.
release-check tag:
    python .github/release_check.py {{tag}}

# Write docs/reference/cli.md anew from the help texts.
docs:
    python docs/reference/generate.py
