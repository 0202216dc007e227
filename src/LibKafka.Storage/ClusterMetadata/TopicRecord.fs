namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// TopicRecord (type 2 of the metadata log): a topic has been created (KIP-631). PartitionRecords follow.
module TopicRecord =

    type Value = { Name: string; TopicId: Guid }

    let schema = message {
        let! name = field "Name" _.Name string
        and! topicId = field "TopicId" _.TopicId uuid

        return { Name = name; TopicId = topicId }
    }

    let message: Message<Value> = Message.define "TopicRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
