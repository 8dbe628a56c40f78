using System.Globalization;
using System.Runtime.InteropServices;

namespace Promotions.ClickHouse;

/// <summary>The engine steps back for decisions: they share the machine's cores.</summary>
internal static class ProcessPriority
{
    /// <summary>Of every thread there is; threads made later inherit it. On Linux niceness belongs to a thread.</summary>
    /// <param name="niceness">0 to 19; 0 changes nothing. A process may always lower its own priority.</param>
    public static void Lower(int niceness)
    {
        if (niceness <= 0 || !OperatingSystem.IsLinux()) return;
        foreach (var task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            // A thread that ended meanwhile is no matter; nor is a system that refuses: the engine then works at the usual priority.
            _ = SetPriority(0, uint.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture), niceness);
        }
    }

    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int niceness);
}
