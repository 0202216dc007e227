namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterPartition (API key 56): change which replicas of a partition are in sync (KIP-497). It goes from the partition's leader to the
/// controller.
module AlterPartition =

    /// A replica that is in sync, and the registration of its broker that the leader means (KIP-903).
    type Replica =
        {
            BrokerId: int32
            /// The epoch of the broker's registration, so that one which restarted meanwhile is not taken for in sync; -1 to leave it
            /// unchecked.
            BrokerEpoch: int64
        }

    let replica = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        return { BrokerId = broker; BrokerEpoch = epoch }
    }

    /// What to change in one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The epoch in which the sender leads.
            LeaderEpoch: int32
            /// The brokers in sync from now on, the leader among them, up to version 2.
            NewIsr: int32 list
            /// The same from version 3 on.
            NewIsrWithEpochs: Replica list
            /// Only a leader alone in sync can be recovering, and once recovered it stays so (KIP-704).
            LeaderRecoveryState: LeaderRecoveryState
            /// How often the partition has changed, as far as the leader knows. The change is made only if it still is so.
            PartitionEpoch: int32
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! isr = field "NewIsr" _.NewIsr (array int32 |> until 2s [])
        and! isrWithEpochs = field "NewIsrWithEpochs" _.NewIsrWithEpochs (array replica |> since 3s [])
        and! recovery = field "LeaderRecoveryState" _.LeaderRecoveryState leaderRecoveryState
        and! partitionEpoch = field "PartitionEpoch" _.PartitionEpoch int32

        return
            { PartitionIndex = partition
              LeaderEpoch = leaderEpoch
              NewIsr = isr
              NewIsrWithEpochs = isrWithEpochs
              LeaderRecoveryState = recovery
              PartitionEpoch = partitionEpoch }
    }

    /// What to change in the partitions of one topic.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId (uuid |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The broker that asks.
            BrokerId: int32
            /// The epoch of its registration.
            BrokerEpoch: int64
            Topics: TopicRequest list
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return { BrokerId = broker; BrokerEpoch = epoch; Topics = topics }
    }

    /// One partition as it is now. On error only the index and the error count.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// FENCED_LEADER_EPOCH when another leader has been elected; INVALID_UPDATE_VERSION when the partition has changed meanwhile;
            /// INELIGIBLE_REPLICA when a broker said to be in sync is fenced, shutting down or restarted; NEW_LEADER_ELECTED when the
            /// change ended a reassignment and with it the sender's leadership; NOT_CONTROLLER when the controller knows less than the
            /// sender, and so is an old one; INVALID_REQUEST when the sender does not lead; UNKNOWN_TOPIC_ID; UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            LeaderId: int32
            LeaderEpoch: int32
            /// The brokers in sync.
            Isr: int32 list
            LeaderRecoveryState: LeaderRecoveryState
            /// To be sent with the next change.
            PartitionEpoch: int32
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! leader = field "LeaderId" _.LeaderId int32
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! isr = field "Isr" _.Isr (array int32)
        and! recovery = field "LeaderRecoveryState" _.LeaderRecoveryState (leaderRecoveryState |> ignorable)
        and! partitionEpoch = field "PartitionEpoch" _.PartitionEpoch int32

        return
            { PartitionIndex = partition
              Error = error
              LeaderId = leader
              LeaderEpoch = leaderEpoch
              Isr = isr
              LeaderRecoveryState = recovery
              PartitionEpoch = partitionEpoch }
    }

    /// The partitions of one topic as they are now.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId (uuid |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the broker is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: STALE_BROKER_EPOCH when the broker has registered anew since; NOT_CONTROLLER when to
            /// ask elsewhere; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Error = error; Topics = topics }
    }

    let api = Api.define ApiKey.AlterPartition 2s 3s (Some 0s) request response
