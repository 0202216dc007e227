namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// BrokerRegistrationChangeRecord (type 17 of the metadata log): the registration of a broker has changed. A field that has not changed is
/// left out.
module BrokerRegistrationChangeRecord =

    type Value =
        {
            /// The node id of the broker.
            BrokerId: int32
            /// The epoch of the broker's registration: the offset of its RegisterBrokerRecord.
            BrokerEpoch: int64
            /// -1 no longer fenced, 0 unchanged, 1 fenced.
            Fenced: int8
            /// 0 unchanged, 1 shutting down. Since version 1.
            InControlledShutdown: int8
            /// The ids of the usable log directories; empty if unchanged. Since version 2.
            LogDirs: Guid list
            /// The ids of the log directories that take no new replicas; null if unchanged. Since version 3.
            CordonedLogDirs: Guid list option
        }

    let schema = message {
        let! brokerId = field "BrokerId" _.BrokerId int32
        and! brokerEpoch = field "BrokerEpoch" _.BrokerEpoch int64
        and! fenced = field "Fenced" _.Fenced (int8 |> tagged 0)
        and! inControlledShutdown = field "InControlledShutdown" _.InControlledShutdown (int8 |> since 1s 0y |> tagged 1)
        and! logDirs = field "LogDirs" _.LogDirs (array uuid |> since 2s [] |> tagged 2)
        and! cordonedLogDirs = field "CordonedLogDirs" _.CordonedLogDirs (array uuid |> nullable |> since 3s None |> tagged 3)

        return
            { BrokerId = brokerId
              BrokerEpoch = brokerEpoch
              Fenced = fenced
              InControlledShutdown = inControlledShutdown
              LogDirs = logDirs
              CordonedLogDirs = cordonedLogDirs }
    }

    let message: Message<Value> = Message.define "BrokerRegistrationChangeRecord" (versions 0 3 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
