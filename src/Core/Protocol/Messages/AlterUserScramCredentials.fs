namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterUserScramCredentials (API key 51): set and delete the credentials that users log in with by SCRAM (KIP-554). It goes to the
/// controller; brokers of 4.x pass it on.
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

    /// A credential to set, whether the user has one or not. The password itself is not sent.
    type Upsertion =
        {
            /// The user's name.
            Name: string
            Mechanism: ScramMechanism
            /// How often the password is hashed: 4,096 to 16,384.
            Iterations: int32
            /// Random bytes that the client chose.
            Salt: Bytes
            /// The password hashed with the salt, as SCRAM says (RFC 5802). The cluster keeps only what it derives from it.
            SaltedPassword: Bytes
        }

    let upsertion = message {
        let! name = field "Name" _.Name string
        and! mechanism = field "Mechanism" _.Mechanism scramMechanism
        and! iterations = field "Iterations" _.Iterations int32
        and! salt = field "Salt" _.Salt bytes
        and! password = field "SaltedPassword" _.SaltedPassword bytes

        return { Name = name; Mechanism = mechanism; Iterations = iterations; Salt = salt; SaltedPassword = password }
    }

    /// Each user only once, in one list or the other; with ZooKeeper, each mechanism of a user.
    type Request = { Deletions: Deletion list; Upsertions: Upsertion list }

    let request = message {
        let! deletions = field "Deletions" _.Deletions (array deletion)
        and! upsertions = field "Upsertions" _.Upsertions (array upsertion)
        return { Deletions = deletions; Upsertions = upsertions }
    }

    /// What became of one user.
    type Result =
        {
            User: string
            /// RESOURCE_NOT_FOUND when there is no such credential to delete; DUPLICATE_RESOURCE when the user is named twice;
            /// UNACCEPTABLE_CREDENTIAL for an empty name, too few iterations or too many; UNSUPPORTED_SASL_MECHANISM;
            /// CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER when to ask elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array result)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api = Api.define ApiKey.AlterUserScramCredentials 0s 0s (Some 0s) request response
