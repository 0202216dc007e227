# Used by the scripts of kcat. A script ends with exit code 0 if all its checks hold. The cluster is new, and has the topic `orders` with four
# partitions. The last line of the output says what was checked.
set -euo pipefail

topic=orders
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# same WHAT EXPECTED ACTUAL: compares two texts.
same() {
    [ "$2" = "$3" ] || {
        diff <(echo "$2") <(echo "$3") | head -20 >&2 || true
        fail "different: $1"
    }
}

# contains WHAT PATTERN TEXT
contains() { grep -Eq "$2" <<<"$3" || fail "$1: no '$2' in: $3"; }

# until_true WHAT COMMAND...: waits until the command succeeds.
until_true() {
    local what=$1
    shift

    for _ in $(seq 400); do
        if "$@"; then return; fi
        sleep 0.05
    done

    fail "waited in vain for $what"
}

produce() { kcat -P -b "$BOOTSTRAP" "$@"; }

# Reads to the end of the partitions.
consume() { kcat -C -b "$BOOTSTRAP" -q -e "$@"; }
