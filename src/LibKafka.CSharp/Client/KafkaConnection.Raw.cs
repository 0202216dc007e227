using System;
using System.Threading;
using LibKafka.Protocol;
using LibKafka.Wire;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <content>Calls of any API, with messages as JSON or as bytes.</content>
public sealed partial class KafkaConnection
{
    /// <summary>
    /// Calls any API with messages in JSON, in the form that Kafka's own tools use: camelCase names, bytes in base64. A field that is left out has
    /// its default; a field that the version does not have is a fault.
    /// </summary>
    /// <param name="api">The API, such as <c>ApiKey.DescribeCluster</c>.</param>
    /// <param name="request">The request as JSON: <c>{}</c> for one whose fields all have their defaults.</param>
    /// <param name="version">The version; null for the highest that both sides support.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The response as JSON. Its version is that of the <see cref="KafkaResult.Exchange"/>. Error codes within it are not looked at. A request
    /// that is not valid is a fault (<see cref="KafkaFaultKind.CannotEncode"/>).
    /// </returns>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public KafkaResult<string> Call(ApiKey api, string request, short? version = null, CancellationToken cancellationToken = default) =>
        Call(api, request, version, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Call(ApiKey, string, short?, CancellationToken)"/>
    /// <param name="api">The API, such as <c>ApiKey.DescribeCluster</c>.</param>
    /// <param name="request">The request as JSON: <c>{}</c> for one whose fields all have their defaults.</param>
    /// <param name="version">The version; null for the highest that both sides support.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<string> Call(ApiKey api, string request, short? version, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(request);
        Begin(callOptions);
        return Visit(api, new JsonCall(this, request, version, callOptions));
    }

    /// <summary>
    /// Calls any API with messages as bytes: what follows the header on the wire. The request is checked before it is sent, and the response is
    /// checked before it is returned; the bytes themselves pass unchanged.
    /// </summary>
    /// <param name="api">The API, such as <c>ApiKey.Produce</c>.</param>
    /// <param name="request">The request, without length and header.</param>
    /// <param name="version">The version that the request is written in; null for the highest that both sides support.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The response, without length and header. Its version is that of the <see cref="KafkaResult.Exchange"/>. Error codes within it are not
    /// looked at. A request that is not valid is a fault (<see cref="KafkaFaultKind.CannotEncode"/>).
    /// </returns>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public KafkaResult<ReadOnlyMemory<byte>> Call(
        ApiKey api,
        ReadOnlyMemory<byte> request,
        short? version = null,
        CancellationToken cancellationToken = default
    ) => Call(api, request, version, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Call(ApiKey, ReadOnlyMemory{byte}, short?, CancellationToken)"/>
    /// <param name="api">The API, such as <c>ApiKey.Produce</c>.</param>
    /// <param name="request">The request, without length and header.</param>
    /// <param name="version">The version that the request is written in; null for the highest that both sides support.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<ReadOnlyMemory<byte>> Call(ApiKey api, ReadOnlyMemory<byte> request, short? version, CallOptions callOptions)
    {
        Begin(callOptions);
        return Visit(api, new BytesCall(this, request, version, callOptions));
    }

    private static KafkaResult<TValue> Visit<TValue>(ApiKey api, RawCall<TValue> call) =>
        Apis.visit(call, api)?.Value ?? call.Refused(new Fault(Problem.NewUnknownApi(api.Code), 0, "RequestHeader/RequestApiKey"));

    /// <summary>One raw call: it is given the API's definition by its key.</summary>
    private abstract class RawCall<TValue>(KafkaConnection connection, short? version, CallOptions callOptions)
        : IApiVisitor<KafkaResult<TValue>>
    {
        protected FSharpOption<Client.CallOptions> Options => callOptions.ToCore();

        protected Client.Connection Connection => connection.Core;

        public KafkaResult<TValue> Visit<TRequest, TResponse>(
            Api<TRequest, TResponse> api,
            FSharpFunc<TRequest, Request> ofRequest,
            FSharpFunc<TResponse, Response> ofResponse
        )
        {
            var chosen = version is { } given ? FSharpResult<short, Client.ClientFault>.NewOk(given) : Connection.VersionOf(api);
            return chosen.IsOk ? Make(api, chosen.ResultValue) : Failed(chosen.ErrorValue);
        }

        public KafkaResult<TValue> Refused(Fault fault) => Failed(Client.ClientFault.NewCannotEncode(fault));

        protected abstract KafkaResult<TValue> Make<TRequest, TResponse>(Api<TRequest, TResponse> api, short version);

        protected KafkaResult<TValue> ResultOf<TRequest, TResponse>(
            Client.Exchange<TRequest, TResponse> exchange,
            Func<TResponse, FSharpResult<TValue, Fault>> value
        )
        {
            var report = new CallReport(exchange.Info, callOptions.CancellationToken);
            if (exchange.Result.IsError)
            {
                return new(report, report.FaultOf(exchange.Result.ErrorValue), ErrorCode.None);
            }

            var read = value(exchange.Result.ResultValue);
            return read.IsOk
                ? new(report, read.ResultValue)
                : new(report, report.FaultOf(Client.ClientFault.NewMalformed(read.ErrorValue)), ErrorCode.None);
        }

        private KafkaResult<TValue> Failed(Client.ClientFault fault) =>
            new(new CallReport([], callOptions.CancellationToken), KafkaFault.Of(fault, connection.Broker), ErrorCode.None);
    }

    private sealed class JsonCall(KafkaConnection connection, string request, short? version, CallOptions callOptions)
        : RawCall<string>(connection, version, callOptions)
    {
        protected override KafkaResult<string> Make<TRequest, TResponse>(Api<TRequest, TResponse> api, short version)
        {
            var read = Message.ofJson(version, api.Request, request);
            return read.IsOk
                ? ResultOf(
                    Connection.CallAt(version, api, read.ResultValue, Options),
                    response => Message.toJson(version, api.Response, response)
                )
                : Refused(read.ErrorValue);
        }
    }

    private sealed class BytesCall(KafkaConnection connection, ReadOnlyMemory<byte> request, short? version, CallOptions callOptions)
        : RawCall<ReadOnlyMemory<byte>>(connection, version, callOptions)
    {
        protected override KafkaResult<ReadOnlyMemory<byte>> Make<TRequest, TResponse>(Api<TRequest, TResponse> api, short version)
        {
            var keeping = RawApi.ofApi(api);
            var read = Message.decode(LimitsModule.standard, version, keeping.Request, new Bytes(request));
            return read.IsOk
                ? ResultOf(
                    Connection.CallAt(version, keeping, read.ResultValue, Options),
                    response => FSharpResult<ReadOnlyMemory<byte>, Fault>.NewOk(response.Bytes.Memory)
                )
                : Refused(read.ErrorValue);
        }
    }
}
