using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.FSharp.Core;
using Core = LibKafka.Client;

namespace LibKafka;

// Quotas, users and delegation tokens.
public sealed partial class AdminClient
{
    /// <summary>Describes client quotas (KIP-546, Kafka 2.6).</summary>
    /// <param name="filter">Which quotas; null for all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The quotas of each entity that has some.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<IReadOnlyList<ClientQuotas>> DescribeClientQuotas(
        ClientQuotaFilter? filter = null,
        CancellationToken cancellationToken = default
    ) => DescribeClientQuotas(filter, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeClientQuotas(ClientQuotaFilter, CancellationToken)"/>
    /// <param name="filter">Which quotas; null for all.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<IReadOnlyList<ClientQuotas>> DescribeClientQuotas(ClientQuotaFilter? filter, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core
            .DescribeClientQuotas((filter ?? new()).ToCore(), callOptions.ToCore())
            .ToResult(quotas => List(quotas, ClientQuotas.Of), callOptions);
    }

    /// <summary>Sets and removes client quotas (KIP-546, Kafka 2.6). The changes of one entity are made all together or not at all.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="validateOnly">Whether the broker only checks the request.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for each entity, in the order in which the entities first appear.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<ClientQuotaEntity>> AlterClientQuotas(
        IEnumerable<ClientQuotaChange> changes,
        bool validateOnly = false,
        CancellationToken cancellationToken = default
    ) => AlterClientQuotas(changes, validateOnly, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AlterClientQuotas(IEnumerable{ClientQuotaChange}, bool, CancellationToken)"/>
    /// <param name="changes">The changes.</param>
    /// <param name="validateOnly">Whether the broker only checks the request.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<ClientQuotaEntity>> AlterClientQuotas(
        IEnumerable<ClientQuotaChange> changes,
        bool validateOnly,
        CallOptions callOptions
    )
    {
        var wanted = Interop
            .RequiredAll(changes)
            .GroupBy(change => change.Entity)
            .Select(entity => new Core.ClientQuotaChange(
                entity.Key.ToCore(),
                entity
                    .Select(change => Tuple.Create(change.Key, change.Value is { } value ? new FSharpOption<double>(value) : null))
                    .ToFSharpList()
            ))
            .ToFSharpList();
        Begin(callOptions);
        return _core.AlterClientQuotas(wanted, validateOnly, callOptions.ToCore()).ToResults(ClientQuotaEntity.Of, callOptions);
    }

    /// <summary>Describes the SCRAM credentials of users (KIP-554, Kafka 2.7). RESOURCE_NOT_FOUND for a user without any.</summary>
    /// <param name="users">The names of the users.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The credentials of each user.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, IReadOnlyList<ScramCredentialInfo>>> DescribeScramUsers(
        IEnumerable<string> users,
        CancellationToken cancellationToken = default
    ) => DescribeScramUsers(users, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeScramUsers(IEnumerable{string}, CancellationToken)"/>
    /// <param name="users">The names of the users.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, IReadOnlyList<ScramCredentialInfo>>> DescribeScramUsers(
        IEnumerable<string> users,
        CallOptions callOptions
    )
    {
        var wanted = Interop.RequiredAll(users);
        Begin(callOptions);
        return _core
            .DescribeScramUsers(wanted.ToFSharpList(), callOptions.ToCore())
            .ToResults(Same, credentials => List(credentials, ScramCredentialInfo.Of), callOptions);
    }

    /// <summary>Lists all users with SCRAM credentials (KIP-554, Kafka 2.7).</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The credentials of each user.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string, IReadOnlyList<ScramCredentialInfo>>> ListScramUsers(
        CancellationToken cancellationToken = default
    ) => ListScramUsers(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ListScramUsers(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string, IReadOnlyList<ScramCredentialInfo>>> ListScramUsers(CallOptions callOptions)
    {
        Begin(callOptions);
        return _core
            .ListScramUsers(callOptions.ToCore())
            .ToResults(Same, credentials => List(credentials, ScramCredentialInfo.Of), callOptions);
    }

    /// <summary>Sets and deletes SCRAM credentials of users (KIP-554, Kafka 2.7). The changes of one user are made all together or not at all.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The result for the user of each change.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<string>> AlterScramUsers(
        IEnumerable<ScramChange> changes,
        CancellationToken cancellationToken = default
    ) => AlterScramUsers(changes, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AlterScramUsers(IEnumerable{ScramChange}, CancellationToken)"/>
    /// <param name="changes">The changes.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<string>> AlterScramUsers(IEnumerable<ScramChange> changes, CallOptions callOptions)
    {
        var wanted = Interop.RequiredAll(changes);
        Begin(callOptions);
        return _core
            .AlterScramUsers(wanted.Select(change => change.Inner).ToFSharpList(), callOptions.ToCore())
            .ToResults(Same, callOptions);
    }

    /// <summary>Creates a delegation token (KIP-48, Kafka 1.1), which authenticates as its owner until it expires.</summary>
    /// <param name="token">The token; null for one of the caller's with the longest lifetime.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>The token.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<DelegationToken> CreateDelegationToken(
        NewDelegationToken? token = null,
        CancellationToken cancellationToken = default
    ) => CreateDelegationToken(token, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CreateDelegationToken(NewDelegationToken, CancellationToken)"/>
    /// <param name="token">The token; null for one of the caller's with the longest lifetime.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<DelegationToken> CreateDelegationToken(NewDelegationToken? token, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core.CreateDelegationToken((token ?? new()).ToCore(), callOptions.ToCore()).ToResult(DelegationToken.Of, callOptions);
    }

    /// <summary>Makes a delegation token expire some time from now, at most at its latest time (KIP-48).</summary>
    /// <param name="hmac">The secret of the token.</param>
    /// <param name="period">How long from now; null for the broker's own (<c>delegation.token.expiry.time.ms</c>).</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>When the token expires.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<DateTimeOffset> RenewDelegationToken(
        ReadOnlyMemory<byte> hmac,
        TimeSpan? period = null,
        CancellationToken cancellationToken = default
    ) => RenewDelegationToken(hmac, period, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="RenewDelegationToken(ReadOnlyMemory{byte}, TimeSpan?, CancellationToken)"/>
    /// <param name="hmac">The secret of the token.</param>
    /// <param name="period">How long from now; null for the broker's own (<c>delegation.token.expiry.time.ms</c>).</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<DateTimeOffset> RenewDelegationToken(ReadOnlyMemory<byte> hmac, TimeSpan? period, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core
            .RenewDelegationToken(new(hmac), period is { } time ? new FSharpOption<TimeSpan>(time) : null, callOptions.ToCore())
            .ToResult(Same, callOptions);
    }

    /// <summary>Makes a delegation token expire some time from now, or deletes it (KIP-48).</summary>
    /// <param name="hmac">The secret of the token.</param>
    /// <param name="period">How long from now; null for deletion at once.</param>
    /// <param name="cancellationToken">Cancels the call. What was asked may be done nevertheless.</param>
    /// <returns>When the token expires.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<DateTimeOffset> ExpireDelegationToken(
        ReadOnlyMemory<byte> hmac,
        TimeSpan? period = null,
        CancellationToken cancellationToken = default
    ) => ExpireDelegationToken(hmac, period, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ExpireDelegationToken(ReadOnlyMemory{byte}, TimeSpan?, CancellationToken)"/>
    /// <param name="hmac">The secret of the token.</param>
    /// <param name="period">How long from now; null for deletion at once.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<DateTimeOffset> ExpireDelegationToken(ReadOnlyMemory<byte> hmac, TimeSpan? period, CallOptions callOptions)
    {
        Begin(callOptions);
        return _core
            .ExpireDelegationToken(new(hmac), period is { } time ? new FSharpOption<TimeSpan>(time) : null, callOptions.ToCore())
            .ToResult(Same, callOptions);
    }

    /// <summary>Describes the delegation tokens that the caller may see (KIP-48).</summary>
    /// <param name="owners">The owners; null for all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The tokens.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<IReadOnlyList<DelegationToken>> DescribeDelegationTokens(
        IEnumerable<KafkaPrincipal>? owners = null,
        CancellationToken cancellationToken = default
    ) => DescribeDelegationTokens(owners, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="DescribeDelegationTokens(IEnumerable{KafkaPrincipal}, CancellationToken)"/>
    /// <param name="owners">The owners; null for all.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<IReadOnlyList<DelegationToken>> DescribeDelegationTokens(
        IEnumerable<KafkaPrincipal>? owners,
        CallOptions callOptions
    )
    {
        var wanted = owners is null ? null : Interop.OptionOf(Interop.RequiredAll(owners).Select(owner => owner.ToCore()).ToFSharpList());
        Begin(callOptions);
        return _core
            .DescribeDelegationTokens(wanted, callOptions.ToCore())
            .ToResult(tokens => List(tokens, DelegationToken.Of), callOptions);
    }
}
