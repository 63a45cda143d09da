#!/usr/bin/env bash
# Installs the servers that the tests start, as far as they are missing: on Debian and its kin with apt-get, as root or
# through a sudo that asks nothing. Elsewhere one line says what is missing; the tests in want of it skip themselves.
# With CI=true a server that cannot be had is an error. The services that packages may start do not matter: every
# server of the tests has its own port, directory and process.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=()
installed() { # PROGRAM [FURTHER PLACE]…
    command -v "$1" >/dev/null && return
    local place
    for place in "${@:2}"; do
        test ! -x "$place" || return 0
    done
    return 1
}
installed postgres /usr/lib/postgresql/*/bin/postgres /usr/local/bin/postgres || packages+=(postgresql)
installed redis-server || packages+=(redis-server)
installed nginx /usr/sbin/nginx || packages+=(nginx)
installed haproxy /usr/sbin/haproxy || packages+=(haproxy)
installed chromium || packages+=(chromium fonts-dejavu-core)
installed npm || packages+=(npm)

give_up() {
    echo "Tests are skipped for want of: $1 ($2)" >&2
    test "${CI:-}" != true || exit 1
}

as_root=()
if test "$(id -u)" -ne 0; then
    as_root=(sudo -n)
fi

if test ${#packages[@]} -gt 0; then
    if ! command -v apt-get >/dev/null; then
        give_up "${packages[*]}" "no apt-get here: install them by hand"
    elif test ${#as_root[@]} -gt 0 && ! sudo -n true 2>/dev/null; then
        give_up "${packages[*]}" "to get them: sudo apt-get install ${packages[*]}"
    else
        echo "Installing for the tests: ${packages[*]}"
        apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
        "${apt[@]}" update </dev/null >/dev/null || give_up "${packages[*]}" "apt-get update failed"
        # One by one: what one distribution lacks must not keep the others away.
        for package in "${packages[@]}"; do
            "${apt[@]}" install -y --no-install-recommends "$package" </dev/null >/dev/null ||
                give_up "$package" "apt-get failed"
        done
    fi
fi

if ! command -v consul >/dev/null; then
    "${PYTHON:-python3}" -m tests.servers.debian_package consul >/dev/null || give_up consul "put it on PATH"
fi
if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null; then
    "${PYTHON:-python3}" -m tests.servers.debian_package prometheus >/dev/null || give_up prometheus "put it on PATH"
fi

"${PYTHON:-python3}" -m tests.servers.npm_package >/dev/null || give_up axe-core "npm did not get it"
"${PYTHON:-python3}" -m tests.integration.real_clients.node_clients >/dev/null || give_up openid-client "npm did not get it"
