namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterPartition (API key 56): changes the in-sync replicas of a partition (KIP-497). The leader of the partition sends it to the
/// controller; clients do not use it.
module AlterPartition =

    /// An in-sync replica, and the registration of its broker (KIP-903).
    type Replica =
        {
            BrokerId: int32
            /// The epoch of the broker's registration, so that a broker that has restarted is not added to the ISR; -1 to skip the check.
            BrokerEpoch: int64
        }

    let replica = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        return { BrokerId = broker; BrokerEpoch = epoch }
    }

    /// The change to one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The epoch in which the sender leads.
            LeaderEpoch: int32
            /// The new ISR: the ids of the brokers, the leader included. Version 2 only.
            NewIsr: int32 list
            /// The new ISR: the brokers with their epochs, the leader included. Since version 3 (KIP-903).
            NewIsrWithEpochs: Replica list
            /// Only a leader that is alone in the ISR can be recovering. A recovered leader cannot go back to recovering (KIP-704).
            LeaderRecoveryState: LeaderRecoveryState
            /// The partition epoch that the leader knows. The change is refused if it is not the current one.
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

    /// The changes to the partitions of one topic.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId (uuid |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The id of the leader.
            BrokerId: int32
            /// The epoch of the leader's registration; -1 if unknown.
            BrokerEpoch: int64
            Topics: TopicRequest list
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return { BrokerId = broker; BrokerEpoch = epoch; Topics = topics }
    }

    /// The current state of one partition. On error only the index and the error are set.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// FENCED_LEADER_EPOCH if another leader was elected; INVALID_UPDATE_VERSION if the partition has changed since;
            /// INELIGIBLE_REPLICA if a broker of the new ISR is fenced, shutting down or has restarted; NEW_LEADER_ELECTED if the change
            /// completed a reassignment and the sender no longer leads; NOT_CONTROLLER if the receiver is no longer the active controller;
            /// INVALID_REQUEST if the sender does not lead the partition; UNKNOWN_TOPIC_ID; UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            /// The broker id of the leader.
            LeaderId: int32
            /// The epoch of the leader.
            LeaderEpoch: int32
            /// The ids of the in-sync brokers.
            Isr: int32 list
            LeaderRecoveryState: LeaderRecoveryState
            /// The partition epoch to send with the next change.
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

    /// The current state of the partitions of one topic.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId (uuid |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: STALE_BROKER_EPOCH if the broker has registered again since; NOT_CONTROLLER if another node
            /// is the active controller; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Error = error; Topics = topics }
    }

    let api =
        Api.define ApiKey.AlterPartition (versions 2 3 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Replica with
        override this.ToString() = Schema.show replica this
    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
