using System.Diagnostics;
using System.Globalization;

namespace Promotions.Domain;

/// <summary>Named points between the steps of the path at which a test can kill the process: <c>PROMOTIONS_CRASH_AT=name</c> or <c>name:nth</c>.</summary>
/// <remarks>Off, a point is one comparison with null. On, the nth passing sends SIGKILL to this very process: nothing is flushed.</remarks>
public static class CrashPoints
{
    private static readonly string? Name = Environment.GetEnvironmentVariable("PROMOTIONS_CRASH_AT")?.Split(':')[0];
    private static readonly int Nth = ParseNth(Environment.GetEnvironmentVariable("PROMOTIONS_CRASH_AT"));
    private static int s_passed;

    public static void Hit(string name)
    {
        if (Name is null) return;
        if (!string.Equals(Name, name, StringComparison.Ordinal) || Interlocked.Increment(ref s_passed) != Nth) return;
        using var self = Process.GetCurrentProcess();
        self.Kill();
        self.WaitForExit();
    }

    private static int ParseNth(string? setting) =>
        setting?.Split(':') is [_, var nth] ? int.Parse(nth, NumberStyles.None, CultureInfo.InvariantCulture) : 1;
}
