namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The subscription of a consumer: the metadata of a protocol in JoinGroup, after a two-byte version. A reader decodes a version that it
/// does not know as its highest, because fields are only added.
module ConsumerProtocolSubscription =

    type Subscription =
        {
            Topics: string list
            /// Data of the assignor; null for none.
            UserData: Bytes option
            /// The partitions that the member owned in the previous generation, for sticky and cooperative assignors. Since version 1
            /// (KIP-429).
            OwnedPartitions: ConsumerTopicPartitions list
            /// The generation of `OwnedPartitions`, so that an outdated claim can be detected; -1 if unknown. Since version 2 (KIP-792).
            GenerationId: int32
            /// The rack of the consumer, for rack-aware assignors; null for none. Since version 3 (KIP-881).
            RackId: string option
        }

    let schema = message {
        let! topics = field "Topics" _.Topics (array string)
        and! userData = field "UserData" _.UserData (bytes |> nullable |> withDefault None)
        and! owned = field "OwnedPartitions" _.OwnedPartitions (array ConsumerTopicPartitions.schema |> since 1s [] |> ignorable)
        and! generation = field "GenerationId" _.GenerationId (int32 |> since 2s -1 |> ignorable)
        and! rack = field "RackId" _.RackId (string |> nullable |> since 3s None |> ignorable)

        return { Topics = topics; UserData = userData; OwnedPartitions = owned; GenerationId = generation; RackId = rack }
    }

    let message: Message<Subscription> = Message.define "ConsumerProtocolSubscription" (versions 0 3) schema

    type Subscription with
        override this.ToString() = Message.show message this
