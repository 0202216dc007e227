. "$(dirname "$0")/support.sh"

for partition in 0 1 2 3; do seq 1 50 | sed "s/.*/$partition-&/" | produce -t $topic -p $partition; done

same "everything" "$(for p in 0 1 2 3; do seq 1 50 | sed "s/.*/$p-&/"; done | sort)" "$(consume -t $topic -o beginning | sort)"
same "one partition" "$(seq 1 50 | sed 's/^/2-/')" "$(consume -t $topic -p 2 -o beginning)"
same "from an offset on" "$(seq 41 50 | sed 's/^/1-/')" "$(consume -t $topic -p 1 -o 40)"
same "the last five" "$(seq 46 50 | sed 's/^/3-/')" "$(consume -t $topic -p 3 -o -5)"
same "a number of records" "$(seq 1 7 | sed 's/^/0-/')" "$(consume -t $topic -p 0 -o beginning -c 7)"
same "a range of offsets" "$(seq 11 20 | sed 's/^/0-/')" "$(consume -t $topic -p 0 -o 10 -c 10)"

# By timestamp.
sleep 0.05
middle=$(date +%s%3N)
sleep 0.05
seq 1 3 | sed 's/^/late-/' | produce -t $topic -p 0
same "since a time" "$(seq 1 3 | sed 's/^/late-/')" "$(consume -t $topic -p 0 -o "s@$middle")"
contains "the offset of a time" "$topic \[0\] offset 50" "$(kcat -Q -b "$BOOTSTRAP" -t "$topic:0:$middle")"

# A consumer waits for records that are not there yet.
kcat -C -b "$BOOTSTRAP" -q -u -t $topic -p 3 -o end -c 1 >"$work/waiting" &
waiting=$!
sleep 1
echo awaited | produce -t $topic -p 3
wait $waiting
same "an awaited record" awaited "$(cat "$work/waiting")"

# Records that are larger than a fetch.
for digit in 1 2 3; do head -c 300000 /dev/zero | tr '\0' $digit | produce -t large -p 0; done
sizes=$(consume -t large -o beginning -X fetch.message.max.bytes=1000 -f '%S\n' | paste -sd' ')
same "large records" "300000 300000 300000" "$sizes"

echo "204 records, offsets, timestamps, waiting, large records"
