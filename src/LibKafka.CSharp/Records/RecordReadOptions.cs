using System;
using System.Collections.Generic;
using LibKafka.Records;
using LibKafka.Wire;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>How the records of batches are read: codecs, which the caller provides, and limits.</summary>
public sealed record RecordReadOptions
{
    private static readonly Limits Standard = LimitsModule.standard;
    private readonly CodecList _codecs = new([]);

    /// <summary>No codecs, the standard limits, and verified checksums.</summary>
    public static RecordReadOptions Default { get; } = new();

    /// <summary>
    /// The codecs for compressed batches, at most one for each compression type; none by default. The last codec for a type wins.
    /// </summary>
    public IReadOnlyList<ICompressionCodec> Codecs
    {
        get => _codecs;
        init => _codecs = new(Interop.RequiredAll(value));
    }

    /// <summary>The largest size of the decompressed records of one batch, in bytes: 256 MiB by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MaxDecompressedBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxDecompressedBytes));
            field = value;
        }
    } = Standard.MaxDecompressedBytes;

    /// <summary>The largest number of records in one batch: 16 Mi by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MaxRecords
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxRecords));
            field = value;
        }
    } = Standard.MaxRecords;

    /// <summary>
    /// Whether a batch's checksum is verified when the batch is opened: true by default. Turn this off only for batches that have already
    /// been verified or that never left the process.
    /// </summary>
    public bool VerifyChecksum { get; init; } = true;

    internal Reading ToReading(CodecBuffer? buffer) =>
        new(
            limits: new(Standard.MaxFrameBytes, Standard.MaxDecodedBytes, MaxDecompressedBytes, MaxRecords),
            codecs: _codecs.Core,
            buffer: buffer is null ? default : FSharpValueOption<CodecBuffer>.NewValueSome(buffer),
            verifyChecksum: VerifyChecksum
        );

    /// <summary>The codecs in the given order, and as the core takes them.</summary>
    private sealed class CodecList : ValueList<ICompressionCodec>
    {
        public CodecList(IEnumerable<ICompressionCodec> codecs)
            : base(codecs)
        {
            Core = CompressionCodecsModule.ofList(this.ToFSharpList());
        }

        public CompressionCodecs Core { get; }
    }
}
