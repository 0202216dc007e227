namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// What the leader of a group gives a consumer, behind two bytes with the version: an assignment in SyncGroup. The versions are all the
/// same; a reader takes one that is too new for it as its highest.
module ConsumerProtocolAssignment =

    type Assignment =
        {
            AssignedPartitions: ConsumerTopicPartitions list
            /// What the assignor adds for itself; null for nothing.
            UserData: Bytes option
        }

    let schema = message {
        let! partitions = field "AssignedPartitions" _.AssignedPartitions (array ConsumerTopicPartitions.schema)
        and! userData = field "UserData" _.UserData (bytes |> nullable |> withDefault None)
        return { AssignedPartitions = partitions; UserData = userData }
    }

    let message: Message<Assignment> =
        { Name = "ConsumerProtocolAssignment"; Versions = { Lowest = 0s; Highest = 3s }; FlexibleSince = None; Schema = schema }
