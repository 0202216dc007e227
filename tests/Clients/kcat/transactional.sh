. "$(dirname "$0")/support.sh"

read_committed() { consume -t $topic -p 0 -o beginning -X isolation.level=read_committed; }
read_uncommitted() { consume -t $topic -p 0 -o beginning -X isolation.level=read_uncommitted; }

# Two transactions, one after the other.
for number in 1 2; do seq 1 100 | sed "s/^/$number-/" | produce -t $topic -p 0 -X transactional.id=judge; done
committed=$(for number in 1 2; do seq 1 100 | sed "s/^/$number-/"; done)
same "committed" "$committed" "$(read_committed)"

# One that is open: its records are not delivered. kcat reads its input in large pieces.
mkfifo "$work/input"
produce -t $topic -p 0 -X transactional.id=judge -X linger.ms=0 <"$work/input" 2>"$work/log" &
producer=$!
exec 9>"$work/input"
seq 1 10000 | sed 's/^/open-/' >&9
uncommitted() { read_uncommitted | grep -x open-1 >/dev/null; }
until_true "the records of the open transaction" uncommitted
same "not committed yet" "$committed" "$(read_committed)"

# The same transactional id again: the open transaction is aborted, and its producer is fenced.
echo newer | produce -t $topic -p 0 -X transactional.id=judge
exec 9>&-
if wait $producer; then fail "the older producer was not fenced"; fi
contains "the older producer is fenced" "[Ff]enced|FENCED" "$(cat "$work/log")"
same "the open transaction was aborted" "$committed"$'\n'"newer" "$(read_committed)"
contains "it is in the log" open-1 "$(read_uncommitted)"

echo "4 transactions, isolation, fencing"
