namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeAcls (API key 29): list the access rules that match a filter. Any broker answers.
module DescribeAcls =

    /// The filter: every rule that matches it is listed.
    type Request = AclFilter

    let request = AclFilter.schema

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
