namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeUserScramCredentials (API key 50): lists the SCRAM credentials of users, without their secrets (KIP-554). Send it to any
/// broker; on clusters with ZooKeeper, to the controller.
module DescribeUserScramCredentials =

    /// A user to describe.
    type User = { Name: string }

    let user = message {
        let! name = field "Name" _.Name string
        return { Name = name }
    }

    type Request =
        {
            /// Null or empty for all users that have credentials.
            Users: User list option
        }

    let request = message {
        let! users = field "Users" _.Users (array user |> nullable)
        return { Users = users }
    }

    /// A credential, without its secret.
    type Credential =
        {
            Mechanism: ScramMechanism
            /// The number of hash iterations.
            Iterations: int32
        }

    let credential = message {
        let! mechanism = field "Mechanism" _.Mechanism scramMechanism
        and! iterations = field "Iterations" _.Iterations int32
        return { Mechanism = mechanism; Iterations = iterations }
    }

    /// The credentials of one user.
    type Result =
        {
            User: string
            /// RESOURCE_NOT_FOUND if the user has no credentials; DUPLICATE_RESOURCE if the user is in the request twice.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            Credentials: Credential list
        }

    let result = message {
        let! user = field "User" _.User string
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! credentials = field "CredentialInfos" _.Credentials (array credential)

        return { User = user; Error = error; ErrorMessage = text; Credentials = credentials }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER if another node is the active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! results = field "Results" _.Results (array result)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Results = results }
    }

    let api =
        Api.define ApiKey.DescribeUserScramCredentials (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type User with
        override this.ToString() = Schema.show user this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Credential with
        override this.ToString() = Schema.show credential this
    type Result with
        override this.ToString() = Schema.show result this
    type Response with
        override this.ToString() = Message.show api.Response this
