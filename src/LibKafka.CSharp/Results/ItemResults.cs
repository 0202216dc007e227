using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>The result of a call for one of its items, such as one of the groups to delete.</summary>
/// <typeparam name="TItem">What names the item.</typeparam>
public sealed class ItemResult<TItem> : KafkaResult
{
    internal ItemResult(TItem item, CallReport report, KafkaFault? fault, ErrorCode error, string? errorMessage = null)
        : base(report, fault, error, errorMessage)
    {
        Item = item;
    }

    /// <summary>The item.</summary>
    public TItem Item { get; }

    internal override string? Subject => Item?.ToString();

    /// <summary>Throws if the call failed for this item.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ItemResult<TItem> ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }

    /// <summary>The item, and the error or fault if there is one.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => IsSuccess ? $"{Item}" : $"{Item}: {base.ToString()}";
}

/// <summary>The result of a call for one of its items, with a value.</summary>
/// <typeparam name="TItem">What names the item.</typeparam>
/// <typeparam name="TValue">The type of the value.</typeparam>
public sealed class ItemResult<TItem, TValue> : KafkaResult
{
    internal ItemResult(TItem item, TValue? value, CallReport report, KafkaFault? fault, ErrorCode error, string? errorMessage = null)
        : base(report, fault, error, errorMessage)
    {
        Item = item;
        Value = value;
    }

    /// <summary>The item.</summary>
    public TItem Item { get; }

    /// <summary>The value; the default of its type if the call failed for this item.</summary>
    public TValue? Value { get; }

    internal override string? Subject => Item?.ToString();

    /// <summary>The value, or an exception if the call failed for this item.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public TValue ThrowIfError()
    {
        ThrowIfFailed();
        return Value!;
    }

    /// <summary>The item, and its value, error or fault.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => IsSuccess ? $"{Item}: {Value?.ToString() ?? "none"}" : $"{Item}: {base.ToString()}";
}

/// <summary>
/// The results of a call that concerns several items: one for each, in the order in which the items were given. The fault and the error code
/// are those of the call as a whole, else those of the first item that failed; other items may have succeeded.
/// </summary>
/// <typeparam name="TResult">The result for one item.</typeparam>
public sealed class ItemResults<TResult> : KafkaResult, IReadOnlyList<TResult>
    where TResult : KafkaResult
{
    private readonly TResult[] _items;
    private readonly TResult? _failed;

    // Null if that follows from the items.
    private readonly bool? _isRetriable;

    internal ItemResults(CallReport report, TResult[] items, bool? isRetriable = null)
        : this(report, items, items.FirstOrDefault(item => !item.IsSuccess))
    {
        _isRetriable = isRetriable;
    }

    internal ItemResults(CallReport report, KafkaFault? fault, TResult[] items, ErrorCode error = default)
        : base(report, fault, error)
    {
        _items = items;
    }

    private ItemResults(CallReport report, TResult[] items, TResult? failed)
        : base(report, failed?.Fault, failed?.Error ?? ErrorCode.None, failed?.ErrorMessage)
    {
        _items = items;
        _failed = failed;
    }

    /// <summary>The number of items.</summary>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public override bool IsRetriable => _isRetriable ?? (IsTransient && _items.All(item => item.IsSuccess || item.IsRetriable));

    internal override string? Subject => _failed?.Subject;

    /// <summary>The result for one item.</summary>
    /// <param name="index">The position of the item, from 0.</param>
    public TResult this[int index] => _items[index];

    /// <summary>Throws if the call failed for any of the items.</summary>
    /// <returns>The results themselves.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code: the first item's that failed.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ItemResults<TResult> ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }

    /// <summary>Iterates over the results.</summary>
    /// <returns>An enumerator.</returns>
    public IEnumerator<TResult> GetEnumerator() => _items.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The results, separated by semicolons.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _items.Length == 0 ? base.ToString() : string.Join<TResult>("; ", _items);
}

/// <summary>Makes results of the core's.</summary>
internal static class ItemInterop
{
    public static ItemResults<ItemResult<TItem>> ToResults<TCoreItem, TItem>(
        this Core.AdminReply<TCoreItem, Unit> reply,
        Func<TCoreItem, TItem> item,
        CallOptions call
    )
    {
        var report = new CallReport(reply.Exchanges, call.CancellationToken);
        ItemResult<TItem> One(Tuple<TCoreItem, FSharpResult<Unit, Core.AdminFault>> result)
        {
            var (fault, error, message) = Failure(report, result.Item2);
            return new(item(result.Item1), report, fault, error, message);
        }

        return new(report, [.. reply.Result.Select(One)], reply.IsTransient);
    }

    public static ItemResults<ItemResult<TItem, TValue>> ToResults<TCoreItem, TCore, TItem, TValue>(
        this Core.AdminReply<TCoreItem, TCore> reply,
        Func<TCoreItem, TItem> item,
        Func<TCore, TValue> value,
        CallOptions call
    )
    {
        var report = new CallReport(reply.Exchanges, call.CancellationToken);
        return report.ToResults(reply.Result, item, value, reply.IsTransient);
    }

    public static ItemResults<ItemResult<TItem, TValue>> ToResults<TCoreItem, TCore, TItem, TValue>(
        this CallReport report,
        IEnumerable<Tuple<TCoreItem, FSharpResult<TCore, Core.AdminFault>>> results,
        Func<TCoreItem, TItem> item,
        Func<TCore, TValue> value,
        bool? isRetriable = null
    )
    {
        ItemResult<TItem, TValue> One(Tuple<TCoreItem, FSharpResult<TCore, Core.AdminFault>> result)
        {
            var (fault, error, message) = Failure(report, result.Item2);
            return new(item(result.Item1), result.Item2.IsOk ? value(result.Item2.ResultValue) : default, report, fault, error, message);
        }

        return new(report, [.. results.Select(One)], isRetriable);
    }

    public static KafkaResult<TValue> ToResult<TCore, TValue>(
        this Core.AdminAnswer<TCore> answer,
        Func<TCore, TValue> value,
        CallOptions call
    )
    {
        var report = new CallReport(answer.Exchanges, call.CancellationToken);
        var (fault, error, message) = Failure(report, answer.Result);
        return answer.Result.IsOk ? new(report, value(answer.Result.ResultValue)) : new(report, fault, error, message);
    }

    /// <summary>The results for the items that an answer names. Without an answer there is none.</summary>
    public static ItemResults<ItemResult<TItem, TValue>> ToResults<TCoreItem, TCore, TItem, TValue>(
        this Core.AdminAnswer<FSharpList<Tuple<TCoreItem, FSharpResult<TCore, Core.AdminFault>>>> answer,
        Func<TCoreItem, TItem> item,
        Func<TCore, TValue> value,
        CallOptions call
    )
    {
        var report = new CallReport(answer.Exchanges, call.CancellationToken);
        if (answer.Result.IsOk)
        {
            return report.ToResults(answer.Result.ResultValue, item, value);
        }

        var (fault, error, _) = Failure(report, answer.Result);
        return new(report, fault, [], error);
    }

    /// <summary>The same for items without a value.</summary>
    public static ItemResults<ItemResult<TItem>> ToResults<TCoreItem, TItem>(
        this Core.AdminAnswer<FSharpList<Tuple<TCoreItem, FSharpResult<Unit, Core.AdminFault>>>> answer,
        Func<TCoreItem, TItem> item,
        CallOptions call
    )
    {
        var report = new CallReport(answer.Exchanges, call.CancellationToken);
        if (answer.Result.IsOk)
        {
            return new(
                report,
                [
                    .. answer.Result.ResultValue.Select(one =>
                    {
                        var (fault, error, message) = Failure(report, one.Item2);
                        return new ItemResult<TItem>(item(one.Item1), report, fault, error, message);
                    }),
                ]
            );
        }

        var (whole, code, _) = Failure(report, answer.Result);
        return new(report, whole, [], code);
    }

    /// <summary>The result of a call that has no value.</summary>
    public static CallResult ToResult(this Core.AdminAnswer<Unit> answer, CallOptions call)
    {
        var report = new CallReport(answer.Exchanges, call.CancellationToken);
        var (fault, error, message) = Failure(report, answer.Result);
        return new(report, fault, error, message);
    }

    /// <summary>The results for partitions. Without an answer, each partition has the fault.</summary>
    public static ItemResults<ItemResult<TopicPartition>> ToResults(
        this Core.Reply<FSharpResult<Unit, Core.PartitionsFailure>> reply,
        IEnumerable<TopicPartition> partitions,
        CallOptions call
    )
    {
        var report = new CallReport(reply.Exchanges, call.CancellationToken);
        if (reply.Result.IsError && reply.Result.ErrorValue is Core.PartitionsFailure.Refused refused)
        {
            return new(
                report,
                [.. refused.Item.Select(one => new ItemResult<TopicPartition>(TopicPartition.Of(one.Partition), report, null, one.Error))]
            );
        }

        var fault = reply.Result.IsError ? report.FaultOf(((Core.PartitionsFailure.Fault)reply.Result.ErrorValue).Item) : null;
        return new(report, fault, [.. partitions.Select(one => new ItemResult<TopicPartition>(one, report, fault, ErrorCode.None))]);
    }

    /// <summary>The fault, or the error code and the broker's explanation of it; nothing for an item that succeeded.</summary>
    public static (KafkaFault? Fault, ErrorCode Error, string? Message) Failure<TCore>(
        CallReport report,
        FSharpResult<TCore, Core.AdminFault> result
    ) =>
        result.IsOk
            ? default
            : result.ErrorValue switch
            {
                Core.AdminFault.Refused it => (null, it.Item1, it.remark.OrNull()),
                Core.AdminFault.Fault it => (report.FaultOf(it.Item), ErrorCode.None, null),
                _ => (KafkaFault.NotAnswered(result.ErrorValue.ToString()), ErrorCode.None, null),
            };
}
