namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// BrokerHeartbeat (API key 63): reports that a broker is alive and requests state changes (KIP-631). Brokers send it to the controller. A
/// broker that sends none is fenced: it leads no partition and is not in the metadata of clients.
module BrokerHeartbeat =

    type Request =
        {
            BrokerId: int32
            /// The epoch of the broker's registration; -1 if unknown.
            BrokerEpoch: int64
            /// The offset that the broker has reached in the metadata log.
            CurrentMetadataOffset: int64
            /// Whether the broker wants to be fenced, as it does until it is ready for clients.
            WantFence: bool
            /// Whether the broker wants to shut down. The controller then moves the leaders away from it.
            WantShutDown: bool
            /// The ids of failed log directories. Since version 1 (KIP-858).
            OfflineLogDirs: Guid list
            /// The ids of the log directories that must not get new partitions; null if not given. Since version 2 (KIP-1066).
            CordonedLogDirs: Guid list option
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        and! offset = field "CurrentMetadataOffset" _.CurrentMetadataOffset int64
        and! fence = field "WantFence" _.WantFence bool
        and! shutDown = field "WantShutDown" _.WantShutDown bool
        and! offline = field "OfflineLogDirs" _.OfflineLogDirs (array uuid |> since 1s [] |> tagged 0)
        and! cordoned = field "CordonedLogDirs" _.CordonedLogDirs (array uuid |> nullable |> since 2s None |> tagged 1)

        return
            { BrokerId = broker
              BrokerEpoch = epoch
              CurrentMetadataOffset = offset
              WantFence = fence
              WantShutDown = shutDown
              OfflineLogDirs = offline
              CordonedLogDirs = cordoned }
    }

    type Response =
        {
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// STALE_BROKER_EPOCH if the broker is not registered, or has registered again since; NOT_CONTROLLER if another node is the
            /// active controller; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// Whether the broker has replayed the metadata log up to its own registration.
            IsCaughtUp: bool
            /// Whether the broker is fenced: it leads no partition and is not in the metadata of clients.
            IsFenced: bool
            /// Whether the broker can shut down: it leads no partition and the other brokers know that.
            ShouldShutDown: bool
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! caughtUp = field "IsCaughtUp" _.IsCaughtUp bool
        and! fenced = field "IsFenced" _.IsFenced (bool |> withDefault true)
        and! shutDown = field "ShouldShutDown" _.ShouldShutDown bool

        return { ThrottleTimeMs = throttle; Error = error; IsCaughtUp = caughtUp; IsFenced = fenced; ShouldShutDown = shutDown }
    }

    let api =
        Api.define ApiKey.BrokerHeartbeat (versions 0 2 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
