namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The assignment that the group leader sends to a consumer in SyncGroup, after a two-byte version. All versions are equal. A reader
/// decodes a version that it does not know as its highest.
module ConsumerProtocolAssignment =

    type Assignment =
        {
            AssignedPartitions: ConsumerTopicPartitions list
            /// Data of the assignor; null for none.
            UserData: Bytes option
        }

    let schema = message {
        let! partitions = field "AssignedPartitions" _.AssignedPartitions (array ConsumerTopicPartitions.schema)
        and! userData = field "UserData" _.UserData (bytes |> nullable |> withDefault None)
        return { AssignedPartitions = partitions; UserData = userData }
    }

    let message: Message<Assignment> = Message.define "ConsumerProtocolAssignment" (versions 0 3) schema

    type Assignment with
        override this.ToString() = Message.show message this
