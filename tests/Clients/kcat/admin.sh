. "$(dirname "$0")/support.sh"

# The cluster and its topics.
listing=$(kcat -L -b "$BOOTSTRAP")
contains "the brokers" "^ 3 brokers:" "$listing"
for id in 1 2 3; do contains "broker $id" "broker $id at 127.0.0.1:" "$listing"; done
contains "the controller" "\(controller\)" "$listing"
contains "the topics" "topic \"$topic\" with 4 partitions:" "$listing"
for partition in 0 1 2 3; do contains "partition $partition" "partition $partition, leader [123], replicas: [123], isrs: [123]" "$listing"; done

# One topic, as JSON.
json=$(kcat -L -J -b "$BOOTSTRAP" -t $topic)
contains "the topic as JSON" "\"topic\":\"$topic\"" "$json"
same "its partitions as JSON" 4 "$(grep -o '"partition":[0-9]*' <<<"$json" | sort -u | wc -l)"

# A topic is created when a producer first names it.
echo new | produce -t created
contains "the new topic" "topic \"created\" with 1 partitions:" "$(kcat -L -b "$BOOTSTRAP")"

# A consumer does not create it.
contains "an unknown topic" "Unknown topic or partition" "$(consume -t unknown -o beginning 2>&1 || true)"

# Each broker knows all of it.
for broker in ${BOOTSTRAP//,/ }; do
    same "the listing of $broker" "$(kcat -L -J -b "$broker" | grep -o '"topics":.*')" "$(kcat -L -J -b "$BOOTSTRAP" | grep -o '"topics":.*')"
done

# The offsets of partitions.
seq 1 10 | produce -t $topic -p 2
offsets=$(kcat -Q -b "$BOOTSTRAP" -t $topic:2:-1 -t $topic:2:-2 -t $topic:1:-1 | sort)
contains "the end" "$topic \[2\] offset 10" "$(kcat -Q -b "$BOOTSTRAP" -t $topic:2:-1)"
contains "the start" "$topic \[2\] offset 0" "$(kcat -Q -b "$BOOTSTRAP" -t $topic:2:-2)"
contains "an empty partition" "$topic \[1\] offset 0" "$(kcat -Q -b "$BOOTSTRAP" -t $topic:1:-1)"

echo "brokers, topics, partitions, creation, offsets"
