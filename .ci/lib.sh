# shellcheck shell=bash
# Sourced by the scripts beside it: goes to the repository's root and holds what
# they share. Nothing happens here otherwise.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# The library and the examples are two modules; the workspace names both at once.
export GOWORK=$PWD/go.work
packages=(./... ./examples/...)

script=.ci/$(basename "$0")
current=start
trap finish EXIT

# finish says in one line how the script ended, and where.
finish() {
	local status=$?
	if [ "$status" -eq 0 ]; then
		printf '\n%s: passed in %ds\n' "$script" "$SECONDS"
	else
		printf '\n%s: FAILED in the step "%s" after %ds\n' "$script" "$current" "$SECONDS"
	fi
	exit "$status"
}

# step NAME COMMAND...: runs the command under a heading, and tells its time.
step() {
	current=$1
	shift
	local began=$SECONDS
	printf '\n=== %s\n' "$current"
	"$@"
	printf -- '--- %s: %ds\n' "$current" $((SECONDS - began))
}

# need COMMAND PACKAGE...: where the command is missing, installs Debian's
# packages for it, or, on another system, says what to install.
need() {
	local command=$1
	shift
	if command -v "$command" >/dev/null; then
		return
	fi
	if ! command -v apt-get >/dev/null; then
		echo "$command is missing: install it (on Debian: apt-get install $*)" >&2
		return 1
	fi
	install "$@"
}

# need_server PROGRAM PACKAGE...: the same for a server, of which Debian keeps the
# programs out of PATH. Tests start their own, so that none is started here; on
# another system they find it in more places, or say what to install.
need_server() {
	local program=$1 policy=/usr/sbin/policy-rc.d
	shift
	if compgen -G "/usr/lib/postgresql/*/bin/$program" >/dev/null || [ -x "/usr/sbin/$program" ] ||
		! command -v apt-get >/dev/null; then
		return
	fi
	if [ -e "$policy" ]; then
		install "$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
	install "$@" || { as_root rm "$policy" && return 1; }
	as_root rm "$policy"
}

# install PACKAGE...: Debian's.
install() {
	echo "installing $*"
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# need_go: Go comes from its own site; what Debian has is often too old.
need_go() {
	if ! command -v go >/dev/null; then
		echo "go is missing: install the version that go.mod names, or a later one, from https://go.dev/dl" >&2
		return 1
	fi
	go version
}

# The container engine that tests use.
engine=${TRUEUP_TEST_DOCKER:-unix:///var/run/docker.sock}

# engine_answers tells whether there is one.
engine_answers() {
	docker --host "$engine" version >/dev/null 2>&1
}

# fuzz SECONDS: every fuzz target of both modules for that long.
fuzz() {
	local targets package name
	targets=$(go test -list '^Fuzz' "${packages[@]}" |
		awk '/^Fuzz/ { names[n++] = $1 } $1 == "ok" { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')
	while read -r package name; do
		if [ -n "$name" ]; then
			fuzz_one "$1" "$package" "$name"
		fi
	done <<<"$targets"
}

# fuzz_one SECONDS PACKAGE NAME: one fuzz target. Now and then Go reports the
# end of the time itself as the failure (golang/go#75804): without an input that
# failed, and with nothing else said, that is none.
fuzz_one() {
	local output status=0
	echo "$3"
	# Minimising an input is bounded: it would take the whole time.
	output=$(go test -run '^$' -fuzz "^$3\$" -fuzztime "$1s" -fuzzminimizetime 5x "$2" </dev/null 2>&1) || status=$?
	printf '%s\n' "$output"
	if [ "$status" -ne 0 ] && ! grep -q 'Failing input' <<<"$output" &&
		grep -A1 -- "^--- FAIL: $3 " <<<"$output" | grep -qx '    context deadline exceeded'; then
		return
	fi
	return "$status"
}

# corpus DIR: the tests that read real configuration, over that directory. They
# are the packages whose test files ask for TRUEUP_CORPUS; everywhere else they
# run over the package's own testdata. The long loops in them have run already.
corpus() {
	local dirs
	dirs=$(grep -rl --include='*_test.go' TRUEUP_CORPUS . | xargs -r dirname | sort -u)
	if [ -z "$dirs" ]; then
		echo "no test reads the corpus yet"
		return
	fi
	# shellcheck disable=SC2086 # one argument a directory; names of packages hold no spaces
	TRUEUP_CORPUS=$1 TRUEUP_SOAK=1 go test $dirs
}
