# The commands of a contributor; `just` alone lists them. Each is one line of cargo or a script, so that nobody needs just.

# List the commands
default:
    @{{just_executable()}} --list --unsorted

# Compile everything, tests and examples included
build:
    cargo build --workspace --all-targets --locked

# Everything that must hold before a change is merged; installs what is missing on Debian
test:
    scripts/test

# The tests over real sockets whose names contain NAME: `just one limits::`, `just one a_ban_by_another_process`
one NAME:
    cargo test --locked --test it {{NAME}}

# Format and lints
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Run the sample shop at http://127.0.0.1:3000; ARGS go to `serve`. The first start prints the passwords
demo *ARGS:
    cargo run --locked -- serve --demo {{ARGS}}

# Measure against the other servers: `just bench fanout memory`, `just bench all --quick`
bench *SUITES="list":
    cargo run --release --locked -p shopbell-bench -- {{SUITES}}

# Random input for the parsers, SECONDS each: `just fuzz 10 frame`
fuzz SECONDS="60" *TARGETS:
    scripts/fuzz {{SECONDS}} {{TARGETS}}

# The documentation of the crate
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# The types of the browser's modules, their unit tests, and the official Socket.IO clients and a headless browser against
# a debug build; needs `npm ci` in tests/clients
clients:
    cargo build --locked
    cd tests/clients && npm test

# The program as it is shipped: target/release/shopbell
release:
    cargo build --release --locked

# The Debian package: target/debian/shopbell_….deb
package:
    scripts/package
