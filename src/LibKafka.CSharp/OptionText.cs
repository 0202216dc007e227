using System;
using System.Text;
using System.Threading;

namespace LibKafka;

/// <summary>The text of options that have a time without a limit, in the form of records.</summary>
internal static class OptionText
{
    /// <summary>Appends the members. An infinite time is <c>no limit</c>.</summary>
    /// <returns>True: there are members.</returns>
    public static bool AppendMembers(this StringBuilder text, params ReadOnlySpan<(string Name, object? Value)> members)
    {
        var separator = "";
        foreach (var (name, value) in members)
        {
            text.Append(separator)
                .Append(name)
                .Append(" = ")
                .Append(value is TimeSpan time && time == Timeout.InfiniteTimeSpan ? "no limit" : value);
            separator = ", ";
        }

        return true;
    }
}
