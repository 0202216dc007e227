namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ClearElrRecord (type 28 of the metadata log): the eligible leader replicas of a topic have been cleared (KIP-966).
module ClearElrRecord =

    type Value = { TopicName: string }

    let schema = message {
        let! topicName = field "TopicName" _.TopicName string

        return { TopicName = topicName }
    }

    let message: Message<Value> = Message.define "ClearElrRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
