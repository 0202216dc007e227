using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>What became of an administrative call, or of one item of it.</summary>
public abstract class AdminResult
{
    private protected AdminResult(KafkaFault? fault)
    {
        Fault = fault;
    }

    /// <summary>
    /// What went wrong; null where it is done. With <see cref="KafkaFaultKind.BrokerError"/> the broker refused, for the reason in
    /// <see cref="Error"/>; otherwise nobody could be asked, or the answer was lost: then it may be done.
    /// </summary>
    public KafkaFault? Fault { get; }

    /// <summary>The error code that the broker gave; <c>ErrorCode.None</c> where it gave none.</summary>
    public ErrorCode Error => Fault?.ErrorCode ?? ErrorCode.None;

    /// <summary>What it is about, for people; null where that is clear.</summary>
    private protected virtual string? About => null;

    internal void Check()
    {
        if (Fault is not null)
        {
            throw new KafkaException(Fault, null, About);
        }
    }

    /// <summary>The value of what is done, or an exception.</summary>
    private protected T Required<T>(T? value)
    {
        Check();
        return value!;
    }
}

/// <summary>What became of one item of an administrative call.</summary>
/// <typeparam name="TItem">What names the item.</typeparam>
public class AdminResult<TItem> : AdminResult
{
    internal AdminResult(TItem item, KafkaFault? fault)
        : base(fault)
    {
        Item = item;
    }

    /// <summary>The item.</summary>
    public TItem Item { get; }

    private protected sealed override string? About => Item?.ToString();

    /// <summary>The item, and what went wrong if anything did.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => Fault is null ? $"{Item}" : $"{Item}: {Fault}";
}

/// <summary>What became of one item of an administrative call, and what there is to know of it.</summary>
/// <typeparam name="TItem">What names the item.</typeparam>
/// <typeparam name="TValue">What there is to know.</typeparam>
public sealed class AdminResult<TItem, TValue> : AdminResult<TItem>
{
    internal AdminResult(TItem item, TValue? value, KafkaFault? fault)
        : base(item, fault)
    {
        Value = value;
    }

    /// <summary>What there is to know; the type's default where something went wrong.</summary>
    public TValue? Value { get; }

    /// <summary>What there is to know.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="KafkaException">Something went wrong.</exception>
    public TValue GetValue() => Required(Value);
}

/// <summary>What became of each item of an administrative call.</summary>
/// <typeparam name="TResult">What became of one.</typeparam>
public sealed class AdminResults<TResult> : IReadOnlyList<TResult>
    where TResult : AdminResult
{
    private readonly TResult[] _results;

    internal AdminResults(IEnumerable<TResult> results, IEnumerable<Core.ExchangeInfo> exchanges)
    {
        _results = [.. results];
        Exchanges = [.. exchanges.Select(info => new ExchangeInfo(info))];
    }

    /// <summary>How many items there are.</summary>
    public int Count => _results.Length;

    /// <summary>Everything that was sent, in order, with the look-ups of whom to ask.</summary>
    public IReadOnlyList<ExchangeInfo> Exchanges { get; }

    /// <summary>What became of an item. They stand in the order in which they were asked about.</summary>
    /// <param name="index">The place of the item.</param>
    public TResult this[int index] => _results[index];

    /// <summary>Throws where something went wrong with one of the items. The others may be done all the same.</summary>
    /// <returns>The results themselves.</returns>
    /// <exception cref="KafkaException">Something went wrong: it is the first item's.</exception>
    public AdminResults<TResult> ThrowIfError()
    {
        foreach (var result in _results)
        {
            result.Check();
        }

        return this;
    }

    /// <summary>The items one after the other.</summary>
    /// <returns>What goes through them.</returns>
    public IEnumerator<TResult> GetEnumerator() => _results.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>What an administrative call without items found.</summary>
/// <typeparam name="TValue">What there is to find.</typeparam>
public sealed class AdminAnswer<TValue> : AdminResult
{
    internal AdminAnswer(TValue? value, KafkaFault? fault, IEnumerable<Core.ExchangeInfo> exchanges)
        : base(fault)
    {
        Value = value;
        Exchanges = [.. exchanges.Select(info => new ExchangeInfo(info))];
    }

    /// <summary>What was found; the type's default where something went wrong.</summary>
    public TValue? Value { get; }

    /// <summary>Everything that was sent, in order, with the look-ups of whom to ask.</summary>
    public IReadOnlyList<ExchangeInfo> Exchanges { get; }

    /// <summary>What was found.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="KafkaException">Something went wrong.</exception>
    public TValue GetValue() => Required(Value);

    /// <summary>Throws where something went wrong.</summary>
    /// <returns>The answer itself.</returns>
    /// <exception cref="KafkaException">Something did.</exception>
    public AdminAnswer<TValue> ThrowIfError()
    {
        Check();
        return this;
    }
}

/// <summary>Between the core's results and those here.</summary>
internal static class AdminInterop
{
    public static AdminResults<AdminResult<TItem>> ToResults<TCoreItem, TItem>(
        this Core.AdminReply<TCoreItem, Unit> reply,
        Func<TCoreItem, TItem> item,
        CancellationToken cancellation
    ) =>
        new(
            reply.Results.Select(result => new AdminResult<TItem>(item(result.Item1), FaultOf(result.Item2, cancellation))),
            reply.Exchanges
        );

    public static AdminResults<AdminResult<TItem, TValue>> ToResults<TCoreItem, TCore, TItem, TValue>(
        this Core.AdminReply<TCoreItem, TCore> reply,
        Func<TCoreItem, TItem> item,
        Func<TCore, TValue> value,
        CancellationToken cancellation
    ) => new(reply.Results.Select(result => ToResult(result, item, value, cancellation)), reply.Exchanges);

    public static AdminResult<TItem, TValue> ToResult<TCoreItem, TCore, TItem, TValue>(
        Tuple<TCoreItem, FSharpResult<TCore, Core.AdminFault>> result,
        Func<TCoreItem, TItem> item,
        Func<TCore, TValue> value,
        CancellationToken cancellation
    ) => new(item(result.Item1), result.Item2.IsOk ? value(result.Item2.ResultValue) : default, FaultOf(result.Item2, cancellation));

    public static AdminAnswer<TValue> ToAnswer<TCore, TValue>(
        this Core.AdminAnswer<TCore> answer,
        Func<TCore, TValue> value,
        CancellationToken cancellation
    ) => new(answer.Result.IsOk ? value(answer.Result.ResultValue) : default, FaultOf(answer.Result, cancellation), answer.Exchanges);

    /// <summary>What went wrong, if anything did; that the caller cancelled is thrown.</summary>
    private static KafkaFault? FaultOf<TCore>(FSharpResult<TCore, Core.AdminFault> result, CancellationToken cancellation)
    {
        if (result.IsOk)
        {
            return null;
        }

        var fault = KafkaFault.Of(result.ErrorValue);
        return fault.Kind == KafkaFaultKind.Cancelled ? throw KafkaException.For(fault, null, cancellation) : fault;
    }
}
