using System;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Text;

namespace LibKafka.Benchmarks.Baseline;

/// <summary>Verifies a batch and reads all of its records.</summary>
public delegate void BatchReader(ArraySegment<byte> batch);

/// <summary>
/// The least that a client can do: a blocking socket, hand-written frames of one fixed version, a record loop, and reused buffers. It finds no
/// leader, negotiates no version and checks little.
/// </summary>
public sealed class BareClient : IDisposable
{
    private const short Produce7 = 7;
    private const short Fetch11 = 11;
    private readonly Socket _socket;
    private readonly byte[] _out;
    private readonly byte[] _in;
    private readonly Checksum _checksum;
    private readonly BatchReader _read;
    private int _correlation;
    private long _reading;

    /// <summary>Connects. Requests and responses must fit into the buffer.</summary>
    public BareClient(string host, int port, int bufferSize, Checksum checksum, BatchReader read)
    {
        _checksum = checksum;
        _read = read;
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(host, port);
        _out = new byte[bufferSize];
        _in = new byte[bufferSize];
    }

    /// <summary>Encodes a batch straight into a Produce request (acks = all), sends it and reads the response; returns the batch's offset.</summary>
    public long Produce(string topic, int partition, ReadOnlySpan<Input> records)
    {
        int at = Begin(0, Produce7);
        at = Int16(at, -1); // no transactional id
        at = Int16(at, -1); // acks
        at = Int32(at, 10_000); // milliseconds
        at = Int32(at, 1); // topics
        at = Text(at, topic);
        at = Int32(at, 1); // partitions
        at = Int32(at, partition);
        int size = RecordBatchLoop.Encode(_out.AsSpan(at + 4), records, _checksum);
        at = Int32(at, size) + size;
        var answer = Exchange(at);
        int partitionAt = 4 + 4 + 2 + topic.Length + 4;
        short error = BinaryPrimitives.ReadInt16BigEndian(answer[(partitionAt + 4)..]);
        if (error != 0)
            throw new InvalidDataException($"the broker answered with error {error}");
        return BinaryPrimitives.ReadInt64BigEndian(answer[(partitionAt + 6)..]);
    }

    /// <summary>The time taken by verifying and reading fetched batches so far.</summary>
    public TimeSpan Reading => Stopwatch.GetElapsedTime(0, _reading);

    /// <summary>
    /// Fetches from an offset, checks and reads every whole batch; returns the number of records and moves the offset past the last one.
    /// </summary>
    public int Fetch(string topic, int partition, ref long offset, int maxBytes)
    {
        int at = Begin(1, Fetch11);
        at = Int32(at, -1); // replica
        at = Int32(at, 500); // milliseconds
        at = Int32(at, 1); // min bytes
        at = Int32(at, maxBytes);
        _out[at++] = 0; // isolation level
        at = Int32(at, 0); // session
        at = Int32(at, -1); // session epoch
        at = Int32(at, 1); // topics
        at = Text(at, topic);
        at = Int32(at, 1); // partitions
        at = Int32(at, partition);
        at = Int32(at, -1); // leader epoch
        at = Int64(at, offset);
        at = Int64(at, -1); // log start offset
        at = Int32(at, maxBytes);
        at = Int32(at, 0); // forgotten topics
        at = Text(at, ""); // rack
        var answer = Exchange(at);
        int partitionAt = 4 + 4 + 2 + 4 + 4 + 2 + topic.Length + 4;
        short error = BinaryPrimitives.ReadInt16BigEndian(answer[(partitionAt + 4)..]);
        if (error != 0)
            throw new InvalidDataException($"the broker answered with error {error}");
        int abortedAt = partitionAt + 4 + 2 + 8 + 8 + 8;
        int aborted = Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(answer[abortedAt..]));
        int recordsAt = abortedAt + 4 + 16 * aborted + 4;
        int left = BinaryPrimitives.ReadInt32BigEndian(answer[recordsAt..]);
        var records = answer.Slice(recordsAt + 4, left);
        int end = recordsAt + 4 + left;
        int count = 0;
        long began = Stopwatch.GetTimestamp();
        while (records.Length > 61)
        {
            int size = 12 + BinaryPrimitives.ReadInt32BigEndian(records[8..]);
            if (size > records.Length)
                break;
            _read(new ArraySegment<byte>(_in, end - records.Length, size));
            count += BinaryPrimitives.ReadInt32BigEndian(records[57..]);
            offset = BinaryPrimitives.ReadInt64BigEndian(records) + BinaryPrimitives.ReadInt32BigEndian(records[23..]) + 1;
            records = records[size..];
        }
        _reading += Stopwatch.GetTimestamp() - began;
        return count;
    }

    /// <summary>Asks for the broker's versions and ignores the response.</summary>
    public void AskVersions() => Exchange(Begin(18, 0));

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _socket.Dispose();

    private int Begin(short key, short version)
    {
        int at = Int16(4, key);
        at = Int16(at, version);
        at = Int32(at, ++_correlation);
        return Text(at, "bare");
    }

    private ReadOnlySpan<byte> Exchange(int end)
    {
        Int32(0, end - 4);
        for (int sent = 0; sent < end; )
            sent += _socket.Send(_out, sent, end - sent, SocketFlags.None);
        Receive(4);
        int length = BinaryPrimitives.ReadInt32BigEndian(_in);
        Receive(length);
        if (BinaryPrimitives.ReadInt32BigEndian(_in) != _correlation)
            throw new InvalidDataException("the answer belongs to another request");
        return _in.AsSpan(0, length);
    }

    private void Receive(int count)
    {
        for (int got = 0; got < count; )
        {
            int received = _socket.Receive(_in, got, count - got, SocketFlags.None);
            if (received == 0)
                throw new EndOfStreamException("the broker closed the connection");
            got += received;
        }
    }

    private int Int16(int at, short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(_out.AsSpan(at), value);
        return at + 2;
    }

    private int Int32(int at, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_out.AsSpan(at), value);
        return at + 4;
    }

    private int Int64(int at, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(_out.AsSpan(at), value);
        return at + 8;
    }

    private int Text(int at, string text) => Int16(at, (short)text.Length) + Encoding.ASCII.GetBytes(text, _out.AsSpan(at + 2));
}
