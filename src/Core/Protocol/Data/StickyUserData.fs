namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The user data that a member with the Java client's sticky assignor adds to its subscription (KIP-54): its partitions after the last
/// rebalance. The bytes do not contain their version.
module StickyUserData =

    type UserData =
        {
            /// The member's partitions after the last rebalance.
            Previous: ConsumerTopicPartitions list
            /// The generation of `Previous`, since version 1; -1 if it is unknown, as with clients before Kafka 2.2.
            Generation: int32
        }

    let schema = message {
        let! previous = field "PreviousAssignment" _.Previous (array ConsumerTopicPartitions.schema)
        and! generation = field "Generation" _.Generation (int32 |> since 1s -1 |> ignorable)
        return { Previous = previous; Generation = generation }
    }

    let message: Message<UserData> = Message.define "StickyUserData" (versions 0 1) schema

    type UserData with
        override this.ToString() = Message.show message this
