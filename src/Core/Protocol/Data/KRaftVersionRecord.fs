namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record in the metadata log that sets the level of the feature kraft.version (KIP-853).
module KRaftVersionRecord =

    type KRaftVersion =
        {
            /// The version of this record.
            Version: int16
            /// 0 if the voters are fixed by the configuration of the nodes; 1 if they are in the log and can change.
            KRaftVersion: int16
        }

    let schema = message {
        let! version = field "Version" _.Version int16
        and! level = field "KRaftVersion" _.KRaftVersion int16
        return { Version = version; KRaftVersion = level }
    }

    let message: Message<KRaftVersion> = Message.define "KRaftVersionRecord" (versions 0 0 |> flexibleFrom 0) schema

    type KRaftVersion with
        override this.ToString() = Message.show message this
