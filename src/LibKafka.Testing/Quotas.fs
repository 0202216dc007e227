namespace LibKafka.Testing

open LibKafka.Protocol

/// Client quotas.
[<RequireQualifiedAccess>]
module internal Quotas =

    /// Charges the caller for a request that was answered, and sets the throttle time of the response. `size` is the size of the response.
    let charge (_call: Call) (_request: Request) (response: Response) (state: State) : State * Response = state, response

    /// DescribeClientQuotas and AlterClientQuotas. ValueNone for other requests.
    let tryHandle (_call: Call) (_request: Request) (_state: State) : (State * Answer) voption = ValueNone
