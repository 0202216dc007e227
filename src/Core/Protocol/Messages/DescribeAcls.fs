namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeAcls (API key 29): list the access rules that match a filter. Any broker answers.
module DescribeAcls =

    /// The filter: a rule matches where each field does.
    type Request =
        {
            /// `Any` for every type. Rules about users are known from version 3 on (KIP-373).
            ResourceTypeFilter: AclResourceType
            /// The name in the rule; null for every name.
            ResourceNameFilter: string option
            /// How `ResourceNameFilter` is compared with the name in the rule.
            PatternTypeFilter: AclPatternType
            /// Such as `User:alice`, and `User:*` for the rules about all users; null for every principal.
            PrincipalFilter: string option
            /// An address, and `*` for the rules about all addresses; null for every host.
            HostFilter: string option
            /// `Any` for every operation.
            Operation: AclOperation
            /// `Any` for either.
            PermissionType: AclPermission
        }

    let request = message {
        let! resource = field "ResourceTypeFilter" _.ResourceTypeFilter aclResourceType
        and! name = field "ResourceNameFilter" _.ResourceNameFilter (string |> nullable)
        and! pattern = field "PatternTypeFilter" _.PatternTypeFilter (aclPatternType |> withDefault AclPatternType.Literal)
        and! principal = field "PrincipalFilter" _.PrincipalFilter (string |> nullable)
        and! host = field "HostFilter" _.HostFilter (string |> nullable)
        and! operation = field "Operation" _.Operation aclOperation
        and! permission = field "PermissionType" _.PermissionType aclPermission

        return
            { ResourceTypeFilter = resource
              ResourceNameFilter = name
              PatternTypeFilter = pattern
              PrincipalFilter = principal
              HostFilter = host
              Operation = operation
              PermissionType = permission }
    }

    /// What one principal may or may not do.
    type Acl =
        {
            /// Such as `User:alice`; `User:*` for all users.
            Principal: string
            /// The address that the client comes from; `*` for all.
            Host: string
            Operation: AclOperation
            PermissionType: AclPermission
        }

    let acl = message {
        let! principal = field "Principal" _.Principal string
        and! host = field "Host" _.Host string
        and! operation = field "Operation" _.Operation aclOperation
        and! permission = field "PermissionType" _.PermissionType aclPermission

        return { Principal = principal; Host = host; Operation = operation; PermissionType = permission }
    }

    /// The rules about one resource, or about those whose names begin alike.
    type Resource = { ResourceType: AclResourceType; ResourceName: string; PatternType: AclPatternType; Acls: Acl list }

    let resource = message {
        let! kind = field "ResourceType" _.ResourceType aclResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! pattern = field "PatternType" _.PatternType (aclPatternType |> withDefault AclPatternType.Literal)
        and! acls = field "Acls" _.Acls (array acl)

        return { ResourceType = kind; ResourceName = name; PatternType = pattern; Acls = acls }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// SECURITY_DISABLED when the cluster runs without an authorizer (authorizer.class.name); CLUSTER_AUTHORIZATION_FAILED;
            /// INVALID_REQUEST for a filter that makes no sense.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            Resources: Resource list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! resources = field "Resources" _.Resources (array resource)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Resources = resources }
    }

    let api = Api.define ApiKey.DescribeAcls 1s 3s (Some 2s) request response
