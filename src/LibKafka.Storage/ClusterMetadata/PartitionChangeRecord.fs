namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol
open LibKafka.Protocol.Types

/// PartitionChangeRecord (type 5 of the metadata log): fields of a partition have changed (KIP-631). A field that has not changed is left
/// out.
module PartitionChangeRecord =

    type Value =
        {
            PartitionId: int32
            TopicId: Guid
            /// The in-sync replicas; null if unchanged.
            Isr: int32 list option
            /// The broker id of the leader; -1 for none, -2 if unchanged.
            Leader: int32
            /// The replicas; null if unchanged.
            Replicas: int32 list option
            /// The replicas that a reassignment removes; null if unchanged.
            RemovingReplicas: int32 list option
            /// The replicas that a reassignment adds; null if unchanged.
            AddingReplicas: int32 list option
            /// -1 if unchanged.
            LeaderRecoveryState: LeaderRecoveryState
            /// The replicas outside the ISR that have all acknowledged records; null if unchanged (KIP-966). Since version 2.
            EligibleLeaderReplicas: int32 list option
            /// The last known eligible leader replicas; null if unchanged (KIP-966). Since version 2.
            LastKnownElr: int32 list option
            /// The log directory of each replica; null if unchanged. Since version 1.
            Directories: Guid list option
        }

    let schema = message {
        let! partitionId = field "PartitionId" _.PartitionId (int32 |> withDefault -1)
        and! topicId = field "TopicId" _.TopicId uuid
        and! isr = field "Isr" _.Isr (array int32 |> nullable |> withDefault None |> tagged 0)
        and! leader = field "Leader" _.Leader (int32 |> withDefault -2 |> tagged 1)
        and! replicas = field "Replicas" _.Replicas (array int32 |> nullable |> withDefault None |> tagged 2)
        and! removingReplicas = field "RemovingReplicas" _.RemovingReplicas (array int32 |> nullable |> withDefault None |> tagged 3)
        and! addingReplicas = field "AddingReplicas" _.AddingReplicas (array int32 |> nullable |> withDefault None |> tagged 4)
        and! leaderRecoveryState =
            field
                "LeaderRecoveryState"
                _.LeaderRecoveryState
                (leaderRecoveryState |> withDefault (LanguagePrimitives.EnumOfValue -1y) |> tagged 5)
        and! eligibleLeaderReplicas =
            field "EligibleLeaderReplicas" _.EligibleLeaderReplicas (array int32 |> nullable |> since 2s None |> tagged 6)
        and! lastKnownElr = field "LastKnownElr" _.LastKnownElr (array int32 |> nullable |> since 2s None |> tagged 7)
        and! directories = field "Directories" _.Directories (array uuid |> nullable |> since 1s None |> tagged 8)

        return
            { PartitionId = partitionId
              TopicId = topicId
              Isr = isr
              Leader = leader
              Replicas = replicas
              RemovingReplicas = removingReplicas
              AddingReplicas = addingReplicas
              LeaderRecoveryState = leaderRecoveryState
              EligibleLeaderReplicas = eligibleLeaderReplicas
              LastKnownElr = lastKnownElr
              Directories = directories }
    }

    let message: Message<Value> = Message.define "PartitionChangeRecord" (versions 0 2 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
