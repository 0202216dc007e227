namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// What a consumer wants of its group, behind two bytes with the version: the metadata of a protocol in JoinGroup. A reader takes a
/// version that is too new for it as its highest, for nothing is ever taken away.
module ConsumerProtocolSubscription =

    type Subscription =
        {
            Topics: string list
            /// What the assignor adds for itself; null for nothing.
            UserData: Bytes option
            /// What the member has from the generation before, for assignors that leave it there where they can (KIP-429).
            OwnedPartitions: ConsumerTopicPartitions list
            /// The generation that `OwnedPartitions` come from, so that an outdated claim to them is found out (KIP-792); -1 where it
            /// is not known.
            GenerationId: int32
            /// The rack of the consumer, for assignors that put it near its leaders and replicas (KIP-881); null for none.
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

    let message: Message<Subscription> =
        { Name = "ConsumerProtocolSubscription"
          Versions = { Lowest = 0s; Highest = 3s }
          FlexibleSince = None
          Schema = schema }
