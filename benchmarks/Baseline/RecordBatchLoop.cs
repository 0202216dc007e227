using System;
using System.Buffers.Binary;
using System.IO;
using System.Numerics;

namespace LibKafka.Benchmarks.Baseline;

/// <summary>A record header.</summary>
public readonly record struct Header(byte[] Key, byte[] Value);

/// <summary>A record.</summary>
public readonly record struct Input(long Timestamp, byte[]? Key, byte[] Value, Header[] Headers);

/// <summary>The CRC-32C of some bytes.</summary>
public delegate uint Checksum(ReadOnlySpan<byte> bytes);

/// <summary>
/// Record batches written and read in the straightforward way of a good .NET programmer: spans, no allocation, the processor's CRC
/// instruction, and no other trick. It is safe code, so malformed bytes end in an exception here too.
/// </summary>
public static class RecordBatchLoop
{
    private const int CrcAt = 17;
    private const int AttributesAt = 21;
    private const int RecordsAt = 61;

    /// <summary>Writes a batch of the records into the target and returns its size.</summary>
    public static int Encode(Span<byte> target, ReadOnlySpan<Input> records, Checksum checksum)
    {
        long baseTimestamp = records[0].Timestamp;
        long maxTimestamp = baseTimestamp;
        int at = RecordsAt;
        for (int i = 0; i < records.Length; i++)
        {
            ref readonly Input record = ref records[i];
            maxTimestamp = Math.Max(maxTimestamp, record.Timestamp);
            long delta = record.Timestamp - baseTimestamp;
            int size = 1 + VarintSize(delta) + VarintSize(i) + RunSize(record.Key) + RunSize(record.Value);
            size += VarintSize(record.Headers.Length);
            foreach (Header header in record.Headers)
                size += RunSize(header.Key) + RunSize(header.Value);

            at = WriteVarint(target, at, size);
            target[at++] = 0;
            at = WriteVarint(target, at, delta);
            at = WriteVarint(target, at, i);
            at = WriteRun(target, at, record.Key);
            at = WriteRun(target, at, record.Value);
            at = WriteVarint(target, at, record.Headers.Length);
            foreach (Header header in record.Headers)
                at = WriteRun(target, WriteRun(target, at, header.Key), header.Value);
        }

        BinaryPrimitives.WriteInt64BigEndian(target, 0);
        BinaryPrimitives.WriteInt32BigEndian(target[8..], at - 12);
        BinaryPrimitives.WriteInt32BigEndian(target[12..], -1);
        target[16] = 2;
        BinaryPrimitives.WriteInt16BigEndian(target[AttributesAt..], 0);
        BinaryPrimitives.WriteInt32BigEndian(target[23..], records.Length - 1);
        BinaryPrimitives.WriteInt64BigEndian(target[27..], baseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(target[35..], maxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(target[43..], -1);
        BinaryPrimitives.WriteInt16BigEndian(target[51..], -1);
        BinaryPrimitives.WriteInt32BigEndian(target[53..], -1);
        BinaryPrimitives.WriteInt32BigEndian(target[57..], records.Length);
        BinaryPrimitives.WriteUInt32BigEndian(target[CrcAt..], checksum(target[AttributesAt..at]));
        return at;
    }

    /// <summary>Checks a batch, reads every record and adds up a part of each.</summary>
    public static long Decode(ReadOnlySpan<byte> batch, Checksum checksum)
    {
        if (BinaryPrimitives.ReadUInt32BigEndian(batch[CrcAt..]) != checksum(batch[AttributesAt..]))
            throw new InvalidDataException("wrong checksum");
        long baseOffset = BinaryPrimitives.ReadInt64BigEndian(batch);
        long baseTimestamp = BinaryPrimitives.ReadInt64BigEndian(batch[27..]);
        int count = BinaryPrimitives.ReadInt32BigEndian(batch[57..]);
        int at = RecordsAt;
        long sum = 0;
        for (int i = 0; i < count; i++)
        {
            long size = ReadVarint(batch, ref at);
            long end = at + size;
            at++;
            sum += baseTimestamp + ReadVarint(batch, ref at);
            sum += baseOffset + ReadVarint(batch, ref at);
            sum += Touch(ReadRun(batch, ref at));
            sum += Touch(ReadRun(batch, ref at));
            long headers = ReadVarint(batch, ref at);
            for (long header = 0; header < headers; header++)
                sum += Touch(ReadRun(batch, ref at)) + Touch(ReadRun(batch, ref at));
            if (at != end)
                throw new InvalidDataException("wrong record length");
        }
        if (at != batch.Length)
            throw new InvalidDataException("bytes behind the last record");
        return sum;
    }

    private static int Touch(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? 0 : bytes.Length + bytes[0];

    private static int RunSize(byte[]? bytes) => bytes is null ? 1 : VarintSize(bytes.Length) + bytes.Length;

    private static int WriteRun(Span<byte> target, int at, byte[]? bytes)
    {
        if (bytes is null)
            return WriteVarint(target, at, -1);
        at = WriteVarint(target, at, bytes.Length);
        bytes.CopyTo(target[at..]);
        return at + bytes.Length;
    }

    private static ReadOnlySpan<byte> ReadRun(ReadOnlySpan<byte> batch, ref int at)
    {
        int length = (int)ReadVarint(batch, ref at);
        if (length < 0)
            return default;
        ReadOnlySpan<byte> run = batch.Slice(at, length);
        at += length;
        return run;
    }

    private static int VarintSize(long value)
    {
        ulong rest = (ulong)((value << 1) ^ (value >> 63));
        int size = 1;
        while ((rest >>= 7) != 0)
            size++;
        return size;
    }

    private static int WriteVarint(Span<byte> target, int at, long value)
    {
        ulong rest = (ulong)((value << 1) ^ (value >> 63));
        while (rest >= 0x80)
        {
            target[at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        target[at++] = (byte)rest;
        return at;
    }

    private static long ReadVarint(ReadOnlySpan<byte> batch, ref int at)
    {
        ulong value = batch[at++];
        if (value >= 0x80)
        {
            value &= 0x7F;
            ulong group;
            int shift = 7;
            do
            {
                group = batch[at++];
                value |= (group & 0x7F) << shift;
                shift += 7;
            } while (group >= 0x80);
        }
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>Its own checksum, eight bytes a step.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
