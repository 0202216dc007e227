namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol
open LibKafka.Protocol.Types

/// PartitionRecord (type 3 of the metadata log): a partition with its whole state (KIP-631).
module PartitionRecord =

    type Value =
        {
            PartitionId: int32
            TopicId: Guid
            Replicas: int32 list
            /// The in-sync replicas.
            Isr: int32 list
            /// The replicas that a reassignment removes.
            RemovingReplicas: int32 list
            /// The replicas that a reassignment adds.
            AddingReplicas: int32 list
            /// The broker id of the leader; -1 for none.
            Leader: int32
            /// The leader epoch, which increases with each election.
            LeaderEpoch: int32
            /// The partition epoch, which increases with each change.
            PartitionEpoch: int32
            /// The log directory of each replica. Since version 1.
            Directories: Guid list
            LeaderRecoveryState: LeaderRecoveryState
            /// The replicas outside the ISR that have all acknowledged records; null for none (KIP-966). Since version 2.
            EligibleLeaderReplicas: int32 list option
            /// The last known eligible leader replicas; null for none (KIP-966). Since version 2.
            LastKnownElr: int32 list option
        }

    let schema = message {
        let! partitionId = field "PartitionId" _.PartitionId (int32 |> withDefault -1)
        and! topicId = field "TopicId" _.TopicId uuid
        and! replicas = field "Replicas" _.Replicas (array int32)
        and! isr = field "Isr" _.Isr (array int32)
        and! removingReplicas = field "RemovingReplicas" _.RemovingReplicas (array int32)
        and! addingReplicas = field "AddingReplicas" _.AddingReplicas (array int32)
        and! leader = field "Leader" _.Leader (int32 |> withDefault -1)
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> withDefault -1)
        and! partitionEpoch = field "PartitionEpoch" _.PartitionEpoch (int32 |> withDefault -1)
        and! directories = field "Directories" _.Directories (array uuid |> since 1s [])
        and! leaderRecoveryState = field "LeaderRecoveryState" _.LeaderRecoveryState (leaderRecoveryState |> tagged 0)
        and! eligibleLeaderReplicas =
            field "EligibleLeaderReplicas" _.EligibleLeaderReplicas (array int32 |> nullable |> since 2s None |> tagged 1)
        and! lastKnownElr = field "LastKnownElr" _.LastKnownElr (array int32 |> nullable |> since 2s None |> tagged 2)

        return
            { PartitionId = partitionId
              TopicId = topicId
              Replicas = replicas
              Isr = isr
              RemovingReplicas = removingReplicas
              AddingReplicas = addingReplicas
              Leader = leader
              LeaderEpoch = leaderEpoch
              PartitionEpoch = partitionEpoch
              Directories = directories
              LeaderRecoveryState = leaderRecoveryState
              EligibleLeaderReplicas = eligibleLeaderReplicas
              LastKnownElr = lastKnownElr }
    }

    let message: Message<Value> = Message.define "PartitionRecord" (versions 0 2 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
