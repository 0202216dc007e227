. "$(dirname "$0")/support.sh"

codecs="none gzip snappy lz4 zstd"

# Keys, values and headers, twice, so that the second batches have base offsets.
seq 1 500 | sed 's/.*/key-&:value-&/' >"$work/lines"

for codec in $codecs; do
    for acks in all 1; do
        produce -t "produce-$codec" -p 0 -z "$codec" -X acks=$acks -K: -H "codec=$codec" <"$work/lines"
    done

    found=$(consume -t "produce-$codec" -o beginning -f '%o %h %k:%s\n')
    same "the records with $codec" "$(cat "$work/lines" "$work/lines" | awk -v h="codec=$codec" '{ print NR - 1, h, $0 }')" "$found"
done

# Without an acknowledgement.
echo unacknowledged | produce -t produce-none -p 0 -X acks=0
until_true "the record without an acknowledgement" \
    sh -c 'kcat -C -b "$BOOTSTRAP" -q -e -t produce-none -o -1 2>/dev/null | grep -q unacknowledged'

# Keys choose the partition.
for _ in 1 2 3; do sed 's/:.*/:v/' "$work/lines" | produce -t $topic -K:; done
found=$(consume -t $topic -o beginning -f '%k %p\n' | sort -u)
same "one partition for a key" 500 "$(wc -l <<<"$found")"
same "all partitions" "0 1 2 3" "$(cut -d' ' -f2 <<<"$found" | sort -u | paste -sd' ')"

# Tombstones.
echo 'gone:' | produce -t tombstones -Z -K:
same "a tombstone" "gone -1" "$(consume -t tombstones -o beginning -f '%k %S\n')"

echo "5 codecs, 6502 records, keys, headers, tombstones"
