namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterUserScramCredentials (API key 51): sets and deletes SCRAM credentials of users (KIP-554). Send it to the controller; brokers of
/// Kafka 4.x forward it.
module AlterUserScramCredentials =

    /// A credential to delete.
    type Deletion =
        {
            /// The user's name.
            Name: string
            Mechanism: ScramMechanism
        }

    let deletion = message {
        let! name = field "Name" _.Name string
        and! mechanism = field "Mechanism" _.Mechanism scramMechanism
        return { Name = name; Mechanism = mechanism }
    }

    /// A credential to create or replace. The password itself is not sent.
    type Upsertion =
        {
            /// The user's name.
            Name: string
            Mechanism: ScramMechanism
            /// The number of hash iterations, 4,096 to 16,384.
            Iterations: int32
            /// Random bytes chosen by the client.
            Salt: Bytes
            /// The password, salted and hashed as SCRAM defines (RFC 5802). The cluster stores only keys derived from it.
            SaltedPassword: Bytes
        }

    let upsertion = message {
        let! name = field "Name" _.Name string
        and! mechanism = field "Mechanism" _.Mechanism scramMechanism
        and! iterations = field "Iterations" _.Iterations int32
        and! salt = field "Salt" _.Salt bytes
        and! password = field "SaltedPassword" _.SaltedPassword secret

        return { Name = name; Mechanism = mechanism; Iterations = iterations; Salt = salt; SaltedPassword = password }
    }

    /// Each user only once, in one of the lists; on clusters with ZooKeeper, each mechanism of a user only once.
    type Request = { Deletions: Deletion list; Upsertions: Upsertion list }

    let request = message {
        let! deletions = field "Deletions" _.Deletions (array deletion)
        and! upsertions = field "Upsertions" _.Upsertions (array upsertion)
        return { Deletions = deletions; Upsertions = upsertions }
    }

    /// The result for one user.
    type Result =
        {
            User: string
            /// RESOURCE_NOT_FOUND if there is no such credential to delete; DUPLICATE_RESOURCE if the user is named twice;
            /// UNACCEPTABLE_CREDENTIAL for an empty name or a number of iterations out of range; UNSUPPORTED_SASL_MECHANISM;
            /// CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER if another node is the active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let result = message {
        let! user = field "User" _.User string
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { User = user; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array result)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api =
        Api.define ApiKey.AlterUserScramCredentials (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Deletion with
        override this.ToString() = Schema.show deletion this
    type Upsertion with
        override this.ToString() = Schema.show upsertion this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Result with
        override this.ToString() = Schema.show result this
    type Response with
        override this.ToString() = Message.show api.Response this
