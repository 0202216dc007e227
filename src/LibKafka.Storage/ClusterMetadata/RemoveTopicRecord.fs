namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// RemoveTopicRecord (type 9 of the metadata log): a topic has been deleted, with its partitions (KIP-631).
module RemoveTopicRecord =

    type Value = { TopicId: Guid }

    let schema = message {
        let! topicId = field "TopicId" _.TopicId uuid

        return { TopicId = topicId }
    }

    let message: Message<Value> = Message.define "RemoveTopicRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
