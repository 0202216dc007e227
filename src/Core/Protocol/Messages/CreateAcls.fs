namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreateAcls (API key 30): make access rules. It goes to any broker, which passes it on where it must.
module CreateAcls =

    /// A rule to make. What only a filter may say (`Any`, `Match`, `Unknown`) is an INVALID_REQUEST.
    type Acl =
        {
            /// Rules about users are known from version 3 on (KIP-373).
            ResourceType: AclResourceType
            /// `kafka-cluster` for the cluster; `*` with `Literal` for every name.
            ResourceName: string
            ResourcePatternType: AclPatternType
            /// Such as `User:alice`; `User:*` for all users.
            Principal: string
            /// The address that the client comes from; `*` for all.
            Host: string
            Operation: AclOperation
            PermissionType: AclPermission
        }

    let acl = message {
        let! resource = field "ResourceType" _.ResourceType aclResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! pattern = field "ResourcePatternType" _.ResourcePatternType (aclPatternType |> withDefault AclPatternType.Literal)
        and! principal = field "Principal" _.Principal string
        and! host = field "Host" _.Host string
        and! operation = field "Operation" _.Operation aclOperation
        and! permission = field "PermissionType" _.PermissionType aclPermission

        return
            { ResourceType = resource
              ResourceName = name
              ResourcePatternType = pattern
              Principal = principal
              Host = host
              Operation = operation
              PermissionType = permission }
    }

    type Request = { Creations: Acl list }

    let request = message {
        let! creations = field "Creations" _.Creations (array acl)
        return { Creations = creations }
    }

    /// What became of one rule.
    type AclResult =
        {
            /// SECURITY_DISABLED when the cluster runs without an authorizer (authorizer.class.name); CLUSTER_AUTHORIZATION_FAILED;
            /// INVALID_REQUEST for a rule that makes no sense. A rule that exists already is no error.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let aclResult = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        return { Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// One for each rule of the request, in its order.
            Results: AclResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array aclResult)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api = Api.define ApiKey.CreateAcls 1s 3s (Some 2s) request response
