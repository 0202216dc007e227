. "$(dirname "$0")/support.sh"

# member NAME STRATEGY: starts a member of the group, whose records go to $work/NAME and whose assignments to $work/NAME.log.
member() {
    kcat -b "$BOOTSTRAP" -G "group-$2" -u -f '%p %s\n' -X partition.assignment.strategy="$2" -X heartbeat.interval.ms=100 \
        -X auto.offset.reset=earliest -X topic.metadata.refresh.interval.ms=1000 $topic >"$work/$1" 2>"$work/$1.log" &
    eval "$1=$!"
}

# has NAME COUNT: whether a member has so many partitions by its last eager assignment.
has() { [ "$(grep assigned: "$work/$1.log" | tail -1 | grep -o "$topic \[[0-9]*\]" | sort -u | wc -l)" = "$2" ]; }
have() { has "$1" "$2" && has "$3" "$4"; }

# at_end NAME COUNT: whether a member has come to the end of so many partitions. librdkafka 2.0.2 looks for the start of a partition again, half
# a second later, if the partition was revoked before its leader was connected.
at_end() { [ "$(grep "Reached end" "$work/$1.log" | grep -o "\[[0-9]*\]" | sort -u | wc -l)" -ge "$2" ]; }

# have_read COUNT NAME...: whether members have read so many records.
have_read() {
    local count=$1
    shift
    [ "$(cd "$work" && cat "$@" | wc -l)" -ge "$count" ]
}

fill() { for partition in 0 1 2 3; do seq 1 25 | sed "s/^/$1-/" | produce -t $topic -p $partition; done; }
written() { for partition in 0 1 2 3; do seq 1 25 | sed "s/^/$partition $1-/"; done | sort; }

for strategy in range roundrobin; do
    member first_$strategy $strategy
    until_true "the first to have everything" has first_$strategy 4
    until_true "the first to read everything" at_end first_$strategy 4
    member second_$strategy $strategy
    until_true "both to have a half" have first_$strategy 2 second_$strategy 2
    until_true "the second to read its half" at_end second_$strategy 2
    fill $strategy-a
    until_true "100 records" have_read 100 first_$strategy second_$strategy
    same "each record once" "$(written $strategy-a)" "$(cd "$work" && cat first_$strategy second_$strategy | grep "$strategy-a" | sort)"
    same "a half each" "50 50" "$(cd "$work" && grep -c "$strategy-a" first_$strategy) $(cd "$work" && grep -c "$strategy-a" second_$strategy)"

    # One leaves, and commits its position: the other gets its partitions and reads on.
    kill -TERM $((second_$strategy))
    wait $((second_$strategy)) || true
    until_true "the first to have everything again" has first_$strategy 4
    fill $strategy-b
    until_true "100 more records" have_read 150 first_$strategy
    same "each new record once" "$(written $strategy-b)" "$(grep "$strategy-b" "$work/first_$strategy" | sort)"
    kill -TERM $((first_$strategy))
    wait $((first_$strategy)) || true

    # A new member resumes, and reads to the end.
    fill $strategy-c
    found=$(kcat -b "$BOOTSTRAP" -G "group-$strategy" -q -e -f '%p %s\n' -X partition.assignment.strategy=$strategy \
        -X auto.offset.reset=earliest $topic)
    same "resumed at the committed offsets" "$(written $strategy-c)" "$(sort <<<"$found")"

    # The group of the next strategy begins at the end.
    kcat -b "$BOOTSTRAP" -G "group-roundrobin" -q -e -X auto.offset.reset=earliest $topic >/dev/null
done

echo "2 strategies, 600 records, 2 members, 3 generations, resumed"
