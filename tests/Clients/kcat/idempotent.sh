. "$(dirname "$0")/support.sh"

# Many small batches, up to five in flight.
for partition in 0 1 2 3; do
    seq 1 2000 | produce -t $topic -p $partition -X enable.idempotence=true -X batch.num.messages=20 -X linger.ms=0
    same "once and in order" "$(seq 1 2000)" "$(consume -t $topic -p $partition -o beginning)"
done

# A second producer has an id of its own.
seq 2001 2100 | produce -t $topic -p 0 -X enable.idempotence=true
same "after the first producer" "$(seq 1 2100)" "$(consume -t $topic -p 0 -o beginning)"

echo "5 producers, 8100 records, once and in order"
