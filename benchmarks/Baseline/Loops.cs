namespace LibKafka.Benchmarks.Baseline;

/// <summary>The loops one writes first.</summary>
public static class Loops
{
    /// <summary>Writes a zig-zag varint and returns the position behind it.</summary>
    public static int WriteVarint(byte[] buffer, int at, int value)
    {
        uint rest = (uint)((value << 1) ^ (value >> 31));
        while (rest >= 0x80)
        {
            buffer[at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        buffer[at++] = (byte)rest;
        return at;
    }
}
