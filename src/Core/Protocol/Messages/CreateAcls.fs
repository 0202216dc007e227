namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreateAcls (API key 30): creates ACLs. Send it to any broker, which forwards it if it must.
module CreateAcls =

    /// An ACL to create. Values that only a filter may have (`Any`, `Match`, `Unknown`) are refused with INVALID_REQUEST.
    type Acl =
        {
            /// The type `User` is supported since version 3 (KIP-373).
            ResourceType: AclResourceType
            /// `kafka-cluster` for the cluster; `*` with `Literal` for all names.
            ResourceName: string
            /// Version 0 knows only literal names. Since version 1 (KIP-290).
            ResourcePatternType: AclPatternType
            /// Such as `User:alice`; `User:*` for all users.
            Principal: string
            /// The address of the client; `*` for all addresses.
            Host: string
            Operation: AclOperation
            PermissionType: AclPermission
        }

    let acl = message {
        let! resource = field "ResourceType" _.ResourceType aclResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! pattern =
            field "ResourcePatternType" _.ResourcePatternType (aclPatternType |> since AclFilter.patternTypeSince AclPatternType.Literal)
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

    /// The result for one ACL.
    type AclResult =
        {
            /// SECURITY_DISABLED if the cluster has no authorizer (authorizer.class.name); CLUSTER_AUTHORIZATION_FAILED; INVALID_REQUEST
            /// for an inconsistent ACL. An ACL that already exists is not an error.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let aclResult = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        return { Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// One result for each ACL of the request, in the same order.
            Results: AclResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array aclResult)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api = Api.define ApiKey.CreateAcls (versions 0 3 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Acl with
        override this.ToString() = Schema.show acl this
    type Request with
        override this.ToString() = Message.show api.Request this
    type AclResult with
        override this.ToString() = Schema.show aclResult this
    type Response with
        override this.ToString() = Message.show api.Response this
